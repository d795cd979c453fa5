use spanmill_otlp::{AnyValue, ValueRef};

/// What the attribute `sampling.priority`, which is OpenTracing's, says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Priority {
    /// Nothing.
    Defer,
    /// Zero: drop the span.
    Drop,
    /// More than zero: keep it.
    Keep,
}

// === impl Priority ===

impl Priority {
    /// Libraries write it as an integer, a double or a text.
    pub(super) fn of(value: ValueRef<'_>) -> Self {
        match value.get() {
            AnyValue::Int(number) => Self::of_number(number as f64),
            AnyValue::Double(number) => Self::of_number(number),
            AnyValue::Text(text) => std::str::from_utf8(text).ok().and_then(parse).map_or(Self::Defer, Self::of_number),
            _ => Self::Defer,
        }
    }

    fn of_number(number: f64) -> Self {
        if number == 0.0 {
            Self::Drop
        } else if number > 0.0 {
            Self::Keep
        } else {
            Self::Defer
        }
    }
}

/// A number as Go writes them: with underscores between digits, perhaps hexadecimal. Only its sign matters here.
fn parse(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let negative = text.starts_with('-');
    if let Some(hex) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
        let number = parse_hex(hex)?;
        return Some(if negative { -number } else { number });
    }
    let number: f64 = without_underscores(text)?.parse().ok()?;
    // What is too large for a double is no number in Go, unless it says that it is infinite.
    let infinite = unsigned.starts_with(['i', 'I']);
    (number.is_finite() || number.is_nan() || infinite).then_some(number)
}

/// One for every number that is not zero: `1.8p-3`, an exponent of two is a must.
fn parse_hex(text: &str) -> Option<f64> {
    let text = without_underscores(text.strip_prefix('_').unwrap_or(text))?;
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let digits = || whole.bytes().chain(fraction.bytes());
    let valid = digits().next().is_some() && digits().all(|digit| digit.is_ascii_hexdigit());
    let valid_exponent = !exponent.is_empty() && exponent.bytes().all(|digit| digit.is_ascii_digit());
    (valid && valid_exponent).then(|| if digits().all(|digit| digit == b'0') { 0.0 } else { 1.0 })
}

/// The text without underscores, each of which must stand between digits.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_hexdigit);
    let valid = |at: usize| digit(at.checked_sub(1)) && digit(at.checked_add(1));
    let all_valid = text.match_indices('_').all(|(at, _)| valid(at));
    all_valid.then(|| text.replace('_', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: texts that Go reads as numbers, and ones that it does not.
    /// Guarantees: zero drops, more than zero keeps, anything else says nothing.
    #[test]
    fn texts() {
        for (text, expected) in [
            ("0", Priority::Drop),
            ("-0.0e3", Priority::Drop),
            ("0x0p4", Priority::Drop),
            ("1", Priority::Keep),
            ("+.5", Priority::Keep),
            ("1_000.5", Priority::Keep),
            ("0x1.8p-3", Priority::Keep),
            ("0x_1p1", Priority::Keep),
            ("Infinity", Priority::Keep),
            ("-1", Priority::Defer),
            ("-0x1p1", Priority::Defer),
            ("nan", Priority::Defer),
            ("1e999", Priority::Defer),
            ("1_", Priority::Defer),
            ("0x1", Priority::Defer),
            ("high", Priority::Defer),
            ("", Priority::Defer),
            (" 1", Priority::Defer),
        ] {
            let read = parse(text).map_or(Priority::Defer, Priority::of_number);
            assert_eq!(read, expected, "{text}");
        }
    }
}
