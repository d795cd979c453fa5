//! Times as people give them.

use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use spanmill_config::Duration;
use thiserror::Error;

/// A time as people give it: `1h` and `7d` ago, `now`, `2026-11-26T10:00:00Z`, `2026-11-26T10:00` and `2026-11-26` in UTC, or seconds since
/// 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// So long before now.
    Ago(SignedDuration),
    /// This time.
    At(Timestamp),
}

/// A text that is no time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MomentError {
    /// Nothing that is known.
    #[error("{0:?} is no time; 15m, 2h, 7d, now, 2026-11-26, 2026-11-26T10:00:00Z and seconds since 1970 are some")]
    Unknown(String),
    /// A date that reads as a number.
    #[error("{0:?} is no time: as seconds since 1970 it is hardly meant, and the date is {1}")]
    Digits(String, Date),
}

// === impl Moment ===

impl Moment {
    /// The time it means, if it is `now`.
    pub fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Ago(ago) => now.checked_sub(ago).unwrap_or(Timestamp::MIN),
        }
    }
}

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        let wrong = || MomentError::Unknown(text.to_owned());
        let days = |count: &str, unit: i64| {
            let count: i64 = count.parse().ok().filter(|count| *count >= 0)?;
            Some(Self::Ago(SignedDuration::from_secs(count.checked_mul(unit)?)))
        };
        let text = text.trim();
        if text == "now" {
            return Ok(Self::Ago(SignedDuration::ZERO));
        }
        if let Some(found) = text.strip_suffix('d').and_then(|count| days(count, 86_400)) {
            return Ok(found);
        }
        if let Some(found) = text.strip_suffix('w').and_then(|count| days(count, 7 * 86_400)) {
            return Ok(found);
        }
        if let Some(date) = date_of_digits(text) {
            return Err(MomentError::Digits(text.to_owned(), date));
        }
        if let Ok(seconds) = text.parse::<f64>() {
            let time =
                SignedDuration::try_from_secs_f64(seconds).ok().and_then(|since| Timestamp::from_duration(since).ok());
            return time.map(Self::At).ok_or_else(wrong);
        }
        if let Ok(duration) = text.parse::<Duration>() {
            return if duration.is_negative() {
                Err(wrong())
            } else {
                Ok(Self::Ago(SignedDuration::from_nanos(duration.nanos())))
            };
        }
        if let Ok(time) = text.parse::<Timestamp>() {
            return Ok(Self::At(time));
        }
        // The name of a zone would be passed over.
        let civil = if text.contains('[') { None } else { text.parse::<DateTime>().ok() };
        let time = civil.and_then(|time| time.to_zoned(TimeZone::UTC).ok());
        time.map(|time| Self::At(time.timestamp())).ok_or_else(wrong)
    }
}

/// The date that eight digits are: whoever writes them means no second of the year 1970.
fn date_of_digits(text: &str) -> Option<Date> {
    let is_date = text.len() == 8 && text.bytes().all(|digit| digit.is_ascii_digit());
    text.parse().ok().filter(|_| is_date)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: every way to give a time, and texts that are none.
    /// Guarantees: each means what it says; the others are refused.
    #[test]
    fn ways_to_give_a_time() {
        let now: Timestamp = "2026-11-26T10:00:00Z".parse().unwrap();
        let cases = [
            ("1h30m", "2026-11-26T08:30:00Z"),
            ("7d", "2026-11-19T10:00:00Z"),
            ("1w", "2026-11-19T10:00:00Z"),
            ("now", "2026-11-26T10:00:00Z"),
            ("2026-11-26", "2026-11-26T00:00:00Z"),
            ("2026-11-26T08:15:30", "2026-11-26T08:15:30Z"),
            ("2026-11-26T08:15", "2026-11-26T08:15:00Z"),
            ("2026-11-26 08:15:30", "2026-11-26T08:15:30Z"),
            ("2026-11-26 08:15:30.25Z", "2026-11-26T08:15:30.25Z"),
            ("2026-11-26T10:00:00+02:00", "2026-11-26T08:00:00Z"),
            ("1764147600", "2025-11-26T09:00:00Z"),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Moment>().unwrap().at(now), expected.parse().unwrap(), "{text}");
        }
        for text in
            ["", "yesterday", "-1h", "-2d", "2026-13-01", "inf", "2026-11-26T10:00[Europe/Berlin]", "2026-11-26T25:00"]
        {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }

    /// Scenario: a date without its hyphens.
    /// Guarantees: it is not taken as seconds, and the error has the date.
    #[test]
    fn a_date_of_digits() {
        insta::assert_snapshot!("20261128".parse::<Moment>().unwrap_err(), @r#""20261128" is no time: as seconds since 1970 it is hardly meant, and the date is 2026-11-28"#);
    }
}
