//! Durations as Go writes them.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};

/// A length of time in nanoseconds, written like `1h30m`, `2.5s`, `200ms` or `0`; may be negative.
///
/// A plain number counts nanoseconds, as in the Collector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    nanos: i64,
}

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// The text does not follow the form.
    #[error("invalid duration {0:?}: expected numbers with units, like 1h30m, 2.5s or 200ms")]
    Invalid(String),
    /// A number without a unit.
    #[error("missing unit in duration {0:?}: expected one of ns, us, ms, s, m, h")]
    MissingUnit(String),
    /// A unit that does not exist.
    #[error("unknown unit {1:?} in duration {0:?}: expected one of ns, us, ms, s, m, h")]
    UnknownUnit(String, String),
    /// More than 292 years.
    #[error("duration {0:?} is too long")]
    Overflow(String),
}

// === impl Duration ===

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self { nanos: 0 };

    /// A duration of `nanos` nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self { nanos }
    }

    /// A duration of `millis` milliseconds.
    pub const fn from_millis(millis: u32) -> Self {
        Self { nanos: millis as i64 * 1_000_000 }
    }

    /// A duration of `seconds` seconds.
    pub const fn from_secs(seconds: u32) -> Self {
        Self { nanos: seconds as i64 * 1_000_000_000 }
    }

    /// The nanoseconds.
    pub const fn nanos(self) -> i64 {
        self.nanos
    }

    /// Whether it is less than zero.
    pub const fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// Whether it is exactly zero.
    pub const fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// The standard library's duration; negative ones become zero.
    pub fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_nanos(u64::try_from(self.nanos).unwrap_or(0))
    }

    /// The standard library's duration when it is more than zero, for options where zero or less means "never".
    pub fn positive(self) -> Option<std::time::Duration> {
        (self.nanos > 0).then(|| self.to_std())
    }
}

impl From<std::time::Duration> for Duration {
    /// Longer than 292 years becomes 292 years.
    fn from(duration: std::time::Duration) -> Self {
        Self { nanos: i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX) }
    }
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, text.get(1..).unwrap_or_default()),
            Some(b'+') => (false, text.get(1..).unwrap_or_default()),
            _ => (false, text),
        };
        if unsigned == "0" {
            return Ok(Self::ZERO);
        }
        if unsigned.is_empty() {
            return Err(DurationError::Invalid(text.to_owned()));
        }
        let mut total: u128 = 0;
        let mut rest = unsigned;
        while !rest.is_empty() {
            let (nanos, after) = parse_part(rest, text)?;
            total = total.saturating_add(nanos);
            rest = after;
        }
        let total = i128::try_from(total).unwrap_or(i128::MAX);
        let nanos = i64::try_from(if negative { -total } else { total });
        nanos.map(Self::from_nanos).map_err(|_| DurationError::Overflow(text.to_owned()))
    }
}

impl fmt::Display for Duration {
    /// As Go shows it: `1h30m0s`, `2.5s`, `200ms`, `0s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.nanos < 0 { "-" } else { "" };
        let nanos = self.nanos.unsigned_abs();
        match nanos {
            0 => f.write_str("0s"),
            1..1_000 => write!(f, "{sign}{nanos}ns"),
            1_000..1_000_000 => write!(f, "{sign}{}us", decimal(nanos, 1_000)),
            1_000_000..1_000_000_000 => write!(f, "{sign}{}ms", decimal(nanos, 1_000_000)),
            _ => {
                let minutes = nanos / 60_000_000_000;
                let seconds = decimal(nanos % 60_000_000_000, 1_000_000_000);
                match (minutes / 60, minutes % 60) {
                    (0, 0) => write!(f, "{sign}{seconds}s"),
                    (0, minutes) => write!(f, "{sign}{minutes}m{seconds}s"),
                    (hours, minutes) => write!(f, "{sign}{hours}h{minutes}m{seconds}s"),
                }
            }
        }
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DurationVisitor)
    }
}

struct DurationVisitor;

impl<'de> Visitor<'de> for DurationVisitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration like 200ms or 1h30m")
    }

    fn visit_unit<E: Error>(self) -> Result<Duration, E> {
        Ok(Duration::ZERO)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, nanos: i64) -> Result<Duration, E> {
        Ok(Duration { nanos })
    }

    #[expect(clippy::cast_possible_truncation, reason = "checked to be in range; the fraction is dropped on purpose")]
    fn visit_f64<E: Error>(self, nanos: f64) -> Result<Duration, E> {
        const LIMIT: f64 = 9_223_372_036_854_775_808.0;
        if (-LIMIT..LIMIT).contains(&nanos) {
            Ok(Duration { nanos: nanos as i64 })
        } else {
            Err(E::custom(format_args!("duration {nanos} is too long")))
        }
    }

    fn visit_u64<E: Error>(self, nanos: u64) -> Result<Duration, E> {
        i64::try_from(nanos)
            .map(Duration::from_nanos)
            .map_err(|_| E::custom(format_args!("duration {nanos} is too long")))
    }
}

/// Reads one number with its unit from the front of `rest`; gives nanoseconds and what is left.
fn parse_part<'a>(rest: &'a str, text: &str) -> Result<(u128, &'a str), DurationError> {
    let invalid = || DurationError::Invalid(text.to_owned());
    let overflow = || DurationError::Overflow(text.to_owned());

    let (whole, after_whole) = split_while(rest, |byte| byte.is_ascii_digit());
    let (fraction, after_number) = match after_whole.strip_prefix('.') {
        Some(after_dot) => split_while(after_dot, |byte| byte.is_ascii_digit()),
        None => ("", after_whole),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(invalid());
    }
    let (unit, after) = split_while(after_number, |byte| byte != b'.' && !byte.is_ascii_digit());
    let scale: u64 = match unit {
        "" => return Err(DurationError::MissingUnit(text.to_owned())),
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        other => return Err(DurationError::UnknownUnit(text.to_owned(), other.to_owned())),
    };

    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| overflow())? };
    let nanos = whole.checked_mul(u128::from(scale)).ok_or_else(overflow)?;
    let nanos = nanos.checked_add(u128::from(fraction_nanos(fraction, scale))).ok_or_else(overflow)?;
    Ok((nanos, after))
}

/// The fraction of a unit in nanoseconds, rounded as the Collector does.
#[expect(clippy::cast_possible_truncation, reason = "less than one unit")]
#[expect(clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "the rounding is part of the form")]
fn fraction_nanos(fraction: &str, unit: u64) -> u64 {
    let mut digits: u64 = 0;
    let mut divisor: f64 = 1.0;
    for digit in fraction.bytes() {
        let next = digits.checked_mul(10).and_then(|tens| tens.checked_add(u64::from(digit - b'0')));
        match next.filter(|next| i64::try_from(*next).is_ok()) {
            Some(next) => digits = next,
            None => break,
        }
        divisor *= 10.0;
    }
    (digits as f64 * (unit as f64 / divisor)) as u64
}

fn split_while(text: &str, belongs: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|byte| !belongs(byte)).unwrap_or(text.len());
    text.split_at(end)
}

/// `nanos / unit` with as many decimals as it has.
fn decimal(nanos: u64, unit: u64) -> String {
    let whole = nanos / unit;
    let digits = unit.ilog10() as usize;
    let fraction = format!("{:0digits$}", nanos % unit);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { whole.to_string() } else { format!("{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Duration;

    /// Scenario: durations in every form that Go takes.
    /// Guarantees: the same number of nanoseconds.
    #[test]
    fn accepted_forms() {
        for (text, nanos) in [
            ("0", 0),
            ("+0", 0),
            ("5s", 5_000_000_000),
            ("1m30s", 90_000_000_000),
            ("1.5h", 5_400_000_000_000),
            ("-200ms", -200_000_000),
            ("3us", 3_000),
            ("3\u{b5}s", 3_000),
            ("3\u{3bc}s", 3_000),
            ("7ns", 7),
            (".5s", 500_000_000),
            ("5.s", 5_000_000_000),
            ("1h1h", 7_200_000_000_000),
            ("0.3333333333333333333h", 1_200_000_000_000),
            ("9223372036854775807ns", i64::MAX),
            ("-9223372036854775808ns", i64::MIN),
        ] {
            assert_eq!(text.parse::<Duration>().map(Duration::nanos), Ok(nanos), "{text}");
        }
    }

    /// Scenario: texts that Go does not take.
    /// Guarantees: refused with what is wrong.
    #[test]
    fn refused_forms() {
        for text in
            ["", "-", "5", "5 s", "1d", "5S", ".s", "s", "9223372036854775808ns", "9999999999h", "--5s", "5s ", "1e3s"]
        {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
        insta::assert_snapshot!("5".parse::<Duration>().unwrap_err(), @r#"missing unit in duration "5": expected one of ns, us, ms, s, m, h"#);
        insta::assert_snapshot!("5 s".parse::<Duration>().unwrap_err(), @r#"unknown unit " s" in duration "5 s": expected one of ns, us, ms, s, m, h"#);
        insta::assert_snapshot!("s".parse::<Duration>().unwrap_err(), @r#"invalid duration "s": expected numbers with units, like 1h30m, 2.5s or 200ms"#);
        insta::assert_snapshot!("9999999999h".parse::<Duration>().unwrap_err(), @r#"duration "9999999999h" is too long"#);
    }

    proptest! {
        /// Scenario: any duration, shown.
        /// Guarantees: what is shown is read as the same duration.
        #[test]
        fn shown_durations_are_read(nanos in any::<i64>()) {
            let duration = Duration::from_nanos(nanos);
            // Digits behind the point are rounded as Go rounds them, which may lose a nanosecond.
            let read: Duration = duration.to_string().parse().unwrap();
            prop_assert!(i128::from(read.nanos()).abs_diff(nanos.into()) <= 1, "{duration}: {read}");
        }

        /// Scenario: arbitrary text.
        /// Guarantees: a duration or an error, never a panic.
        #[test]
        fn arbitrary_text_is_survived(text in "[-+.0-9hmsun\u{b5}]{0,20}|.*") {
            let _ = text.parse::<Duration>();
        }
    }
}
