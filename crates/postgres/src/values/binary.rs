//! Single values in PostgreSQL's binary format: the `…recv` functions of its `utils/adt`.

use arrow::datatypes::IntervalMonthDayNano;
use datafusion::common::ScalarValue;
use pgwire::api::Type;
use uuid::Uuid;

use super::{ValueError, numeric};

/// PostgreSQL counts time from 2000, in microseconds.
const EPOCH: i64 = 946_684_800_000_000;

/// Days from 1970 to then.
const EPOCH_DAY: i32 = 10_957;

pub(super) fn value(kind: &Type, bytes: &[u8]) -> Result<ScalarValue, ValueError> {
    let read = match *kind {
        Type::NUMERIC => return numeric::binary(bytes),
        Type::BOOL => fixed(bytes).map(|[byte]: [u8; 1]| ScalarValue::Boolean(Some(byte != 0))),
        Type::INT2 => fixed(bytes).map(|bytes| ScalarValue::Int16(Some(i16::from_be_bytes(bytes)))),
        Type::INT4 => fixed(bytes).map(|bytes| ScalarValue::Int32(Some(i32::from_be_bytes(bytes)))),
        Type::INT8 => fixed(bytes).map(|bytes| ScalarValue::Int64(Some(i64::from_be_bytes(bytes)))),
        Type::OID => fixed(bytes).map(|bytes| ScalarValue::Int64(Some(u32::from_be_bytes(bytes).into()))),
        Type::FLOAT4 => fixed(bytes).map(|bytes| ScalarValue::Float32(Some(f32::from_be_bytes(bytes)))),
        Type::FLOAT8 => fixed(bytes).map(|bytes| ScalarValue::Float64(Some(f64::from_be_bytes(bytes)))),
        Type::BYTEA => Some(ScalarValue::Binary(Some(bytes.to_vec()))),
        Type::UUID => fixed(bytes).map(|bytes| ScalarValue::Utf8(Some(Uuid::from_bytes(bytes).to_string()))),
        Type::DATE => {
            let days = fixed(bytes).and_then(|bytes| i32::from_be_bytes(bytes).checked_add(EPOCH_DAY));
            days.map(|days| ScalarValue::Date32(Some(days)))
        }
        Type::TIME => fixed(bytes).map(|bytes| ScalarValue::Time64Microsecond(Some(i64::from_be_bytes(bytes)))),
        Type::TIMESTAMP => time(bytes).map(|time| ScalarValue::TimestampMicrosecond(Some(time), None)),
        Type::TIMESTAMPTZ => time(bytes).map(|time| ScalarValue::TimestampMicrosecond(Some(time), Some("UTC".into()))),
        Type::INTERVAL => interval(bytes),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::CHAR | Type::UNKNOWN | Type::JSON => text(bytes),
        // A version stands before the text.
        Type::JSONB => bytes.strip_prefix(&[1]).and_then(text),
        _ => return Err(ValueError::TextOnly(kind.clone())),
    };
    read.ok_or_else(|| ValueError::Invalid(kind.clone()))
}

fn fixed<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

fn text(bytes: &[u8]) -> Option<ScalarValue> {
    std::str::from_utf8(bytes).ok().map(|text| ScalarValue::Utf8(Some(text.to_owned())))
}

/// Times that no clock reaches, such as `infinity`, are the last that there is.
fn time(bytes: &[u8]) -> Option<i64> {
    fixed(bytes).map(|bytes| i64::from_be_bytes(bytes).saturating_add(EPOCH))
}

/// Microseconds, days and months.
fn interval(bytes: &[u8]) -> Option<ScalarValue> {
    let (micros, rest) = bytes.split_first_chunk()?;
    let (days, rest) = rest.split_first_chunk()?;
    let months = fixed(rest).map(i32::from_be_bytes)?;
    let nanos = i64::from_be_bytes(*micros).checked_mul(1_000)?;
    let interval = IntervalMonthDayNano::new(months, i32::from_be_bytes(*days), nanos);
    Some(ScalarValue::IntervalMonthDayNano(Some(interval)))
}
