//! Bytes as text and back.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::{Alphabet, STANDARD as PLAIN, URL_SAFE as URL};
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::charset::Charset;
use super::{Args, Function, ParamKind, Prepared, optional, required};
use crate::eval::expr::Env;
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
    Function::prepared("Decode", &[required("target", ParamKind::Any), required("encoding", ParamKind::Str)], |args| {
        let known = match args.literal(1) {
            Some(name) => Some(Decoder::find(name).ok_or_else(|| format!("unsupported encoding {name:?}"))?),
            None => None,
        };
        Ok(Box::new(Decode { known }))
    }),
];

/// Decoding; the decoder where its name is written in the text.
#[derive(Debug)]
struct Decode {
    known: Option<Decoder>,
}

#[derive(Debug)]
enum Decoder {
    Base64(Box<GeneralPurpose>),
    Text(Charset),
}

// === impl Decoder ===

impl Decoder {
    fn find(name: &str) -> Option<Self> {
        // What is left of the bits of the last character need not be zero.
        let base64 = |alphabet: &Alphabet, padding| {
            let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
            let config = config.with_decode_padding_mode(padding);
            Self::Base64(Box::new(GeneralPurpose::new(alphabet, config)))
        };
        Some(match name {
            "base64" => base64(&PLAIN, DecodePaddingMode::RequireCanonical),
            "base64-raw" => base64(&PLAIN, DecodePaddingMode::RequireNone),
            "base64-url" => base64(&URL, DecodePaddingMode::RequireCanonical),
            "base64-raw-url" => base64(&URL, DecodePaddingMode::RequireNone),
            name => Self::Text(Charset::find(name)?),
        })
    }

    fn decode(&self, text: &[u8]) -> Result<Vec<u8>, EvalError> {
        match self {
            Self::Text(charset) => Ok(charset.decode(text)),
            Self::Base64(engine) => {
                let lines: Vec<u8> = text.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
                engine.decode(lines).map_err(|_| EvalError::parse("base 64", text))
            }
        }
    }
}

// === impl Decode ===

impl Prepared for Decode {
    fn call<'e>(&'e self, args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        let target = args.get(0, env)?;
        let computed;
        let decoder = match &self.known {
            Some(known) => known,
            None => {
                let name = args.string(1, env)?;
                let found = std::str::from_utf8(&name).ok().and_then(Decoder::find);
                computed = found.ok_or_else(|| EvalError::parse("name of an encoding", &name))?;
                &computed
            }
        };
        match target {
            Val::Str(text) | Val::Bytes(text) => decoder.decode(&text).map(|text| Val::Str(Cow::Owned(text))),
            other => Err(EvalError::Unsupported { what: "a text to decode", found: other.type_name() }),
        }
    }
}
