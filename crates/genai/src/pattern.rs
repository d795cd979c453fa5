//! Regular expressions that are compiled when they are first asked: of the many that are known from the start few ever are, and
//! compiling them all takes longer than everything else that a start does.

use std::sync::OnceLock;

use regex::Regex;

use crate::catalogue::CatalogueError;

/// A regular expression of a file of knowledge.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    text: Box<str>,
    /// None where it cannot be compiled after all, which only one of an absurd size cannot.
    compiled: OnceLock<Option<Regex>>,
}

// === impl Pattern ===

impl Pattern {
    /// Checks the syntax, and leaves the rest for later.
    pub(crate) fn new(text: &str, file: &str) -> Result<Self, CatalogueError> {
        let parsed = regex_syntax::ast::parse::Parser::new().parse(text);
        parsed.map_err(|error| CatalogueError::new(file, error.to_string()))?;
        Ok(Self { text: text.into(), compiled: OnceLock::new() })
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.compiled().is_some_and(|regex| regex.is_match(text))
    }

    fn compiled(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| Regex::new(&self.text).ok()).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: a pattern that is right, and one that is not.
    /// Guarantees: the first matches when asked; the second is refused at once, by the name of its file.
    #[test]
    fn checked_at_once_and_compiled_later() {
        let pattern = Pattern::new(r"^a\.b(\.|$)", "acme").unwrap();
        assert!(pattern.compiled.get().is_none());
        assert!(pattern.is_match("a.b.c") && !pattern.is_match("a.bc"));
        let error = Pattern::new("(", "acme").unwrap_err().to_string();
        assert!(error.starts_with("acme: "), "{error}");
    }
}
