//! What type a value has. Nil is of no type.

use super::{Args, Function, ParamKind, required};
use crate::eval::EvalError;
use crate::eval::expr::Env;
use crate::eval::piece::Piece;
use crate::eval::val::Val;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::plain("IsString", &[required("target", ParamKind::Str)], |args, env| {
        is(args, env, |value| matches!(value, Val::Str(_)))
    }),
    Function::plain("IsInt", &[required("target", ParamKind::Int)], |args, env| {
        is(args, env, |value| matches!(value, Val::Int(_)))
    }),
    Function::plain("IsDouble", &[required("target", ParamKind::Double)], |args, env| {
        is(args, env, |value| matches!(value, Val::Double(_)))
    }),
    Function::plain("IsBool", &[required("target", ParamKind::Bool)], |args, env| {
        is(args, env, |value| matches!(value, Val::Bool(_)))
    }),
    Function::plain("IsMap", &[required("target", ParamKind::Map)], |args, env| {
        is(args, env, |value| matches!(value, Val::Map(_)))
    }),
    Function::plain("IsList", &[required("target", ParamKind::Any)], |args, env| {
        is(args, env, |value| {
            matches!(
                value,
                Val::Slice(_)
                    | Val::List(_)
                    | Val::Strings(_)
                    | Val::Events(_)
                    | Val::Links(_)
                    | Val::Piece(Piece::Bounds(_) | Piece::Points(_) | Piece::Exemplars(_) | Piece::Quantiles(_))
            )
        })
    }),
    Function::plain("IsValidLuhn", &[required("target", ParamKind::StrLike)], |args, env| {
        let text = args.string_like(0, env)?.ok_or(EvalError::Type { expected: "a number", found: "nil" })?;
        is_valid_luhn(&text).map(Val::Bool)
    }),
    Function::plain("IsEmpty", &[required("target", ParamKind::Any)], |args, env| is(args, env, is_empty)),
];

fn is<'e>(args: &'e Args, env: &'e Env<'e>, test: fn(&Val<'_>) -> bool) -> Result<Val<'e>, EvalError> {
    Ok(Val::Bool(test(&args.get(0, env)?)))
}

/// Nil, and the zero of every type.
fn is_empty(value: &Val<'_>) -> bool {
    match value {
        Val::Nil => true,
        Val::Bool(value) => !value,
        Val::Int(value) => *value == 0,
        Val::Double(value) => *value == 0.0,
        Val::Str(text) => text.is_empty(),
        Val::Bytes(bytes) => bytes.is_empty(),
        Val::Map(map) => map.len() == 0,
        Val::Slice(body) => crate::eval::val::elements(body).next().is_none(),
        Val::List(list) => list.items().is_empty(),
        Val::Strings(items) => items.is_empty(),
        Val::Duration(nanos) => *nanos == 0,
        Val::TraceId(id) => id.iter().all(|byte| *byte == 0),
        Val::SpanId(id) => id.iter().all(|byte| *byte == 0),
        Val::Time(_) | Val::Events(_) | Val::Links(_) | Val::Status(_) | Val::Piece(_) => false,
    }
}

/// Whether the last digit is the check digit of those before it, as in the numbers of payment cards. Blanks do not count.
fn is_valid_luhn(text: &[u8]) -> Result<bool, EvalError> {
    let mut sum = 0;
    let mut digits = 0;
    for byte in text.iter().rev().filter(|byte| **byte != b' ') {
        let digit = match byte {
            b'0'..=b'9' => u64::from(byte - b'0'),
            _ => return Err(EvalError::parse("number", text)),
        };
        sum += match digits % 2 {
            0 => digit,
            _ => digit * 2 - if digit > 4 { 9 } else { 0 },
        };
        digits += 1;
    }
    Ok(digits > 0 && sum % 10 == 0)
}
