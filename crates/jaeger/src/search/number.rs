//! Numbers as they are typed and stored.

use std::cmp::Ordering;

/// A number. Whole ones are compared as such: as doubles, those beyond 2^53 are equal to their neighbours.
#[derive(Debug, Clone, Copy)]
pub enum Number {
    /// An integer.
    Whole(i64),
    /// Any other.
    Real(f64),
}

/// Units of durations, in seconds, the longer names first.
const UNITS: [(&str, f64); 7] =
    [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];

/// From here on, doubles are no integers of 64 bits.
const BEYOND: f64 = 9_223_372_036_854_775_808.0;

// === impl Number ===

impl Number {
    /// A number as people write it: not the names that floating point has for what is none.
    pub(super) fn plain(text: &str) -> Option<Self> {
        if let Ok(whole) = text.parse() {
            return Some(Self::Whole(whole));
        }
        let digits = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
        if digits { text.parse().ok().map(Self::Real) } else { None }
    }

    /// With the unit of a duration, which a space may part from it, or without.
    pub(super) fn with_unit(text: &str) -> Option<Self> {
        if let Some(plain) = Self::plain(text) {
            return Some(plain);
        }
        UNITS.iter().find_map(|(unit, seconds)| {
            let count = Self::plain(text.strip_suffix(unit)?.trim_end())?.real();
            // Divided rather than multiplied, since 22 / 1e3 is 0.022 and 22 * 0.001 is not.
            Some(Self::Real(if *seconds < 1.0 { count / (1.0 / seconds).round() } else { count * seconds }))
        })
    }

    /// The nearest double.
    pub(super) fn real(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Real(real) => real,
        }
    }
}

/// Without rounding.
fn compare(whole: i64, real: f64) -> Option<Ordering> {
    if real.is_nan() {
        return None;
    }
    if real >= BEYOND {
        return Some(Ordering::Less);
    }
    if real < -BEYOND {
        return Some(Ordering::Greater);
    }
    let order = whole.cmp(&(real.trunc() as i64));
    Some(order.then(0.0_f64.total_cmp(&(real.fract() + 0.0))))
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (*self, *other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(&b)),
            (Self::Real(a), Self::Real(b)) => a.partial_cmp(&b),
            (Self::Whole(whole), Self::Real(real)) => compare(whole, real),
            (Self::Real(real), Self::Whole(whole)) => compare(whole, real).map(Ordering::reverse),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: integers beside 2^53 and at the ends of their range, doubles around them, and what is no number.
    /// Guarantees: none is rounded before it is compared.
    #[test]
    fn nothing_is_rounded() {
        let (whole, real) = (Number::Whole, Number::Real);
        assert!(whole(9_007_199_254_740_993) > whole(9_007_199_254_740_992));
        assert!(whole(9_007_199_254_740_993) > real(9_007_199_254_740_992.0));
        assert!(whole(i64::MAX) < real(BEYOND) && whole(i64::MIN) == real(-BEYOND) && whole(i64::MIN) > real(-1e19));
        assert!(whole(2) < real(2.5) && whole(-2) > real(-2.5) && real(-0.5) < whole(0) && whole(0) == real(-0.0));
        assert_eq!(whole(1).partial_cmp(&real(f64::NAN)), None);
    }

    /// Scenario: durations with units, next to them or not, and what has no unit that is known.
    /// Guarantees: the former are seconds, the latter no numbers.
    #[test]
    fn units() {
        for (text, seconds) in [("5 s", 5.0), ("5s", 5.0), ("22ms", 0.022), ("1.5 h", 5400.0), ("7", 7.0)] {
            assert_eq!(Number::with_unit(text), Some(Number::Real(seconds)), "{text}");
        }
        for text in ["5sec", "2,000", "2k", "s", " s", "inf", "NaN", ""] {
            assert_eq!(Number::with_unit(text), None, "{text}");
        }
    }
}
