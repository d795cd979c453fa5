//! Single values that are written out: the `…in` functions of PostgreSQL's `utils/adt`.

use datafusion::common::ScalarValue;
use pgwire::api::Type;

use super::{ValueError, numeric};
use crate::types::computed;

/// How long a date is that is written out.
const DATE: usize = "2026-01-01".len();

pub(super) fn value(kind: &Type, text: &str) -> Result<ScalarValue, ValueError> {
    let word = text.trim();
    let read = match *kind {
        Type::NUMERIC => return numeric::text(word),
        Type::BOOL => boolean(word).map(|value| ScalarValue::Boolean(Some(value))),
        Type::INT2 => word.parse().ok().map(|value| ScalarValue::Int16(Some(value))),
        Type::INT4 => word.parse().ok().map(|value| ScalarValue::Int32(Some(value))),
        Type::INT8 => word.parse().ok().map(|value| ScalarValue::Int64(Some(value))),
        Type::OID => word.parse::<u32>().ok().map(|value| ScalarValue::Int64(Some(value.into()))),
        Type::FLOAT4 => word.parse().ok().map(|value| ScalarValue::Float32(Some(value))),
        Type::FLOAT8 => word.parse().ok().map(|value| ScalarValue::Float64(Some(value))),
        Type::BYTEA => bytes(text).map(|bytes| ScalarValue::Binary(Some(bytes))),
        // What follows a date is passed over, as PostgreSQL does.
        Type::DATE => cast(kind, word.split([' ', 'T']).next().unwrap_or_default().to_owned()),
        Type::TIMESTAMP | Type::TIMESTAMPTZ => cast(kind, with_time(word)),
        Type::TIME => cast(kind, word.to_owned()),
        Type::INTERVAL => cast(kind, with_units(word)),
        _ => Some(ScalarValue::Utf8(Some(text.to_owned()))),
    };
    read.ok_or_else(|| ValueError::Invalid(kind.clone()))
}

/// DataFusion reads what it has as a type.
fn cast(kind: &Type, text: String) -> Option<ScalarValue> {
    ScalarValue::Utf8(Some(text)).cast_to(&computed(kind)).ok().filter(|value| !value.is_null())
}

/// A zone may follow a date at once; Java's driver writes `2026-01-01 +00`.
fn with_time(text: &str) -> String {
    match text.split_at_checked(DATE) {
        Some((date, zone)) if zone.trim_start().starts_with(['+', '-', 'Z']) => {
            format!("{date} 00:00:00{}", zone.trim_start())
        }
        _ => text.to_owned(),
    }
}

/// Hours, minutes and seconds are named, as DataFusion wants them; Python writes `1 day, 1:00:00`.
fn with_units(text: &str) -> String {
    let named = |word: &str| {
        let (sign, clock) = word.split_at(word.len() - word.trim_start_matches(['+', '-']).len());
        let units = clock.split(':').zip(["hours", "mins", "secs"]);
        units.map(|(count, unit)| format!("{sign}{count} {unit}")).collect::<Vec<_>>().join(" ")
    };
    let words = text.split([' ', ',']).filter(|word| !word.is_empty());
    words.map(|word| if word.contains(':') { named(word) } else { word.to_owned() }).collect::<Vec<_>>().join(" ")
}

fn boolean(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "t" | "true" | "y" | "yes" | "on" | "1" => Some(true),
        "f" | "false" | "n" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// In hexadecimal digits; otherwise as they are, where nothing is escaped.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let Some(digits) = text.strip_prefix("\\x") else {
        return (!text.contains('\\')).then(|| text.as_bytes().to_vec());
    };
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    let byte = |pair: &[u8; 2]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    pairs.iter().map(byte).collect()
}
