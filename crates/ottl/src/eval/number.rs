//! Numbers that are computed from numbers alone, without the detour by values: most statements compute with nothing else.

use spanmill_otlp::AnyValue;

use super::compare::{floats, ordered};
use super::convert::truncate;
use super::expr::Expr;
use super::frame::Frame;
use super::path::Path;
use super::val::Val;
use crate::ast::{CompareOp, MathOp};

/// A number of either kind.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number {
    Int(i64),
    Double(f64),
}

// === impl Number ===

impl Number {
    pub(crate) fn to_int(self) -> Self {
        match self {
            Self::Int(value) => Self::Int(value),
            Self::Double(value) => Self::Int(truncate(value)),
        }
    }

    pub(crate) fn to_double(self) -> Self {
        Self::Double(self.as_double())
    }

    fn as_double(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Double(value) => value,
        }
    }

    /// Integers stay integers, also when divided; with a double on either side both are doubles. Nothing where it is divided by zero.
    #[inline]
    pub(crate) fn compute(self, op: MathOp, other: Self) -> Option<Self> {
        Some(match (self, other) {
            (Self::Int(a), Self::Int(b)) => Self::Int(match op {
                MathOp::Add => a.wrapping_add(b),
                MathOp::Sub => a.wrapping_sub(b),
                MathOp::Mul => a.wrapping_mul(b),
                MathOp::Div if b == 0 => return None,
                MathOp::Div => a.wrapping_div(b),
            }),
            (a, b) => {
                let (a, b) = (a.as_double(), b.as_double());
                Self::Double(match op {
                    MathOp::Add => a + b,
                    MathOp::Sub => a - b,
                    MathOp::Mul => a * b,
                    MathOp::Div if b == 0.0 => return None,
                    MathOp::Div => a / b,
                })
            }
        })
    }

    /// Compares two numbers, across kinds too.
    #[inline]
    pub(crate) fn compare(self, op: CompareOp, other: Self) -> bool {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => ordered(Ord::cmp(&a, &b), op),
            (a, b) => floats(a.as_double(), b.as_double(), op),
        }
    }

    /// Encodes an `AnyValue` into the buffer, and gives the part of it that is used.
    #[inline]
    pub(crate) fn encode(self, buffer: &mut [u8; 11]) -> &[u8] {
        const INT: u8 = 0x18;
        const DOUBLE: u8 = 0x21;
        let mut out = buffer.iter_mut();
        let mut len = 0;
        let mut push = |byte| {
            if let Some(place) = out.next() {
                *place = byte;
                len += 1;
            }
        };
        match self {
            Self::Int(value) => {
                push(INT);
                let mut rest = value as u64;
                while rest >= 0x80 {
                    push(rest as u8 | 0x80);
                    rest >>= 7;
                }
                push(rest as u8);
            }
            Self::Double(value) => {
                push(DOUBLE);
                value.to_le_bytes().into_iter().for_each(push);
            }
        }
        buffer.get(..len).unwrap_or(&[])
    }
}

impl From<Number> for Val<'_> {
    fn from(number: Number) -> Self {
        match number {
            Number::Int(value) => Self::Int(value),
            Number::Double(value) => Self::Double(value),
        }
    }
}

// === impl Expr ===

impl Expr {
    /// The number that the expression gives, where nothing but numbers goes into it. Otherwise [`Expr::eval`] knows what it gives, or why
    /// it fails.
    #[inline]
    pub(crate) fn number(&self, frame: &Frame<'_>) -> Option<Number> {
        match self {
            Self::Path(Path::Attribute { level, slot, rest }) if rest.is_empty() => {
                match frame.slot(*level, *slot)?.get() {
                    AnyValue::Int(value) => Some(Number::Int(value)),
                    AnyValue::Double(value) => Some(Number::Double(value)),
                    _ => None,
                }
            }
            Self::Path(Path::Field(field)) => field.number(frame),
            Self::Const(Val::Int(value)) => Some(Number::Int(*value)),
            Self::Const(Val::Double(value)) => Some(Number::Double(*value)),
            Self::Math(left, op, right) => left.composed_number(frame)?.compute(*op, right.composed_number(frame)?),
            Self::Call(call) => call.number(frame),
            _ => None,
        }
    }

    /// The same, not written out at every call.
    #[inline(never)]
    pub(crate) fn composed_number(&self, frame: &Frame<'_>) -> Option<Number> {
        self.number(frame)
    }
}

/// Whether two expressions, both of numbers, compare like that; nothing where they are not.
#[inline]
pub(crate) fn compare_numbers(left: &Expr, op: CompareOp, right: &Expr, frame: &Frame<'_>) -> Option<bool> {
    Some(left.number(frame)?.compare(op, right.number(frame)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number() -> impl Strategy<Value = Number> {
        let ints = prop_oneof![any::<i64>(), -3_i64..300, Just(i64::MIN)];
        let doubles = prop_oneof![any::<f64>(), Just(0.0), Just(f64::NAN), -3.0..3.0];
        prop_oneof![ints.prop_map(Number::Int), doubles.prop_map(Number::Double)]
    }

    proptest! {
        /// Scenario: any two numbers.
        /// Guarantees: they are encoded and compared as values are.
        #[test]
        fn numbers_are_values(a in number(), b in number()) {
            let mut expected = Vec::new();
            Val::from(a).encode(&mut expected).expect("a number can be encoded");
            let mut buffer = [0; 11];
            prop_assert_eq!(a.encode(&mut buffer), expected);
            use CompareOp::{Eq, Ge, Gt, Le, Lt, Ne};
            for op in [Eq, Ne, Lt, Le, Ge, Gt] {
                prop_assert_eq!(a.compare(op, b), super::super::compare::compare(&a.into(), op, &b.into()));
            }
        }
    }
}
