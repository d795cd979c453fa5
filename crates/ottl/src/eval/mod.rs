//! Running compiled expressions on a request.

pub(crate) mod assign;
pub(crate) mod bool;
pub(crate) mod client;
pub(crate) mod compare;
pub(crate) mod convert;
pub(crate) mod draft;
pub(crate) mod edits;
pub(crate) mod expr;
pub(crate) mod fields;
pub(crate) mod frame;
pub(crate) mod given;
pub(crate) mod index;
pub(crate) mod json;
pub(crate) mod keyed;
pub(crate) mod level;
pub(crate) mod log;
pub(crate) mod math;
pub(crate) mod metric;
pub(crate) mod number;
pub(crate) mod path;
pub(crate) mod piece;
pub(crate) mod point;
pub(crate) mod point_field;
pub(crate) mod record;
pub(crate) mod set_field;
pub(crate) mod slots;
pub(crate) mod table;
pub(crate) mod val;

use thiserror::Error;

/// Why an expression has no value for this span.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EvalError {
    /// A value of another type was needed.
    #[error("expected {expected} but got {found}")]
    Type {
        /// The type needed.
        expected: &'static str,
        /// The type found.
        found: &'static str,
    },
    /// A type that cannot be used there.
    #[error("{what} cannot be of type {found}")]
    Unsupported {
        /// What was to be made or read.
        what: &'static str,
        /// The type found.
        found: &'static str,
    },
    /// An index outside of a list.
    #[error("index {0} out of bounds")]
    Bounds(i64),
    /// A map has no such key, where one is required.
    #[error("key not found in map")]
    NoKey,
    /// A division.
    #[error("attempted to divide by 0")]
    DivideByZero,
    /// A text that is not what it should be.
    #[error("{what}: cannot read {text:?}")]
    Parse {
        /// What was to be read.
        what: &'static str,
        /// The beginning of the text.
        text: Box<str>,
    },
    /// Something known beforehand.
    #[error("{0}")]
    Static(&'static str),
    /// Anything else.
    #[error("{0}")]
    Message(Box<str>),
}

// === impl EvalError ===

impl EvalError {
    pub(crate) fn parse(what: &'static str, text: &[u8]) -> Self {
        let start = text.get(..text.len().min(64)).unwrap_or(text);
        Self::Parse { what, text: String::from_utf8_lossy(start).into() }
    }

    pub(crate) fn message(message: impl Into<Box<str>>) -> Self {
        Self::Message(message.into())
    }
}
