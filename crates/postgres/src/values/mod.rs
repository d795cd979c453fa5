//! Values of parameters: PostgreSQL's in DataFusion's terms.

mod array;
mod binary;
mod numeric;
mod text;

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use pgwire::api::Type;
use thiserror::Error;

use crate::error::code;
use crate::types::{computed, element_of};

/// Why a value is not taken.
#[derive(Debug, Error)]
pub(crate) enum ValueError {
    #[error("values of type {0} are taken as text only")]
    TextOnly(Type),
    #[error("it is no value of type {0}")]
    Invalid(Type),
    #[error("numbers of more than 38 digits, infinite ones and NaN are not taken as numeric")]
    Number,
    #[error("arrays of several dimensions are not taken")]
    Dimensions,
}

// === impl ValueError ===

impl ValueError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::TextOnly(_) | Self::Dimensions => code::UNSUPPORTED,
            Self::Invalid(_) => code::BAD_VALUE,
            Self::Number => code::OUT_OF_RANGE,
        }
    }
}

/// A value as it came; none is null.
pub(crate) fn value(kind: &Type, bytes: Option<&[u8]>, is_binary: bool) -> Result<ScalarValue, ValueError> {
    let Some(bytes) = bytes else { return null(kind) };
    match element_of(kind) {
        Some(element) if is_binary => list(&element, &array::binary(bytes).map_err(|error| error.of(kind))?, true),
        Some(element) => list(&element, &array::text(bytes).map_err(|error| error.of(kind))?, false),
        None if is_binary => binary::value(kind, bytes),
        None => text::value(kind, std::str::from_utf8(bytes).map_err(|_| ValueError::Invalid(kind.clone()))?),
    }
}

/// No value, of a type.
pub(crate) fn null(kind: &Type) -> Result<ScalarValue, ValueError> {
    ScalarValue::try_new_null(&computed(kind)).map_err(|_| ValueError::Invalid(kind.clone()))
}

fn list(element: &Type, items: &[Option<Vec<u8>>], is_binary: bool) -> Result<ScalarValue, ValueError> {
    let values = items.iter().map(|item| value(element, item.as_deref(), is_binary));
    let mut values = values.collect::<Result<Vec<_>, _>>()?;
    let mut kind = computed(element);
    if let DataType::Decimal128(..) = kind {
        // All of them have as many digits behind the point as that with the most.
        let scale = values.iter().filter_map(|value| match value {
            ScalarValue::Decimal128(Some(_), _, scale) => Some(*scale),
            _ => None,
        });
        kind = DataType::Decimal128(38, scale.max().unwrap_or(0));
        let cast = values.iter().map(|value| value.cast_to(&kind).map_err(|_| ValueError::Number));
        values = cast.collect::<Result<_, _>>()?;
    }
    Ok(ScalarValue::List(ScalarValue::new_list(&values, &kind, true)))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::IntervalMonthDayNano;

    use super::*;

    fn binary(kind: &Type, bytes: &[u8]) -> ScalarValue {
        value(kind, Some(bytes), true).unwrap()
    }

    fn text(kind: &Type, text: &str) -> ScalarValue {
        value(kind, Some(text.as_bytes()), false).unwrap_or_else(|error| panic!("{kind} {text}: {error}"))
    }

    /// Scenario: values of many types as PostgreSQL's binary format has them, and too few bytes of each.
    /// Guarantees: they are what they were sent as; too few bytes are refused.
    #[test]
    fn binary_values() {
        let time = ScalarValue::TimestampMicrosecond(Some(946_684_800_000_001), Some("UTC".into()));
        let interval = IntervalMonthDayNano::new(2, 3, 1_000);
        let interval_bytes = [&1_i64.to_be_bytes()[..], &3_i32.to_be_bytes(), &2_i32.to_be_bytes()].concat();
        let uuid = "00010203-0405-0607-0809-0a0b0c0d0e0f".to_owned();
        // 12345.67 is 1 * 10000 + 2345 + 6700 / 10000.
        let numeric: Vec<u8> = [3_u16, 1, 0, 2, 1, 2345, 6700].iter().flat_map(|part| part.to_be_bytes()).collect();
        for (kind, bytes, wanted) in [
            (Type::BOOL, vec![1], ScalarValue::Boolean(Some(true))),
            (Type::INT2, vec![0xff, 0xfe], ScalarValue::Int16(Some(-2))),
            (Type::DATE, 1_i32.to_be_bytes().to_vec(), ScalarValue::Date32(Some(10_958))),
            (Type::TIMESTAMPTZ, 1_i64.to_be_bytes().to_vec(), time),
            (Type::INTERVAL, interval_bytes, ScalarValue::IntervalMonthDayNano(Some(interval))),
            (Type::UUID, (0..16).collect(), ScalarValue::Utf8(Some(uuid))),
            (Type::NUMERIC, numeric, ScalarValue::Decimal128(Some(1_234_567), 7, 2)),
        ] {
            assert_eq!(binary(&kind, &bytes), wanted, "{kind}");
            assert!(value(&kind, bytes.get(..bytes.len() - 1), true).is_err(), "{kind}");
            assert!(value(&kind, None, true).unwrap().is_null(), "{kind}");
        }
        assert_eq!(binary(&Type::BYTEA, b"ab"), ScalarValue::Binary(Some(b"ab".to_vec())));
        assert!(value(&Type::NUMERIC, Some(&[0, 0, 0, 0, 0xc0, 0, 0, 0]), true).is_err(), "NaN");
    }

    /// Scenario: values as text, among them a date with a zone as Java's driver writes it.
    /// Guarantees: they are what PostgreSQL reads; what is no value is refused.
    #[test]
    fn text_values() {
        let midnight = ScalarValue::TimestampMicrosecond(Some(1_767_225_600_000_000), Some("UTC".into()));
        for (kind, written, wanted) in [
            (Type::BOOL, "t", ScalarValue::Boolean(Some(true))),
            (Type::DATE, "2026-01-01 +00", ScalarValue::Date32(Some(20_454))),
            (Type::TIMESTAMPTZ, "2026-01-01 +00", midnight.clone()),
            (Type::TIMESTAMPTZ, "2026-01-01", midnight.clone()),
            (Type::TIMESTAMPTZ, "2026-01-01 02:00:00+02", midnight.clone()),
            (Type::TIMESTAMPTZ, "2026-01-01T00:00:00Z", midnight),
            (Type::FLOAT8, "-Infinity", ScalarValue::Float64(Some(f64::NEG_INFINITY))),
            (Type::NUMERIC, "-1.50", ScalarValue::Decimal128(Some(-150), 3, 2)),
            (Type::NUMERIC, "1E+3", ScalarValue::Decimal128(Some(1_000), 4, 0)),
            (Type::BYTEA, "\\x6162", ScalarValue::Binary(Some(b"ab".to_vec()))),
        ] {
            assert_eq!(text(&kind, written), wanted, "{kind} {written}");
        }
        let hour = IntervalMonthDayNano::new(0, 1, 3_600_000_000_000);
        for written in ["1 day 01:00:00", "1 day, 1:00:00", "1 days 1 hours"] {
            assert_eq!(text(&Type::INTERVAL, written), ScalarValue::IntervalMonthDayNano(Some(hour)), "{written}");
        }
        for (kind, written) in
            [(Type::INT4, "4294967296"), (Type::DATE, "soon"), (Type::NUMERIC, "1.2.3"), (Type::BOOL, "")]
        {
            assert!(value(&kind, Some(written.as_bytes()), false).is_err(), "{kind} {written}");
        }
    }

    /// Scenario: arrays in both formats, with nulls, signs that are quoted, and numbers of different lengths.
    /// Guarantees: they are lists of the same values; those of several dimensions, or cut short, are refused.
    #[test]
    fn arrays() {
        let wanted =
            |kind: &Type, items: &[ScalarValue]| ScalarValue::List(ScalarValue::new_list(items, &computed(kind), true));
        let texts = [Some("a"), None, Some("b,\"c\\"), Some("NULL"), Some("")];
        let texts = texts.map(|text| ScalarValue::Utf8(text.map(str::to_owned)));
        assert_eq!(text(&Type::TEXT_ARRAY, r#"{a, NULL ,"b,\"c\\","NULL",""}"#), wanted(&Type::TEXT, &texts));
        assert_eq!(text(&Type::INT8_ARRAY, "{}"), wanted(&Type::INT8, &[]));

        let part = |bytes: &[u8]| [&(bytes.len() as i32).to_be_bytes(), bytes].concat();
        let head = [1_i32, 1, 20, 2, 1].map(i32::to_be_bytes).concat();
        let bytes = [&head[..], &part(&7_i64.to_be_bytes()), &(-1_i32).to_be_bytes()].concat();
        let numbers = [ScalarValue::Int64(Some(7)), ScalarValue::Int64(None)];
        assert_eq!(binary(&Type::INT8_ARRAY, &bytes), wanted(&Type::INT8, &numbers));
        for end in 0..bytes.len() {
            assert!(value(&Type::INT8_ARRAY, bytes.get(..end), true).is_err(), "{end}");
        }
        let several = text(&Type::NUMERIC_ARRAY, "{1.5,2.25}");
        assert!(several.to_string().contains("1.50, 2.25"), "{several}");
        for written in ["{{1},{2}}", "{1", "1}", "{\"1", "{1}x", "{1,}"] {
            assert!(value(&Type::INT8_ARRAY, Some(written.as_bytes()), false).is_err(), "{written}");
        }
    }
}
