//! Times as people give them.

use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use spanmill_config::Duration;
use thiserror::Error;

/// A time as people give it: `1h` and `7d` ago, `now`, `2026-11-26T10:00:00Z`, `2026-11-26` (UTC), or seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// So long before now.
    Ago(SignedDuration),
    /// This time.
    At(Timestamp),
}

/// A text that is no time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no time; 15m, 2h, 7d, now, 2026-11-26, 2026-11-26T10:00:00Z and seconds since 1970 are some")]
pub struct MomentError(String);

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
        let wrong = || MomentError(text.to_owned());
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
        let midnight = text.parse::<Date>().ok().and_then(|date| date.to_zoned(TimeZone::UTC).ok());
        midnight.map(|time| Self::At(time.timestamp())).ok_or_else(wrong)
    }
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
            ("2026-11-26T10:00:00+02:00", "2026-11-26T08:00:00Z"),
            ("1764147600", "2025-11-26T09:00:00Z"),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Moment>().unwrap().at(now), expected.parse().unwrap(), "{text}");
        }
        for text in ["", "yesterday", "-1h", "-2d", "2026-13-01", "inf"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }
}
