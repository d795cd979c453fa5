//! Bytes as text and back.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::{Function, ParamKind, optional, required};
use crate::eval::val::Val;
use crate::eval::{EvalError, convert as to};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::plain("Hex", &[required("target", ParamKind::BytesLike)], |args, env| {
        let bytes = to::bytes_like(args.get(0, env)?)?.unwrap_or_default();
        Ok(Val::string(to::hex(&bytes)))
    }),
    Function::plain(
        "Base64Encode",
        &[required("target", ParamKind::Str), optional("variant", ParamKind::Str)],
        |args, env| {
            let text = args.string(0, env)?;
            let variant = if args.has(1) { args.string(1, env)? } else { b"base64".into() };
            Ok(Val::string(match variant.as_ref() {
                b"base64" => STANDARD.encode(text),
                b"base64-raw" => STANDARD_NO_PAD.encode(text),
                b"base64-url" => URL_SAFE.encode(text),
                b"base64-raw-url" => URL_SAFE_NO_PAD.encode(text),
                other => return Err(EvalError::parse("variant of base64", other)),
            }))
        },
    ),
];
