//! Values: literals, lists, maps, paths.

use super::lexer::{Kind, Token};
use super::{Parser, SyntaxError};
use crate::ast::{Field, Key, Name, Path, Value};

// === impl Parser ===

impl Parser<'_> {
    pub(super) fn value(&mut self) -> Result<Value, SyntaxError> {
        self.nested(|parser| match parser.kind() {
            Kind::Nil => {
                parser.at += 1;
                Ok(Value::Nil)
            }
            Kind::String => Ok(Value::String(parser.expect(Kind::String)?.text.into_owned())),
            Kind::Boolean => Ok(Value::Bool(parser.expect(Kind::Boolean)?.text == "true")),
            Kind::Bytes => parser.bytes().map(Value::Bytes),
            Kind::LBrace => parser.map(),
            Kind::LBracket => parser.list(),
            Kind::LParen if parser.is_lambda() => Ok(Value::Lambda(Box::new(parser.lambda()?))),
            Kind::Upper if !parser.is_call() => parser.symbol(),
            _ => parser.math(),
        })
    }

    /// Whether a name with an argument list stands here.
    pub(super) fn is_call(&self) -> bool {
        let mut at = self.at;
        while matches!(self.peek_at(at).kind, Kind::Upper | Kind::Lower) {
            at += 1;
        }
        self.peek_at(at).kind == Kind::LParen
    }

    /// An enum such as `STATUS_CODE_ERROR`.
    fn symbol(&mut self) -> Result<Value, SyntaxError> {
        let Token { text, at, .. } = self.expect(Kind::Upper)?;
        if self.kind() == Kind::Lower {
            return Err(self.unexpected("arguments of a function"));
        }
        Ok(Value::Enum(Name { text: text.into_owned(), at }))
    }

    fn list(&mut self) -> Result<Value, SyntaxError> {
        self.expect(Kind::LBracket)?;
        let mut items = Vec::new();
        if self.eat(Kind::RBracket).is_some() {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value()?);
            if self.eat(Kind::Comma).is_none() {
                self.expect(Kind::RBracket)?;
                return Ok(Value::List(items));
            }
        }
    }

    /// A map; commas between its entries may be left out, and one may follow the last.
    fn map(&mut self) -> Result<Value, SyntaxError> {
        self.expect(Kind::LBrace)?;
        let mut entries = Vec::new();
        while self.eat(Kind::RBrace).is_none() {
            let key = self.expect(Kind::String)?.text.into_owned();
            self.expect(Kind::Colon)?;
            entries.push((key, self.value()?));
            self.eat(Kind::Comma);
        }
        Ok(Value::Map(entries))
    }

    pub(super) fn path(&mut self) -> Result<Path, SyntaxError> {
        let at = self.peek().at;
        let mut fields = Vec::new();
        loop {
            let name = self.expect(Kind::Lower)?.text.into_owned();
            let keys = self.keys()?;
            fields.push(Field { name, keys });
            // A point that no name follows is not part of the path.
            if self.kind() != Kind::Dot || self.peek_at(self.at + 1).kind != Kind::Lower {
                return Ok(Path { fields, at });
            }
            self.at += 1;
        }
    }

    pub(super) fn keys(&mut self) -> Result<Vec<Key>, SyntaxError> {
        let mut keys = Vec::new();
        while self.eat(Kind::LBracket).is_some() {
            // A string or an integer is the whole key: `[1 + 1]` is not of the grammar.
            keys.push(match self.kind() {
                Kind::String => Key::String(self.expect(Kind::String)?.text.into_owned()),
                Kind::Int => Key::Int(self.int()?),
                _ => Key::Value(self.math()?),
            });
            self.expect(Kind::RBracket)?;
        }
        Ok(keys)
    }
}
