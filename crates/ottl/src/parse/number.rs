//! Numbers as they are written in a text.

use super::lexer::Kind;
use super::{Parser, SyntaxError};

// === impl Parser ===

impl Parser<'_> {
    /// An integer; with a leading zero it is octal, as in Go.
    pub(super) fn int(&mut self) -> Result<i64, SyntaxError> {
        let token = self.expect(Kind::Int)?;
        let parsed = match token.text.strip_prefix('0') {
            Some(octal) if !octal.is_empty() => i64::from_str_radix(octal, 8),
            _ => token.text.parse(),
        };
        parsed.map_err(|_| {
            SyntaxError::at(token.at, format!("{:?} is no 64-bit integer", super::lexer::clip(&token.text)))
        })
    }

    pub(super) fn float(&mut self) -> Result<f64, SyntaxError> {
        let token = self.expect(Kind::Float)?;
        match token.text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            _ => Err(SyntaxError::at(token.at, format!("{:?} is no double", super::lexer::clip(&token.text)))),
        }
    }

    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, SyntaxError> {
        let token = self.expect(Kind::Bytes)?;
        let odd = || SyntaxError::at(token.at, "bytes must have an even number of hexadecimal digits");
        let digits = token.text.get(2..).unwrap_or("").as_bytes();
        let (pairs, rest) = digits.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(odd());
        }
        pairs
            .iter()
            .map(|pair| {
                let text = std::str::from_utf8(pair).map_err(|_| odd())?;
                u8::from_str_radix(text, 16).map_err(|_| odd())
            })
            .collect()
    }
}
