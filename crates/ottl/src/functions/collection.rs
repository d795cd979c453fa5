//! Maps and lists.

use super::{Args, Function, ParamKind, Prepared, required};
use crate::eval::EvalError;
use crate::eval::expr::Env;
use crate::eval::val::{Val, elements, put_delimited};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::plain("Len", &[required("target", ParamKind::Any)], |args, env| len(&args.get(0, env)?).map(Val::Int)),
    Function::plain("Keys", &[required("target", ParamKind::Map)], |args, env| {
        let map = args.map(0, env)?;
        let mut out = Vec::new();
        map.each(|key, _| put_element(&mut out, &Val::Str(key.into())))?;
        Ok(Val::Slice(out.into()))
    }),
    Function::plain("Values", &[required("target", ParamKind::Map)], |args, env| {
        let map = args.map(0, env)?;
        let mut out = Vec::new();
        map.each(|_, value| {
            put_delimited(&mut out, 0x0a, value.raw());
            Ok::<_, EvalError>(())
        })?;
        Ok(Val::Slice(out.into()))
    }),
    Function::plain(
        "ContainsValue",
        &[required("target", ParamKind::List), required("item", ParamKind::Any)],
        |args, env| {
            let list = args.slice(0, env)?;
            let item = args.get(1, env)?;
            Ok(Val::Bool(elements(&list).any(|element| Val::of(element).equals(&item))))
        },
    ),
    Function::plain("Index", &[required("target", ParamKind::Any), required("value", ParamKind::Any)], |args, env| {
        let target = args.get(0, env)?;
        let value = args.get(1, env)?;
        let found = match (&target, &value) {
            (Val::Str(text), Val::Str(part)) => memchr::memmem::find(text, part),
            (Val::Str(_), other) => {
                return Err(EvalError::Type { expected: "string to search for", found: other.type_name() });
            }
            _ => {
                let list = crate::eval::convert::slice(target)?;
                elements(&list).position(|element| Val::of(element).equals(&value))
            }
        };
        Ok(Val::Int(found.map_or(-1, |at| at as i64)))
    }),
    Function::prepared("Coalesce", &[required("values", ParamKind::Anys)], |args| {
        if args.list(0).is_empty() {
            return Err("it requires at least one value".to_owned());
        }
        Ok(Box::new(Coalesce))
    }),
];

#[derive(Debug)]
struct Coalesce;

// === impl Coalesce ===

impl Prepared for Coalesce {
    fn call<'e>(&'e self, args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        for value in args.list(0) {
            let value = value.eval(env)?;
            if !value.is_nil() {
                return Ok(value);
            }
        }
        Ok(Val::Nil)
    }
}

/// Bytes of a text, elements of a list, entries of a map.
fn len(value: &Val<'_>) -> Result<i64, EvalError> {
    let len = match value {
        Val::Str(bytes) | Val::Bytes(bytes) => bytes.len(),
        Val::Map(map) => map.len(),
        Val::Slice(body) => elements(body).count(),
        Val::List(list) => list.items().len(),
        Val::Strings(items) => items.len(),
        Val::Events(span) => span.fields().filter(|field| field.number == 11).count(),
        Val::Links(span) => span.fields().filter(|field| field.number == 13).count(),
        other => return Err(EvalError::Unsupported { what: "the target of Len", found: other.type_name() }),
    };
    Ok(len as i64)
}

/// Appends an element of an `ArrayValue`.
pub(super) fn put_element(out: &mut Vec<u8>, value: &Val<'_>) -> Result<(), EvalError> {
    let mut encoded = Vec::new();
    value.encode(&mut encoded)?;
    put_delimited(out, 0x0a, &encoded);
    Ok(())
}
