//! Sampling thresholds and randomness: 56 bits each, of which the larger randomness is kept.

/// One more than the largest randomness.
const RANGE: u64 = 1 << 56;

/// Hex digits of 56 bits.
pub(super) const DIGITS: usize = 14;

/// How many of all 2^56 randomness values are rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::processors) struct Threshold(u64);

/// What a sampling decision is made by: the same for all spans of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::processors) struct Randomness(u64);

// === impl Threshold ===

impl Threshold {
    /// Rejects nothing.
    pub(in crate::processors) const ALWAYS: Self = Self(0);

    /// Rejects everything.
    pub(in crate::processors) const NEVER: Self = Self(RANGE);

    /// The least probability that can be expressed.
    pub(in crate::processors) const LEAST_PROBABILITY: f64 = 1.0 / RANGE as f64;

    /// Rejects so many of 2^56 values, at most all.
    pub(in crate::processors) fn rejecting(values: u64) -> Self {
        Self(values.min(RANGE))
    }

    /// Accepts with that probability, rounded to so many hex digits; more of them near 0 and 1, so that the relative error stays small.
    /// None where the probability cannot be expressed.
    pub(in crate::processors) fn of_probability(probability: f64, digits: i64) -> Option<Self> {
        if !(Self::LEAST_PROBABILITY..=1.0).contains(&probability) {
            return None;
        }
        if probability == 1.0 {
            return Some(Self::ALWAYS);
        }
        let extended = (digits + exponent(probability) / -4).max(digits + exponent(1.0 - probability) / -4);
        let rejected = RANGE - (probability * RANGE as f64).round() as u64;
        let shift = 4 * (DIGITS as i64 - extended.min(DIGITS as i64));
        // Less than no digit is as good as none: everything is rounded away.
        let rounded = match u32::try_from(shift) {
            Ok(0) => rejected,
            Ok(shift @ 1..=63) => ((rejected + (1 << (shift - 1))) >> shift) << shift,
            _ => 0,
        };
        Some(Self(rounded))
    }

    /// The probability to be accepted.
    pub(in crate::processors) fn probability(self) -> f64 {
        (RANGE - self.0) as f64 / RANGE as f64
    }

    /// Whether that randomness is accepted.
    pub(in crate::processors) fn admits(self, randomness: Randomness) -> bool {
        self.0 <= randomness.0
    }

    /// Reads a `th` value: 1 to 14 hex digits, of which trailing zeros were left out.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        Some(Self(hex(text)? << (4 * (DIGITS - text.len()))))
    }

    /// Appends it as a `th` value. There is none that rejects everything.
    pub(super) fn put(self, out: &mut Vec<u8>) {
        if self == Self::ALWAYS {
            out.push(b'0');
            return;
        }
        let mut text = [0; DIGITS];
        put_hex(self.0, &mut text);
        let digits = text.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
        out.extend_from_slice(text.get(..digits).unwrap_or(&text));
    }
}

// === impl Randomness ===

impl Randomness {
    /// Accepted by every threshold but the one that rejects everything.
    pub(in crate::processors) const LARGEST: Self = Self(RANGE - 1);

    /// The lower 56 bits of a number.
    pub(in crate::processors) fn of_bits(bits: u64) -> Self {
        Self(bits & (RANGE - 1))
    }

    /// The randomness of a trace id, as W3C's Trace Context level 2 has it.
    pub(in crate::processors) fn of_trace_id(id: &[u8; 16]) -> Self {
        Self::of_bits(u128::from_be_bytes(*id) as u64)
    }

    /// Reads an `rv` value: 14 hex digits.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        if text.len() == DIGITS { hex(text).map(Self) } else { None }
    }

    /// Appends it as an `rv` value.
    pub(super) fn put(self, out: &mut Vec<u8>) {
        let mut text = [0; DIGITS];
        put_hex(self.0, &mut text);
        out.extend_from_slice(&text);
    }
}

/// The number that up to 14 hex digits stand for.
fn hex(text: &[u8]) -> Option<u64> {
    if !(1..=DIGITS).contains(&text.len()) {
        return None;
    }
    text.iter().try_fold(0, |number, digit| Some(number << 4 | u64::from(char::from(*digit).to_digit(16)?)))
}

fn put_hex(number: u64, text: &mut [u8; DIGITS]) {
    let mut left = number;
    for place in text.iter_mut().rev() {
        let digit = (left & 0xf) as u8;
        *place = if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
        left >>= 4;
    }
}

/// The exponent of a normal number that is written as a fraction from one half to one: C's `frexp`.
fn exponent(number: f64) -> i64 {
    (number.to_bits() >> 52 & 0x7ff) as i64 - 1022
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(threshold: Threshold) -> String {
        let mut out = Vec::new();
        threshold.put(&mut out);
        String::from_utf8(out).unwrap()
    }

    /// Scenario: probabilities of all sizes, with several precisions.
    /// Guarantees: the texts are those of the specification and of the Collector; what cannot be expressed is none.
    #[test]
    fn probabilities_as_texts() {
        let written = |probability, digits| Threshold::of_probability(probability, digits).map(text);
        for (probability, digits, expected) in [
            (1.0, 4, "0"),
            (0.5, 4, "8"),
            (0.25, 1, "c"),
            (0.1, 4, "e666"),
            (1.0 / 3.0, 14, "aaaaaaaaaaaaac"),
            (0.01, 4, "fd70a"),
            (0.999, 4, "004189"),
            (Threshold::LEAST_PROBABILITY, 4, "ffffffffffffff"),
            (0.3, -2, "0"),
        ] {
            assert_eq!(written(probability, digits).as_deref(), Some(expected), "{probability} {digits}");
        }
        for probability in [0.0, -1.0, 1.1, f64::NAN, Threshold::LEAST_PROBABILITY / 2.0] {
            assert_eq!(written(probability, 4), None);
        }
    }

    /// Scenario: texts of thresholds and of randomness, good ones and bad ones.
    /// Guarantees: they come back as they were; bad ones are none; the randomness of a trace id is its last seven bytes.
    #[test]
    fn texts_are_read() {
        for given in ["0", "8", "fd70a", "00419", "ffffffffffffff"] {
            assert_eq!(Threshold::parse(given.as_bytes()).map(text).as_deref(), Some(given));
        }
        for given in ["", "x", "-1", "fffffffffffffff", "0x8"] {
            assert_eq!(Threshold::parse(given.as_bytes()), None, "{given}");
        }
        let randomness = Randomness::parse(b"00aAbbccddeeff").unwrap();
        let mut out = Vec::new();
        randomness.put(&mut out);
        assert_eq!(out, b"00aabbccddeeff");
        assert_eq!(Randomness::parse(b"abc"), None);
        assert_eq!(
            Randomness::of_trace_id(&[7, 7, 7, 7, 7, 7, 7, 7, 9, 0, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff]),
            randomness
        );
        assert!(Threshold::ALWAYS.admits(Randomness::of_bits(0)));
        assert!(!Threshold::NEVER.admits(Randomness::LARGEST));
    }
}
