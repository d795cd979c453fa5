//! Conditions: `not` binds stronger than `and`, `and` stronger than `or`.

use super::lexer::Kind;
use super::{Parser, SyntaxError};
use crate::ast::{Bool, CompareOp, Comparison, Lambda, LambdaBody, Value};

// === impl Parser ===

impl Parser<'_> {
    pub(super) fn boolean(&mut self) -> Result<Bool, SyntaxError> {
        self.nested(|parser| {
            let mut terms = vec![parser.term()?];
            while parser.eat(Kind::Or).is_some() {
                terms.push(parser.term()?);
            }
            Ok(single_or(terms, Bool::Or))
        })
    }

    fn term(&mut self) -> Result<Bool, SyntaxError> {
        let mut factors = vec![self.factor()?];
        while self.eat(Kind::And).is_some() {
            factors.push(self.factor()?);
        }
        Ok(single_or(factors, Bool::And))
    }

    fn factor(&mut self) -> Result<Bool, SyntaxError> {
        if self.eat(Kind::Not).is_some() {
            return Ok(Bool::Not(Box::new(self.operand()?)));
        }
        self.operand()
    }

    /// A comparison, a boolean, a converter, or a condition in parentheses.
    fn operand(&mut self) -> Result<Bool, SyntaxError> {
        let begin = self.at;
        let parenthesis = self.kind() == Kind::LParen;
        let left = match self.attempt(Self::value) {
            Ok(left) => left,
            Err(error) if !parenthesis => return Err(error),
            Err(_) => return self.parenthesised(),
        };
        if let Some(op) = self.eat(Kind::Comparison) {
            let at = op.at;
            let op = CompareOp::parse(&op.text).ok_or_else(|| SyntaxError::at(at, "unknown operator"))?;
            let right = self.value()?;
            return Ok(Bool::Compare(Box::new(Comparison { left, op, right })));
        }
        match left {
            Value::Bool(value) => Ok(Bool::Literal(value)),
            Value::Call(call) => Ok(Bool::Call(call)),
            _ if parenthesis => {
                // It read as arithmetic, but nothing compares it: `(IsString(name))`.
                self.at = begin;
                self.parenthesised()
            }
            _ => Err(self.unexpected("a comparison operator")),
        }
    }

    fn parenthesised(&mut self) -> Result<Bool, SyntaxError> {
        self.expect(Kind::LParen)?;
        let inner = self.boolean()?;
        self.expect(Kind::RParen)?;
        Ok(inner)
    }

    /// Whether `(a, b) =>` stands here.
    pub(super) fn is_lambda(&self) -> bool {
        let mut at = self.at + 1;
        if self.peek_at(at).kind != Kind::RParen {
            loop {
                if !matches!(self.peek_at(at).kind, Kind::Lower | Kind::Underscore) {
                    return false;
                }
                at += 1;
                match self.peek_at(at).kind {
                    Kind::Comma => at += 1,
                    Kind::RParen => break,
                    _ => return false,
                }
            }
        }
        self.peek_at(at + 1).kind == Kind::Arrow
    }

    pub(super) fn lambda(&mut self) -> Result<Lambda, SyntaxError> {
        let at = self.expect(Kind::LParen)?.at;
        let mut params = Vec::new();
        while self.eat(Kind::RParen).is_none() {
            match self.eat(Kind::Lower) {
                Some(name) => params.push(Some(name.text.into_owned())),
                None => {
                    self.expect(Kind::Underscore)?;
                    params.push(None);
                }
            }
            if self.kind() != Kind::RParen {
                self.expect(Kind::Comma)?;
            }
        }
        self.expect(Kind::Arrow)?;
        let value = self.attempt(|parser| {
            let value = parser.value()?;
            match parser.kind() {
                Kind::Or | Kind::And | Kind::Comparison => Err(parser.unexpected("the end of the lambda")),
                _ => Ok(value),
            }
        });
        let body = match value {
            Ok(Value::Lambda(inner)) => {
                return Err(SyntaxError::at(inner.at, "a lambda cannot give another lambda"));
            }
            Ok(value) => LambdaBody::Value(value),
            Err(_) => LambdaBody::Bool(self.boolean()?),
        };
        Ok(Lambda { params, body, at })
    }
}

fn single_or(mut items: Vec<Bool>, join: impl FnOnce(Vec<Bool>) -> Bool) -> Bool {
    match items.len() {
        1 => items.remove(0),
        _ => join(items),
    }
}
