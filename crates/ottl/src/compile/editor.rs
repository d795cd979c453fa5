//! Calls of editors.

use super::{CompileError, Compiler, Result};
use crate::ast;
use crate::context::Context;
use crate::editors::{self, Edit};
use crate::eval::bool::Bool;
use crate::eval::level::Levels;

/// A statement, ready to run.
#[derive(Debug)]
pub(crate) struct Ready {
    /// When it runs, and the levels that this reads as a whole; always where there is none.
    pub(crate) condition: Option<(Bool, Levels)>,
    pub(crate) edit: Box<dyn Edit>,
    /// The levels that the editor reads or changes as a whole.
    pub(crate) whole: Levels,
}

// === impl Compiler ===

impl Compiler {
    pub(crate) fn statement(&mut self, context: Context, prefixed: bool, statement: &ast::Statement) -> Result<Ready> {
        let call = &statement.editor;
        let name = &call.name;
        let Some(editor) = editors::find(&name.text, context) else {
            return Err(CompileError::undefined(
                name,
                context,
                editors::all().map(|editor| (editor.name, editor.only)),
            ));
        };
        let mut scope = self.scope(context, prefixed);
        let args = scope.args(editor.name, editor.params, call)?;
        let whole = scope.whole;
        let edit = editor
            .make(args, scope.slots)
            .map_err(|message| CompileError::new(name.at, format!("{}: {message}", editor.name)))?;
        let whole = if edit.is_of_one_attribute() { Levels::default() } else { whole };
        let condition = match &statement.condition {
            Some(condition) => Some(self.compile(context, prefixed, condition)?),
            None => None,
        };
        Ok(Ready { condition, edit, whole })
    }
}
