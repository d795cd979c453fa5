//! Numbers in text, as Go's `strconv.ParseFloat` reads them.

use std::borrow::Cow;

/// A decimal number, `inf`, `infinity` or `nan` in any case. Underscores may stand between two digits. What is too large is no number.
pub(super) fn parse_float(text: &str) -> Option<f64> {
    let text = without_underscores(text)?;
    let number: f64 = text.parse().ok()?;
    let unsigned = text.trim_start_matches(['+', '-']);
    let is_word = unsigned.starts_with(|c: char| c.is_ascii_alphabetic());
    // A sign before `nan`, and a number that only became infinite by rounding, are mistakes.
    let wrong = if is_word { number.is_nan() && unsigned.len() < text.len() } else { number.is_infinite() };
    (!wrong).then_some(number)
}

/// The text without underscores; none where one stands elsewhere than between digits.
fn without_underscores(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('_') {
        return Some(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let mut underscores = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_').map(|(at, _)| at);
    underscores.all(|at| is_digit(at.checked_sub(1)) && is_digit(Some(at + 1))).then(|| text.replace('_', "").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: numbers and what looks like them.
    /// Guarantees: what Go reads is read, and nothing else; hexadecimal floats alone are not.
    #[test]
    fn numbers() {
        for (text, expected) in
            [("3.25", 3.25), ("+1.", 1.0), (".5", 0.5), ("1e3", 1000.0), ("1_000.2_5", 1000.25), ("-0", 0.0)]
        {
            assert_eq!(parse_float(text), Some(expected), "{text}");
        }
        assert_eq!(parse_float("-Infinity"), Some(f64::NEG_INFINITY));
        assert_eq!(parse_float("iNf"), Some(f64::INFINITY));
        assert!(parse_float("NaN").is_some_and(f64::is_nan));
        for text in ["", " 1", "1 ", "_1", "1_", "1__0", "1_.5", "1e999", "+nan", "1.2.3", "0x10", "abc", "."] {
            assert_eq!(parse_float(text), None, "{text}");
        }
    }
}
