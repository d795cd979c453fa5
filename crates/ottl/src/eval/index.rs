//! Keys: what they are at run time, and what they lead to.

use std::borrow::Cow;

use spanmill_otlp::{AnyValue, ValueRef};

use super::EvalError;
use super::expr::{Env, Key};
use super::val::{MapVal, Val, elements, entries};

/// A key as the name of a map entry.
pub(crate) fn map_key<'e>(key: &'e Key, env: &'e Env<'e>) -> Result<Cow<'e, [u8]>, EvalError> {
    match key {
        Key::String(key) => Ok(Cow::Borrowed(key.as_bytes())),
        Key::Int(_) => Err(EvalError::Type { expected: "string as key of a map", found: "int" }),
        Key::Expr(expr) => match expr.eval(env)? {
            Val::Str(key) => Ok(key),
            other => Err(EvalError::Type { expected: "string as key of a map", found: other.type_name() }),
        },
    }
}

/// A key as the index of a list.
pub(crate) fn list_index(key: &Key, env: &Env<'_>) -> Result<i64, EvalError> {
    match key {
        Key::Int(index) => Ok(*index),
        Key::String(_) => Err(EvalError::Type { expected: "int as index of a list", found: "string" }),
        Key::Expr(expr) => match expr.eval(env)? {
            Val::Int(index) => Ok(index),
            other => Err(EvalError::Type { expected: "int as index of a list", found: other.type_name() }),
        },
    }
}

/// Follows keys into a received value. A missing map entry is nil; an index out of bounds is an error.
pub(crate) fn index_value<'e>(value: ValueRef<'e>, keys: &'e [Key], env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
    let mut value = value;
    for key in keys {
        match value.get() {
            AnyValue::Map(body) => {
                let name = map_key(key, env)?;
                match entries(body).find(|(found, _)| *found == name.as_ref()) {
                    Some((_, found)) => value = found,
                    None => return Ok(Val::Nil),
                }
            }
            AnyValue::Array(body) => {
                let index = list_index(key, env)?;
                value = nth(elements(body), index)?;
            }
            _ => return Err(EvalError::Unsupported { what: "an indexed value", found: Val::of(value).type_name() }),
        }
    }
    Ok(Val::of(value))
}

/// Follows keys into the result of a function. Unlike in a path a missing map entry is an error.
pub(crate) fn index_result<'e>(value: Val<'e>, keys: &'e [Key], env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
    let mut value = value;
    for key in keys {
        let key = match key {
            Key::String(key) => Val::text(key),
            Key::Int(index) => Val::Int(*index),
            Key::Expr(expr) => expr.eval(env)?,
        };
        value = match (key, value) {
            (Val::Str(name), Val::Map(map)) => owned_entry(map, &name)?,
            (Val::Int(index), Val::Slice(Cow::Borrowed(body))) => Val::of(nth(elements(body), index)?),
            (Val::Int(index), Val::Slice(Cow::Owned(body))) => Val::of(nth(elements(&body), index)?).into_owned()?,
            (Val::Int(index), Val::List(list)) => nth(list.into_vec().into_iter(), index)?,
            (Val::Int(index), Val::Strings(items)) => Val::Str(nth(items.into_iter(), index)?),
            (Val::Int(index), Val::Bytes(bytes)) => Val::Int(i64::from(nth(bytes.iter().copied(), index)?)),
            (Val::Str(_) | Val::Int(_), other) => {
                return Err(EvalError::Unsupported { what: "an indexed value", found: other.type_name() });
            }
            (key, _) => return Err(EvalError::Type { expected: "string or int as key", found: key.type_name() }),
        };
    }
    Ok(value)
}

fn owned_entry<'e>(map: MapVal<'e>, name: &[u8]) -> Result<Val<'e>, EvalError> {
    match map {
        MapVal::Encoded(Cow::Borrowed(body)) => {
            entries(body).find(|(found, _)| *found == name).map(|(_, value)| Val::of(value)).ok_or(EvalError::NoKey)
        }
        map => match map.get(name) {
            Some(value) => Val::of(value).into_owned(),
            None => Err(EvalError::NoKey),
        },
    }
}

fn nth<T>(mut items: impl Iterator<Item = T>, index: i64) -> Result<T, EvalError> {
    let at = usize::try_from(index).map_err(|_| EvalError::Bounds(index))?;
    items.nth(at).ok_or(EvalError::Bounds(index))
}
