//! Upper and lower case, snake and camel case.

use super::{Args, Function, ParamKind, Prepared, required};
use crate::eval::EvalError;
use crate::eval::expr::Env;
use crate::eval::val::Val;

const TARGET: super::Param = required("target", ParamKind::Str);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::plain("ToLowerCase", &[TARGET], |args, env| change(args, env, lower)),
    Function::plain("ToUpperCase", &[TARGET], |args, env| change(args, env, upper)),
    Function::plain("ToSnakeCase", &[TARGET], |args, env| change(args, env, snake)),
    Function::plain("ToCamelCase", &[TARGET], |args, env| change(args, env, camel)),
    Function::prepared("ConvertCase", &[TARGET, required("to_case", ParamKind::StrLiteral)], |args| {
        let change = match args.literal(1) {
            Some("lower") => lower,
            Some("upper") => upper,
            Some("snake") => snake,
            Some("camel") => camel,
            other => {
                let other = other.unwrap_or_default();
                return Err(format!("invalid case {other:?}, allowed are lower, upper, snake and camel"));
            }
        };
        Ok(Box::new(ConvertCase(change)))
    }),
];

#[derive(Debug)]
struct ConvertCase(fn(&str) -> String);

// === impl ConvertCase ===

impl Prepared for ConvertCase {
    fn call<'e>(&'e self, args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        change(args, env, self.0)
    }
}

fn change<'e>(args: &'e Args, env: &'e Env<'e>, change: fn(&str) -> String) -> Result<Val<'e>, EvalError> {
    let text = args.string(0, env)?;
    Ok(Val::string(change(&String::from_utf8_lossy(&text))))
}

/// Character by character: where the lower case is several characters, the first of them.
pub(super) fn lower(text: &str) -> String {
    text.chars().filter_map(|c| c.to_lowercase().next()).collect()
}

/// Character by character: what has no single upper-case character stays.
fn upper(text: &str) -> String {
    text.chars()
        .map(|c| {
            let mut upper = c.to_uppercase();
            match (upper.next(), upper.next()) {
                (Some(single), None) => single,
                _ => c,
            }
        })
        .collect()
}

/// `someValueHTTP2` becomes `some_value_http_2`; letters outside of ASCII are passed through.
fn snake(text: &str) -> String {
    let bytes = text.trim().as_bytes();
    let mut out = Vec::with_capacity(bytes.len() + 4);
    for (at, &byte) in bytes.iter().enumerate() {
        let written = byte.to_ascii_lowercase();
        let (upper, lower, digit) = (byte.is_ascii_uppercase(), byte.is_ascii_lowercase(), byte.is_ascii_digit());
        if let Some(next) = bytes.get(at + 1) {
            let (next_upper, next_lower) = (next.is_ascii_uppercase(), next.is_ascii_lowercase());
            let next_digit = next.is_ascii_digit();
            let border = (upper && (next_lower || next_digit))
                || (lower && (next_upper || next_digit))
                || (digit && (next_upper || next_lower));
            if border {
                let previous = at.checked_sub(1).and_then(|at| bytes.get(at));
                if upper && next_lower && previous.is_some_and(u8::is_ascii_uppercase) {
                    out.push(b'_');
                }
                out.push(written);
                if lower || digit || next_digit {
                    out.push(b'_');
                }
                continue;
            }
        }
        out.push(if matches!(byte, b' ' | b'_' | b'-' | b'.') { b'_' } else { written });
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `some_value` becomes `SomeValue`; everything but ASCII letters and digits is left out.
pub(crate) fn camel(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut capital_next = true;
    let mut after_capital = false;
    for c in text.trim().chars() {
        let capital = c.is_ascii_uppercase();
        let letter = c.is_ascii_alphabetic();
        if letter {
            out.push(if capital_next {
                c.to_ascii_uppercase()
            } else if after_capital && capital {
                c.to_ascii_lowercase()
            } else {
                c
            });
            capital_next = false;
        } else if c.is_ascii_digit() {
            out.push(c);
            capital_next = true;
        } else {
            capital_next = matches!(c, '_' | ' ' | '-' | '.');
        }
        after_capital = capital;
    }
    out
}
