//! From one type to another. Nil stays nil.

use spanmill_otlp::underscores_are_fine;

use super::{Function, ParamKind, logarithm, required};
use crate::eval::number::Number;
use crate::eval::val::Val;
use crate::eval::{EvalError, convert as to};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::plain("Int", &[required("target", ParamKind::IntLike)], |args, env| {
        Ok(to::int_like(&args.get(0, env)?)?.map_or(Val::Nil, Val::Int))
    })
    .of_numbers(Number::to_int),
    Function::plain("Double", &[required("target", ParamKind::DoubleLike)], |args, env| {
        Ok(to::double_like(&args.get(0, env)?)?.map_or(Val::Nil, Val::Double))
    })
    .of_numbers(Number::to_double),
    Function::plain("Bool", &[required("target", ParamKind::BoolLike)], |args, env| {
        Ok(to::bool_like(&args.get(0, env)?)?.map_or(Val::Nil, Val::Bool))
    }),
    Function::plain("String", &[required("target", ParamKind::StrLike)], |args, env| {
        Ok(args.string_like(0, env)?.map_or(Val::Nil, Val::Str))
    }),
    Function::plain(
        "ParseInt",
        &[required("target", ParamKind::Str), required("base", ParamKind::Int)],
        |args, env| {
            let text = args.string(0, env)?;
            let base = args.int(1, env)?;
            parse_int(&text, base).map(Val::Int)
        },
    ),
    Function::plain("Log", &[required("target", ParamKind::DoubleLike)], |args, env| {
        match to::double_like(&args.get(0, env)?)? {
            Some(value) if value > 0.0 || value.is_nan() => Ok(Val::Double(logarithm::natural(value))),
            Some(_) => Err(EvalError::Static("the logarithm needs a number greater than zero")),
            None => Err(EvalError::Type { expected: "a number", found: "nil" }),
        }
    }),
];

/// An integer in a base from 2 to 36; base 0 reads the prefixes `0x`, `0o`, `0b` and `0`, and allows underscores.
fn parse_int(text: &[u8], base: i64) -> Result<i64, EvalError> {
    let wrong = || EvalError::parse("integer", text);
    let text = std::str::from_utf8(text).map_err(|_| wrong())?;
    if text.is_empty() {
        return Err(EvalError::Static("invalid target value for ParseInt: it is empty"));
    }
    if base < 0 {
        return Err(EvalError::Static("invalid base for ParseInt: it is negative"));
    }
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    if digits.starts_with(['-', '+']) || (base == 0 && !underscores_are_fine(text)) {
        return Err(wrong());
    }
    let (base, digits) = match (base, digits.get(..2).map(str::to_ascii_lowercase).as_deref()) {
        (0, Some("0x")) => (16, without_underscores(digits.get(2..).unwrap_or(""))),
        (0, Some("0o")) => (8, without_underscores(digits.get(2..).unwrap_or(""))),
        (0, Some("0b")) => (2, without_underscores(digits.get(2..).unwrap_or(""))),
        (0, Some(_)) if digits.starts_with('0') => (8, without_underscores(digits.get(1..).unwrap_or(""))),
        (0, _) => (10, without_underscores(digits)),
        (base, _) => (base, digits.to_owned()),
    };
    let base = u32::try_from(base).ok().filter(|base| (2..=36).contains(base)).ok_or_else(wrong)?;
    let sign = if negative { "-" } else { "" };
    i64::from_str_radix(&format!("{sign}{digits}"), base).map_err(|_| wrong())
}

fn without_underscores(digits: &str) -> String {
    digits.chars().filter(|c| *c != '_').collect()
}
