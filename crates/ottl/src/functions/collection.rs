//! Maps and lists.

use std::borrow::Cow;

use indexmap::IndexMap;
use spanmill_otlp::{AnyValue, ValueRef};

use super::{Args, Function, ParamKind, Prepared, optional, required};
use crate::eval::EvalError;
use crate::eval::expr::{Env, Expr};
use crate::eval::val::{MapVal, Val, elements, entries, put_delimited, put_entry};

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
    Function::prepared(
        "SliceToMap",
        &[
            required("target", ParamKind::List),
            optional("key_path", ParamKind::Anys),
            optional("value_path", ParamKind::Anys),
        ],
        |args| Ok(Box::new(SliceToMap { key: path(args, 1)?, value: path(args, 2)? })),
    ),
];

#[derive(Debug)]
struct Coalesce;

/// Where keys and values are found in the elements; without a path keys are numbers and values whole elements.
#[derive(Debug)]
struct SliceToMap {
    key: Option<Vec<Box<[u8]>>>,
    value: Option<Vec<Box<[u8]>>>,
}

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

// === impl SliceToMap ===

impl Prepared for SliceToMap {
    fn call<'e>(&'e self, args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        let list = args.slice(0, env)?;
        // Of a repeated key the last value counts, at the place of the first one.
        let mut found = IndexMap::new();
        for (at, element) in elements(&list).enumerate() {
            let inner = |path: &[Box<[u8]>]| match Val::of(element) {
                Val::Map(MapVal::Encoded(Cow::Borrowed(body))) => follow(body, path),
                other => Err(EvalError::Type { expected: "map", found: other.type_name() }),
            };
            let key = match &self.key {
                Some(path) => crate::eval::convert::string(Val::of(inner(path)?))?.into_owned(),
                None => at.to_string().into_bytes(),
            };
            let value = match &self.value {
                Some(path) => inner(path)?,
                None => element,
            };
            found.insert(key, value.raw());
        }
        let mut out = Vec::new();
        for (key, value) in found {
            put_entry(&mut out, &key, value);
        }
        Ok(Val::Map(MapVal::Encoded(out.into())))
    }
}

/// The keys of an argument that is a list of literals.
fn path(args: &Args, at: usize) -> Result<Option<Vec<Box<[u8]>>>, String> {
    if !args.has(at) {
        return Ok(None);
    }
    let keys = args.list(at).iter().map(|key| match key {
        Expr::Const(Val::Str(key)) => Ok(key.as_ref().into()),
        _ => Err("a path must be a list of strings".to_owned()),
    });
    keys.collect::<Result<_, _>>().map(Some)
}

/// The value at the end of a path through maps.
fn follow<'m>(body: &'m [u8], path: &[Box<[u8]>]) -> Result<ValueRef<'m>, EvalError> {
    let (first, rest) = path.split_first().ok_or(EvalError::Static("a path must have at least one key"))?;
    let (_, value) = entries(body).find(|(key, _)| **key == **first).ok_or(EvalError::NoKey)?;
    match (rest, value.get()) {
        ([], _) => Ok(value),
        (rest, AnyValue::Map(body)) => follow(body, rest),
        _ => Err(EvalError::NoKey),
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
        Val::Piece(piece) if let Some(len) = piece.len() => len,
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
