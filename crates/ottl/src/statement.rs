//! Statements: an editor, and the condition under which it runs.

use crate::ast;
use crate::condition::ParseError;
use crate::parse;

/// A statement by its grammar, such as `set(name, "x") where kind == SPAN_KIND_CLIENT`. What it names is not looked up.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    parsed: ast::Statement,
}

// === impl Statement ===

impl Statement {
    /// Reads a statement.
    ///
    /// # Errors
    ///
    /// Fails where the text is not of the grammar.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        match parse::statement(text) {
            Ok(parsed) => Ok(Self { parsed }),
            Err(error) => Err(ParseError::new(text, error.into())),
        }
    }

    /// The name of its editor.
    pub fn editor(&self) -> &str {
        &self.parsed.editor.name.text
    }

    /// Whether it runs under a condition only.
    pub fn is_conditional(&self) -> bool {
        self.parsed.condition.is_some()
    }
}
