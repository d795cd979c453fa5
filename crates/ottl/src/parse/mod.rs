//! Text to a syntax tree: recursive descent with ordered choice. Where two readings begin alike the parser tries one and
//! comes back; depth and steps are bounded, so that no text takes long.

mod boolean;
mod call;
pub(crate) mod lexer;
mod math;
mod number;
mod value;

#[cfg(test)]
mod tests;

use lexer::{Kind, Token, tokens};

use crate::ast::{Bool, Name, Statement};

/// Longest text in bytes.
const MAX_LEN: usize = 256 * 1024;
/// Deepest nesting of parentheses, calls, lists, maps and keys.
const MAX_DEPTH: usize = 64;
/// How often a token may be looked at, on average, before a text counts as too complex.
const STEPS_PER_TOKEN: usize = 64;

/// A text that is not of the grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    /// Offset in bytes.
    pub(crate) at: usize,
    pub(crate) message: String,
    /// The name of a function that was written wrongly.
    pub(crate) function: Option<String>,
}

/// Reads tokens. Clones of `at` are the branches of ordered choice.
pub(crate) struct Parser<'t> {
    tokens: Vec<Token<'t>>,
    at: usize,
    depth: usize,
    steps: usize,
    /// The error that got furthest: of several readings the one that went furthest was most likely meant.
    furthest: Option<SyntaxError>,
}

/// Reads a condition.
pub(crate) fn condition(text: &str) -> Result<Bool, SyntaxError> {
    let mut parser = Parser::new(text)?;
    let parsed = parser.boolean().and_then(|condition| parser.finish().map(|()| condition));
    parsed.map_err(|error| parser.furthest(error))
}

/// Reads a value.
pub(crate) fn value(text: &str) -> Result<crate::ast::Value, SyntaxError> {
    let mut parser = Parser::new(text)?;
    let parsed = parser.value().and_then(|value| parser.finish().map(|()| value));
    parsed.map_err(|error| parser.furthest(error))
}

/// Reads a statement.
pub(crate) fn statement(text: &str) -> Result<Statement, SyntaxError> {
    let mut parser = Parser::new(text)?;
    let parsed = parser.statement().and_then(|statement| parser.finish().map(|()| statement));
    parsed.map_err(|error| parser.furthest(error))
}

// === impl SyntaxError ===

impl SyntaxError {
    pub(crate) fn at(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), function: None }
    }
}

// === impl Parser ===

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Result<Self, SyntaxError> {
        if text.len() > MAX_LEN {
            return Err(SyntaxError::at(MAX_LEN, format!("longer than {MAX_LEN} bytes")));
        }
        let tokens = tokens(text)?;
        let steps = (tokens.len() + 16) * STEPS_PER_TOKEN;
        Ok(Self { tokens, at: 0, depth: 0, steps, furthest: None })
    }

    fn statement(&mut self) -> Result<Statement, SyntaxError> {
        let name = self.name()?;
        if name.text.starts_with(|first: char| first.is_ascii_uppercase()) {
            let message = format!("editor names must start with a lower-case letter, but got {:?}", name.text);
            return Err(SyntaxError::at(name.at, message));
        }
        let editor = self.call(name)?;
        if !editor.keys.is_empty() {
            let message = format!("only paths and converters can be indexed, not the editor {:?}", editor.name.text);
            return Err(SyntaxError::at(editor.name.at, message));
        }
        let condition = match self.peek() {
            Token { kind: Kind::Lower, text, .. } if text == "where" => {
                self.at += 1;
                Some(self.boolean()?)
            }
            _ => None,
        };
        Ok(Statement { editor, condition })
    }

    fn peek(&self) -> &Token<'t> {
        self.peek_at(self.at)
    }

    /// The token at a position; behind the last one there is the end.
    fn peek_at(&self, at: usize) -> &Token<'t> {
        const END: &Token<'static> = &Token { kind: Kind::End, text: std::borrow::Cow::Borrowed(""), at: 0 };
        self.tokens.get(at).or(self.tokens.last()).unwrap_or(END)
    }

    fn kind(&self) -> Kind {
        self.peek().kind
    }

    /// Takes the next token where it is of that kind.
    fn eat(&mut self, kind: Kind) -> Option<Token<'t>> {
        if self.kind() != kind {
            return None;
        }
        let token = self.peek().clone();
        self.at += 1;
        Some(token)
    }

    fn expect(&mut self, kind: Kind) -> Result<Token<'t>, SyntaxError> {
        match self.eat(kind) {
            Some(token) => Ok(token),
            None => Err(self.unexpected(kind.describe())),
        }
    }

    /// A function name: pieces of capitals and small letters, put together.
    fn name(&mut self) -> Result<Name, SyntaxError> {
        let at = self.peek().at;
        let mut text = String::new();
        while let Token { kind: Kind::Upper | Kind::Lower, text: piece, .. } = self.peek() {
            text.push_str(piece);
            self.at += 1;
        }
        if text.is_empty() { Err(self.unexpected("a function")) } else { Ok(Name { text, at }) }
    }

    fn finish(&mut self) -> Result<(), SyntaxError> {
        if self.kind() == Kind::End { Ok(()) } else { Err(self.unexpected("the end, \"and\", \"or\" or an operator")) }
    }

    fn unexpected(&mut self, expected: &str) -> SyntaxError {
        let token = self.peek();
        let message = match token.kind {
            Kind::End => format!("ends where {expected} was expected"),
            _ => format!("unexpected {:?} where {expected} was expected", lexer::clip(&token.text)),
        };
        let error = SyntaxError::at(token.at, message);
        self.note(error.clone());
        error
    }

    fn note(&mut self, error: SyntaxError) {
        if self.furthest.as_ref().is_none_or(|known| known.at < error.at) {
            self.furthest = Some(error);
        }
    }

    fn furthest(&mut self, error: SyntaxError) -> SyntaxError {
        match self.furthest.take() {
            Some(known) if known.at > error.at => known,
            _ => error,
        }
    }

    /// Runs `inner` one level deeper.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, SyntaxError>) -> Result<T, SyntaxError> {
        let at = self.peek().at;
        if self.depth >= MAX_DEPTH {
            return Err(SyntaxError::at(at, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        let Some(steps) = self.steps.checked_sub(1) else {
            return Err(SyntaxError::at(at, "too complex: many nested expressions with operators"));
        };
        self.steps = steps;
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// Runs `inner`; where it fails, the position is as before.
    fn attempt<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, SyntaxError>) -> Result<T, SyntaxError> {
        let (at, depth) = (self.at, self.depth);
        let result = inner(self);
        if result.is_err() {
            (self.at, self.depth) = (at, depth);
        }
        result
    }
}
