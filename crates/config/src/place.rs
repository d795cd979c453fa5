//! Where a piece of configuration was written.

use std::fmt;
use std::sync::Arc;

/// A source and a line in it, shown as `config.yaml:12`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    source: Arc<str>,
    line: usize,
}

// === impl Place ===

impl Place {
    /// A place in `source` (a file name, or a URI as the user gave it); lines count from 1.
    pub fn new(source: Arc<str>, line: usize) -> Self {
        Self { source, line }
    }

    /// The file name or URI as the user gave it.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The line, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.line)
    }
}
