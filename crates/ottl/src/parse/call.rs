//! Function calls.

use super::lexer::Kind;
use super::{Parser, SyntaxError};
use crate::ast::{Arg, ArgValue, Call, Name};

// === impl Parser ===

impl Parser<'_> {
    /// The arguments and keys of a call whose name was read.
    pub(super) fn call(&mut self, name: Name) -> Result<Call, SyntaxError> {
        self.nested(|parser| {
            parser.expect(Kind::LParen)?;
            let mut args = Vec::new();
            if parser.eat(Kind::RParen).is_none() {
                loop {
                    args.push(parser.arg()?);
                    if parser.eat(Kind::Comma).is_none() {
                        parser.expect(Kind::RParen)?;
                        break;
                    }
                }
            }
            let keys = parser.keys()?;
            Ok(Call { name, args, keys })
        })
    }

    fn arg(&mut self) -> Result<Arg, SyntaxError> {
        let at = self.peek().at;
        let name = self.arg_name();
        let value = if self.kind() == Kind::Upper && self.is_function_name() {
            ArgValue::Function(self.name()?)
        } else {
            ArgValue::Value(self.value()?)
        };
        Ok(Arg { name, value, at })
    }

    /// `name =` before a value.
    fn arg_name(&mut self) -> Option<Name> {
        if self.kind() != Kind::Lower {
            return None;
        }
        let begin = self.at;
        let name = self.name().ok()?;
        if self.eat(Kind::Equal).is_some() {
            return Some(name);
        }
        self.at = begin;
        None
    }

    /// A function given by its name alone; names of capitals only look like enums and are told apart later.
    fn is_function_name(&self) -> bool {
        self.peek_at(self.at + 1).kind == Kind::Lower && !self.is_call()
    }
}
