//! Ids of traces and spans.

use super::{Args, Function, ParamKind, Prepared, required};
use crate::context::Context;
use crate::eval::expr::{Env, Expr};
use crate::eval::val::Val;
use crate::eval::{EvalError, convert as to};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        only: Some(Context::Span),
        ..Function::plain("IsRootSpan", &[], |_, env| {
            Ok(Val::Bool(env.frame.fields.parent_span_id.iter().all(|byte| *byte == 0)))
        })
    },
    Function::prepared("TraceID", &[required("target", ParamKind::BytesLike)], |args| {
        prepare(args, |bytes| id::<16>("TraceID", bytes).map(Val::TraceId))
    }),
    Function::prepared("SpanID", &[required("target", ParamKind::BytesLike)], |args| {
        prepare(args, |bytes| id::<8>("SpanID", bytes).map(Val::SpanId))
    }),
    // The id of a profile is made like that of a trace.
    Function::prepared("ProfileID", &[required("target", ParamKind::BytesLike)], |args| {
        prepare(args, |bytes| id::<16>("ProfileID", bytes).map(Val::TraceId))
    }),
    Function::plain("UUID", &[], |_, _| Ok(Val::string(uuid::Uuid::new_v4().to_string()))),
    Function::plain("UUIDv7", &[], |_, _| Ok(Val::string(uuid::Uuid::now_v7().to_string()))),
];

#[derive(Debug)]
struct Id {
    read: fn(&[u8]) -> Result<Val<'static>, EvalError>,
}

/// A literal is checked at start.
fn prepare(args: &Args, read: fn(&[u8]) -> Result<Val<'static>, EvalError>) -> Result<Box<dyn Prepared>, String> {
    if let Some(super::Arg::Expr(Expr::Const(value))) = args.0.first() {
        let bytes = to::bytes_like(value.borrow()).map_err(|error| error.to_string())?;
        read(&bytes.unwrap_or_default()).map_err(|error| error.to_string())?;
    }
    Ok(Box::new(Id { read }))
}

/// The bytes themselves, or their hexadecimal form.
fn id<const N: usize>(name: &'static str, bytes: &[u8]) -> Result<[u8; N], EvalError> {
    if let Ok(id) = bytes.try_into() {
        return Ok(id);
    }
    let mut id = [0; N];
    let (pairs, rest) = bytes.as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return Err(EvalError::parse(name, bytes));
    }
    for (byte, pair) in id.iter_mut().zip(pairs) {
        let digits = std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|c| c.is_ascii_hexdigit()));
        *byte =
            digits.and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or_else(|| EvalError::parse(name, bytes))?;
    }
    Ok(id)
}

// === impl Id ===

impl Prepared for Id {
    fn call<'e>(&'e self, args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        let bytes = to::bytes_like(args.get(0, env)?)?.unwrap_or_default();
        (self.read)(&bytes)
    }
}
