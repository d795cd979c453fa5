//! Statements: an editor, and the condition under which it runs.

use std::sync::Arc;

use crate::ast;
use crate::compile::{Compiler, Ready};
use crate::condition::ParseError;
use crate::context::Context;
use crate::eval::EvalError;
use crate::eval::expr::Env;
use crate::eval::frame::Frame;
use crate::parse;

/// A compiled statement, such as `set(name, "x") where kind == SPAN_KIND_CLIENT`.
#[derive(Debug)]
pub struct Statement {
    text: Arc<str>,
    ready: Ready,
}

/// A statement could not be executed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("failed to execute statement {text:?}: {error}")]
pub struct StatementError {
    /// The statement.
    pub text: Arc<str>,
    /// Why.
    #[source]
    pub error: EvalError,
}

// === impl Statement ===

impl Statement {
    /// Reads a statement by its grammar.
    pub(crate) fn read(text: &str) -> Result<ast::Statement, ParseError> {
        parse::statement(text).map_err(|error| ParseError::new(text, error.into()))
    }

    /// Compiles a statement that was read.
    pub(crate) fn compile(
        compiler: &mut Compiler,
        context: Context,
        prefixed: bool,
        text: &str,
        parsed: &ast::Statement,
    ) -> Result<Self, ParseError> {
        match compiler.statement(context, prefixed, parsed) {
            Ok(ready) => Ok(Self { text: text.into(), ready }),
            Err(error) => Err(ParseError::new(text, error)),
        }
    }

    /// As it was written.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Runs it at what the frame stands at.
    #[inline]
    pub(crate) fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        if let Some((condition, whole)) = &self.ready.condition {
            frame.settle(*whole);
            if !condition.eval(&Env { frame: &*frame, locals: &[] })? {
                return Ok(());
            }
        }
        frame.settle(self.ready.whole);
        self.ready.edit.run(frame)
    }
}
