//! `time_bucket('5m', time)`: the beginning of the period that a time is in.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowTimestampType, DataType, IntervalUnit, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use datafusion::common::{ScalarValue, exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use spanmill_config::Duration;

/// `time_bucket(width, time)`: times are put into periods of a width given as `INTERVAL '5 minutes'` or `'5m'`, and each becomes the
/// beginning of its period. Periods count from Monday, 5 January 1970, so that those of a week begin on Mondays.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct TimeBucket {
    signature: Signature,
}

/// The first Monday since 1970, in nanoseconds.
const ORIGIN: i64 = 4 * DAY;

const DAY: i64 = 86_400_000_000_000;

// === impl TimeBucket ===

impl TimeBucket {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for TimeBucket {
    fn name(&self) -> &str {
        "time_bucket"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [width, time] = types else { return plan_err!("time_bucket takes a width and a time") };
        let width = match width {
            DataType::Interval(_) => DataType::Interval(IntervalUnit::MonthDayNano),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => DataType::Utf8View,
            other => return plan_err!("time_bucket: {other} is no width; an interval or a text such as '5m' is"),
        };
        let time = match time {
            DataType::Timestamp(..) => time.clone(),
            DataType::Date32 | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => {
                DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
            }
            other => return plan_err!("time_bucket: {other} is no time"),
        };
        Ok(vec![width, time])
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [_, time] => Ok(time.clone()),
            _ => plan_err!("time_bucket takes a width and a time"),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [width, times] = arguments.args.as_slice() else { return exec_err!("time_bucket takes two arguments") };
        let ColumnarValue::Scalar(width) = width else {
            return exec_err!("time_bucket: the width must be the same for all rows");
        };
        let Some(width) = nanos(width)? else {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_new_null(arguments.return_field.data_type())?));
        };
        match times {
            ColumnarValue::Array(times) => Ok(ColumnarValue::Array(buckets(times, width)?)),
            ColumnarValue::Scalar(time) => {
                let bucket = buckets(&time.to_array()?, width)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&bucket, 0)?))
            }
        }
    }
}

/// The width in nanoseconds; none where it is null.
fn nanos(width: &ScalarValue) -> Result<Option<i64>> {
    let nanos = match width {
        ScalarValue::IntervalMonthDayNano(None) => return Ok(None),
        ScalarValue::IntervalMonthDayNano(Some(interval)) if interval.months != 0 => {
            return exec_err!("time_bucket: months differ in length; date_trunc('month', …) cuts at them");
        }
        ScalarValue::IntervalMonthDayNano(Some(interval)) => {
            i64::from(interval.days).checked_mul(DAY).and_then(|days| days.checked_add(interval.nanoseconds))
        }
        text => match text.try_as_str() {
            Some(Some(text)) => Some(parsed(text)?),
            _ => return Ok(None),
        },
    };
    match nanos {
        Some(nanos) if nanos > 0 => Ok(Some(nanos)),
        _ => exec_err!("time_bucket: the width must be more than nothing and less than 292 years"),
    }
}

/// Widths as text: `90s`, `5m`, `1h30m`, and also `1d` and `2w`.
fn parsed(text: &str) -> Result<i64> {
    let unit = match text.as_bytes().last() {
        Some(b'd') => Some(DAY),
        Some(b'w') => Some(7 * DAY),
        _ => None,
    };
    let nanos = match unit {
        Some(unit) => {
            let count: Option<i64> = text.get(..text.len() - 1).and_then(|count| count.parse().ok());
            count.and_then(|count| count.checked_mul(unit))
        }
        None => text.parse::<Duration>().ok().map(Duration::nanos),
    };
    match nanos {
        Some(nanos) => Ok(nanos),
        None => exec_err!("time_bucket: {text:?} is no width; 30s, 5m, 1h30m, 1d and 2w are some"),
    }
}

fn buckets(times: &ArrayRef, width: i64) -> Result<ArrayRef> {
    let DataType::Timestamp(unit, zone) = times.data_type() else { return exec_err!("time_bucket takes a time") };
    let zone = zone.clone();
    Ok(match unit {
        TimeUnit::Second => cut::<TimestampSecondType>(times, width, 1_000_000_000, zone),
        TimeUnit::Millisecond => cut::<TimestampMillisecondType>(times, width, 1_000_000, zone),
        TimeUnit::Microsecond => cut::<TimestampMicrosecondType>(times, width, 1_000, zone),
        TimeUnit::Nanosecond => cut::<TimestampNanosecondType>(times, width, 1, zone),
    })
}

fn cut<T: ArrowTimestampType>(times: &ArrayRef, width: i64, unit: i64, zone: Option<Arc<str>>) -> ArrayRef {
    // What is narrower than a unit of the column does not cut.
    let (width, origin) = ((width / unit).max(1), ORIGIN / unit);
    let times: &PrimitiveArray<T> = times.as_primitive();
    let cut = times.unary::<_, T>(|time| time.saturating_sub(time.wrapping_sub(origin).rem_euclid(width)));
    Arc::new(cut.with_timezone_opt(zone))
}

#[cfg(test)]
mod tests {
    use arrow::array::TimestampMicrosecondArray;

    use super::*;

    fn bucket(width: &str, time: &str) -> String {
        let micros = time.parse::<jiff::Timestamp>().unwrap().as_microsecond();
        let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![micros]).with_timezone("UTC"));
        let cut = buckets(&times, nanos(&ScalarValue::Utf8View(Some(width.to_owned()))).unwrap().unwrap()).unwrap();
        let cut = cut.as_primitive::<TimestampMicrosecondType>().value(0);
        jiff::Timestamp::from_microsecond(cut).unwrap().to_string()
    }

    /// Scenario: periods from seconds to weeks, before and after 1970.
    /// Guarantees: a time becomes the beginning of its period; weeks begin on Mondays.
    #[test]
    fn beginnings_of_periods() {
        assert_eq!(bucket("5m", "2026-11-26T10:14:59.9Z"), "2026-11-26T10:10:00Z");
        assert_eq!(bucket("90s", "2026-11-26T10:14:59Z"), "2026-11-26T10:13:30Z");
        assert_eq!(bucket("1d", "2026-11-26T10:14:59Z"), "2026-11-26T00:00:00Z");
        assert_eq!(bucket("1w", "2026-11-26T10:14:59Z"), "2026-11-23T00:00:00Z");
        assert_eq!(bucket("1h", "1969-12-31T23:59:59Z"), "1969-12-31T23:00:00Z");
    }

    /// Scenario: widths that make no sense.
    /// Guarantees: each is refused with a reason.
    #[test]
    fn widths_that_make_no_sense() {
        for width in ["", "0s", "-5m", "5", "m", "99999999w", "5 parsecs"] {
            assert!(nanos(&ScalarValue::Utf8View(Some(width.to_owned()))).is_err(), "{width}");
        }
        let month = ScalarValue::IntervalMonthDayNano(Some(arrow::datatypes::IntervalMonthDayNano::new(1, 0, 0)));
        assert!(nanos(&month).unwrap_err().to_string().contains("date_trunc"));
    }
}
