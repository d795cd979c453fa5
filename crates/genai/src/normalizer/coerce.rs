//! Values brought to the type that the conventions ask for, by the rules of the Collector: nothing is lost, or nothing is written.

use std::borrow::Cow;

use serde_json::Value as Json;
use spanmill_otlp::AnyValue;

use super::conventions::Kind;
use crate::call::Written;
use crate::datum::{Datum, Strings};

/// The value in that type; nothing where it cannot be had without a loss.
pub(super) fn coerce<'a>(kind: Kind, value: Datum<'a>) -> Option<Written<'a>> {
    match kind {
        Kind::Any => verbatim(value),
        Kind::Document => document(value),
        Kind::Text => text(value).map(Written::Text),
        Kind::Int => int(&value).map(Written::Int),
        Kind::Double => double(&value).map(Written::Double),
        Kind::Bool => bool(&value).map(Written::Bool),
        Kind::Strings => strings(value).map(Written::Strings),
    }
}

fn verbatim(value: Datum<'_>) -> Option<Written<'_>> {
    Some(match value {
        Datum::Text(text) => Written::Text(text),
        Datum::Int(number) => Written::Int(number),
        Datum::Double(number) => Written::Double(number),
        Datum::Bool(flag) => Written::Bool(flag),
        Datum::Encoded(value) => Written::Encoded(value),
        Datum::Json(json) => Written::Text(Cow::Owned(json.to_string())),
        Datum::Nothing => return None,
    })
}

fn document(value: Datum<'_>) -> Option<Written<'_>> {
    match value {
        Datum::Encoded(found) if matches!(found.get(), AnyValue::Array(_) | AnyValue::Map(_)) => {
            Some(Written::Text(Cow::Owned(value.json().to_string())))
        }
        _ => verbatim(value),
    }
}

fn text(value: Datum<'_>) -> Option<Cow<'_, str>> {
    match value {
        Datum::Text(text) => Some(text),
        Datum::Int(number) => Some(Cow::Owned(number.to_string())),
        Datum::Bool(flag) => Some(Cow::Owned(flag.to_string())),
        Datum::Double(number) if number.is_finite() => Some(Cow::Owned(decimal(number))),
        _ => None,
    }
}

/// A double as Go's pdata prints it: an exponent only for what is very large or very small.
fn decimal(number: f64) -> String {
    if number == 0.0 || (1e-6..1e21).contains(&number.abs()) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    if text.contains("e-") { text } else { text.replace('e', "e+") }
}

fn int(value: &Datum<'_>) -> Option<i64> {
    // 2^63 is the first double that no integer is equal to.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    match value {
        Datum::Int(number) => Some(*number),
        Datum::Double(number) => (number.fract() == 0.0 && (-LIMIT..LIMIT).contains(number)).then_some(*number as i64),
        Datum::Text(text) => text.parse().ok(),
        _ => None,
    }
}

/// A finite number: what is none makes backends fail.
fn double(value: &Datum<'_>) -> Option<f64> {
    match value {
        Datum::Double(number) => Some(*number),
        Datum::Int(number) => Some(*number as f64),
        Datum::Text(text) => text.parse().ok(),
        _ => None,
    }
    .filter(|number| number.is_finite())
}

fn bool(value: &Datum<'_>) -> Option<bool> {
    match value {
        Datum::Bool(flag) => Some(*flag),
        Datum::Text(text) => match &**text {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn strings(value: Datum<'_>) -> Option<Strings<'_>> {
    match value {
        Datum::Text(text) => Some(Strings::One(text)),
        Datum::Encoded(array) => {
            let is_text = |item: spanmill_otlp::ValueRef<'_>| matches!(item.get(), AnyValue::Text(_));
            let right = matches!(array.get(), AnyValue::Array(_)) && array.elements().all(is_text);
            right.then_some(Strings::Encoded(array))
        }
        Datum::Json(Json::Array(items)) => {
            let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
            texts.collect::<Option<Vec<String>>>().map(Strings::Many)
        }
        _ => None,
    }
}
