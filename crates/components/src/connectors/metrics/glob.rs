//! Patterns for names of attributes, with a point as separator: `*` and `?` do not match it, `**` does.

use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;
use thiserror::Error;

/// A pattern.
#[derive(Debug, Clone)]
pub(crate) struct Glob(Regex);

/// A text that is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum GlobError {
    /// A list or range is not closed, or has nothing in it.
    #[error("could not parse range")]
    Range,
    /// The text ends inside something.
    #[error("unexpected end of input")]
    End,
    /// It is too complex.
    #[error("too complex")]
    Complex,
}

/// Deepest nesting of alternatives.
const DEEPEST: usize = 16;

// === impl Glob ===

impl Glob {
    /// Reads a pattern: `*`, `**`, `?`, `[abc]`, `[a-z]`, `[!a-z]`, `{one,two}`, and `\` before any of these signs.
    pub(crate) fn parse(text: &str) -> Result<Self, GlobError> {
        let mut pattern = String::from("(?s)^(?:");
        let mut rest = text.chars().peekable();
        let mut depth = 0_usize;
        while let Some(c) = rest.next() {
            match c {
                '*' if rest.next_if_eq(&'*').is_some() => pattern.push_str(".*"),
                '*' => pattern.push_str("[^.]*"),
                '?' => pattern.push_str("[^.]"),
                '[' => range(&mut rest, &mut pattern)?,
                '{' => {
                    depth += 1;
                    if depth > DEEPEST {
                        return Err(GlobError::Complex);
                    }
                    pattern.push_str("(?:");
                }
                '}' if depth > 0 => {
                    depth -= 1;
                    pattern.push(')');
                }
                ',' if depth > 0 => pattern.push('|'),
                '\\' => {
                    // At the very end there is nothing that it could be about.
                    if let Some(c) = rest.next() {
                        literal(c, &mut pattern);
                    }
                }
                c => literal(c, &mut pattern),
            }
        }
        // What is not closed ends with the text.
        pattern.extend(std::iter::repeat_n(')', depth));
        pattern.push_str(")$");
        Regex::new(&pattern).map(Self).map_err(|_| GlobError::Complex)
    }

    pub(crate) fn matches(&self, name: &[u8]) -> bool {
        std::str::from_utf8(name).is_ok_and(|name| self.0.is_match(name))
    }
}

fn literal(c: char, pattern: &mut String) {
    pattern.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
}

/// The rest of `[...]`.
fn range(rest: &mut Peekable<Chars<'_>>, pattern: &mut String) -> Result<(), GlobError> {
    pattern.push('[');
    if rest.next_if_eq(&'!').is_some() {
        pattern.push('^');
    }
    let first = rest.next().ok_or(GlobError::End)?;
    if rest.next_if_eq(&'-').is_some() {
        let last = rest.next().ok_or(GlobError::End)?;
        if last < first {
            return Err(GlobError::Range);
        }
        class(first, pattern);
        pattern.push('-');
        class(last, pattern);
        match rest.next() {
            Some(']') => {}
            Some(_) => return Err(GlobError::Range),
            None => return Err(GlobError::End),
        }
    } else {
        let mut next = Some(first);
        let mut members = 0;
        loop {
            match next.ok_or(GlobError::End)? {
                ']' => break,
                '\\' => class(rest.next().ok_or(GlobError::End)?, pattern),
                c => class(c, pattern),
            }
            members += 1;
            next = rest.next();
        }
        if members == 0 {
            return Err(GlobError::Range);
        }
    }
    pattern.push(']');
    Ok(())
}

fn class(c: char, pattern: &mut String) {
    if !c.is_alphanumeric() {
        pattern.push('\\');
    }
    pattern.push(c);
}
