//! Arithmetic: signs bind strongest, then `*` and `/`, then `+` and `-`.

use super::lexer::Kind;
use super::{Parser, SyntaxError};
use crate::ast::{MathOp, Value};

// === impl Parser ===

impl Parser<'_> {
    pub(super) fn math(&mut self) -> Result<Value, SyntaxError> {
        self.nested(|parser| {
            let mut left = parser.product()?;
            while let Some(op) = parser.eat(Kind::AddSub) {
                let right = parser.product()?;
                let op = if op.text == "+" { MathOp::Add } else { MathOp::Sub };
                left = Value::Math(Box::new(left), op, Box::new(right));
            }
            Ok(left)
        })
    }

    fn product(&mut self) -> Result<Value, SyntaxError> {
        let mut left = self.signed()?;
        while let Some(op) = self.eat(Kind::MulDiv) {
            let right = self.signed()?;
            let op = if op.text == "*" { MathOp::Mul } else { MathOp::Div };
            left = Value::Math(Box::new(left), op, Box::new(right));
        }
        Ok(left)
    }

    fn signed(&mut self) -> Result<Value, SyntaxError> {
        let sign = self.eat(Kind::AddSub);
        let inner = if self.eat(Kind::LParen).is_some() {
            let inner = self.math()?;
            self.expect(Kind::RParen)?;
            Value::Group(Box::new(inner))
        } else {
            self.literal()?
        };
        Ok(match sign {
            None => inner,
            Some(sign) if sign.text == "-" => Value::Negate(Box::new(inner)),
            Some(_) => Value::Group(Box::new(inner)),
        })
    }

    /// A number, a path, or a converter.
    fn literal(&mut self) -> Result<Value, SyntaxError> {
        match self.kind() {
            Kind::Upper => {
                let name = self.name()?;
                self.call(name).map(Value::Call)
            }
            Kind::Lower if self.is_call() => {
                let name = self.name()?;
                let message = format!("converter names must start with an upper-case letter, but got {:?}", name.text);
                Err(SyntaxError { function: Some(name.text), ..SyntaxError::at(name.at, message) })
            }
            Kind::Lower => self.path().map(Value::Path),
            Kind::Int => self.int().map(Value::Int),
            Kind::Float => self.float().map(Value::Float),
            _ => Err(self.unexpected("a value")),
        }
    }
}
