//! Statements by their grammar, for those who give editors a meaning of their own.

use crate::ast;
use crate::compile::{Compiler, Paths, infer};
use crate::condition::{Condition, ParseError};
use crate::parse;

/// A statement by its grammar, such as `set(name, "x") where kind == SPAN_KIND_CLIENT`. What it names is not looked up.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedStatement {
    pub(crate) text: String,
    pub(crate) parsed: ast::Statement,
}

// === impl ParsedStatement ===

impl ParsedStatement {
    /// Reads a statement.
    ///
    /// # Errors
    ///
    /// Fails where the text is not of the grammar.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        match parse::statement(text) {
            Ok(parsed) => Ok(Self { text: text.to_owned(), parsed }),
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

    /// Whether its editor is given arguments.
    pub fn has_arguments(&self) -> bool {
        !self.parsed.editor.args.is_empty()
    }

    /// The condition under which it runs, compiled; none where it always does.
    ///
    /// # Errors
    ///
    /// Fails where the condition names a path, a function or an enum that is not there.
    pub fn condition(&self, compiler: &mut Compiler, paths: Paths) -> Result<Option<Condition>, ParseError> {
        let Some(parsed) = &self.parsed.condition else { return Ok(None) };
        let failed = |error| ParseError::new(&self.text, error);
        let (context, prefixed) = match paths {
            Paths::Unprefixed(context) => (context, false),
            Paths::Prefixed => (infer(parsed, compiler.signal()).map_err(failed)?, true),
        };
        Condition::compile(compiler, context, prefixed, &self.text, parsed).map(Some)
    }
}
