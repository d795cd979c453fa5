//! `set` and `clear`.

use spanmill_otlp::ValueRef;

use super::{Edit, Editor};
use crate::eval::EvalError;
use crate::eval::expr::{Env, Expr};
use crate::eval::frame::Frame;
use crate::eval::given::Given;
use crate::eval::path::Path;
use crate::eval::val::Val;
use crate::functions::{ParamKind, required};

pub(super) const EDITORS: &[Editor] = &[
    Editor::new("set", &[required("target", ParamKind::Path), required("value", ParamKind::Any)], |mut given, _| {
        Ok(Box::new(Set { target: given.path()?, value: Source::new(given.expr()?) }))
    }),
    Editor::new("clear", &[required("target", ParamKind::Path)], |mut given, _| {
        Ok(Box::new(Clear { target: given.path()? }))
    }),
];

#[derive(Debug)]
struct Set {
    target: Path,
    value: Source,
}

/// Where a value comes from.
#[derive(Debug)]
enum Source {
    /// Encoded at start.
    Encoded(Box<[u8]>),
    Expr(Expr),
}

#[derive(Debug)]
struct Clear {
    target: Path,
}

// === impl Set ===

impl Edit for Set {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let value = match &self.value {
            Source::Encoded(encoded) => Given::Value(ValueRef::new(encoded)),
            Source::Expr(expr) => Given::of(expr, frame)?,
        };
        self.target.set(frame, value)
    }
}

// === impl Source ===

impl Source {
    fn new(expr: Expr) -> Self {
        let mut encoded = Vec::new();
        match &expr {
            Expr::Const(Val::Nil | Val::List(_)) => Self::Expr(expr),
            Expr::Const(value) if value.encode(&mut encoded).is_ok() => Self::Encoded(encoded.into()),
            _ => Self::Expr(expr),
        }
    }
}

// === impl Clear ===

impl Edit for Clear {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let zero = {
            let env = Env { frame: &*frame, locals: &[] };
            match self.target.get(&env)? {
                Val::Nil => Zero::Nil,
                Val::Bool(_) => Zero::Encoded(&[0x10, 0]),
                Val::Int(_) => Zero::Encoded(&[0x18, 0]),
                Val::Double(_) => Zero::Encoded(&[0x21, 0, 0, 0, 0, 0, 0, 0, 0]),
                Val::Str(_) => Zero::Encoded(&[0x0a, 0]),
                Val::Bytes(_) => Zero::Encoded(&[0x3a, 0]),
                Val::Map(_) => Zero::Encoded(&[0x32, 0]),
                Val::Slice(_) | Val::List(_) | Val::Strings(_) => Zero::Encoded(&[0x2a, 0]),
                Val::Time(_) => Zero::Time,
                Val::TraceId(_) => Zero::TraceId,
                Val::SpanId(_) => Zero::SpanId,
                // These are handles in Go, whose zero value points nowhere.
                other @ (Val::Duration(_) | Val::Events(_) | Val::Links(_) | Val::Status(_) | Val::Piece(_)) => {
                    return Err(EvalError::Unsupported { what: "what is cleared", found: other.type_name() });
                }
            }
        };
        let zero = match zero {
            Zero::Nil => Given::Nil,
            Zero::Encoded(encoded) => Given::Value(ValueRef::new(encoded)),
            // The zero of Go's times is long before 1970.
            Zero::Time => Given::Time(ZERO_TIME),
            Zero::TraceId => Given::TraceId([0; 16]),
            Zero::SpanId => Given::SpanId([0; 8]),
        };
        self.target.set(frame, zero)
    }
}

/// Nanoseconds from 1970 to the first of January of the year 1, in what 64 bits hold of them.
const ZERO_TIME: i64 = -6_795_364_578_871_345_152;

/// What is left of a value that is cleared.
enum Zero {
    Nil,
    Encoded(&'static [u8]),
    Time,
    TraceId,
    SpanId,
}
