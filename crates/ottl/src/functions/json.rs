//! JSON text as maps and lists.

use serde_json::Value as Json;

use super::{Function, ParamKind, required};
use crate::eval::EvalError;
use crate::eval::val::{MapVal, Val, put_delimited, put_entry};

pub(super) const FUNCTIONS: &[Function] =
    &[Function::plain("ParseJSON", &[required("target", ParamKind::Str)], |args, env| {
        let text = args.string(0, env)?;
        // The parser bounds nesting to 128 levels.
        let parsed: Json = serde_json::from_slice(&text).map_err(|_| EvalError::parse("JSON", &text))?;
        match &parsed {
            Json::Array(_) => Ok(Val::Slice(list(&parsed).into())),
            Json::Object(_) => Ok(Val::Map(MapVal::Encoded(map(&parsed).into()))),
            _ => Err(EvalError::parse("JSON object or array", &text)),
        }
    })];

/// The elements as an encoded `ArrayValue`.
fn list(value: &Json) -> Vec<u8> {
    let mut out = Vec::new();
    for item in value.as_array().into_iter().flatten() {
        put_delimited(&mut out, 0x0a, &any(item));
    }
    out
}

/// The entries as an encoded `KeyValueList`.
fn map(value: &Json) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, item) in value.as_object().into_iter().flatten() {
        put_entry(&mut out, key.as_bytes(), &any(item));
    }
    out
}

/// An encoded `AnyValue`. Every number is a double, as in Go.
fn any(value: &Json) -> Vec<u8> {
    let mut out = Vec::new();
    match value {
        Json::Null => {}
        Json::Bool(value) => spanmill_otlp::put_any_value(&mut out, &spanmill_otlp::Value::Bool(*value)),
        Json::Number(number) => {
            let value = number.as_f64().unwrap_or(0.0);
            spanmill_otlp::put_any_value(&mut out, &spanmill_otlp::Value::Double(value));
        }
        Json::String(text) => spanmill_otlp::put_any_value(&mut out, &spanmill_otlp::Value::Str(text)),
        Json::Array(_) => put_delimited(&mut out, 0x2a, &list(value)),
        Json::Object(_) => put_delimited(&mut out, 0x32, &map(value)),
    }
    out
}
