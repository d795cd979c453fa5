//! Numbers in text, as Go's `strconv.ParseFloat` reads them.

/// The NaN that Go makes.
const NAN: u64 = 0x7ff8_0000_0000_0001;

/// A decimal or hexadecimal number (`0x1.8p3`), `inf`, `infinity` or `nan` in any case. Underscores may stand between digits. What is too large is
/// no number.
pub fn parse_float(text: &str) -> Option<f64> {
    if !underscores_are_fine(text) {
        return None;
    }
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    let number = hexadecimal(&plain).or_else(|| plain.parse::<f64>().ok())?;
    let is_signed = plain.starts_with(['+', '-']);
    if number.is_nan() {
        return (!is_signed).then_some(f64::from_bits(NAN));
    }
    // A number that only became infinite by rounding is a mistake.
    (number.is_finite() || !plain.bytes().any(|byte| byte.is_ascii_digit())).then_some(number)
}

/// Underscores stand between digits, or between the prefix of a base and a digit.
pub fn underscores_are_fine(number: &str) -> bool {
    if !number.contains('_') {
        return true;
    }
    let number = number.strip_prefix(['-', '+']).unwrap_or(number);
    let base = number.get(..2).unwrap_or("").to_ascii_lowercase();
    let prefix = matches!(base.as_str(), "0x" | "0b" | "0o");
    let mut before = if prefix { '0' } else { '^' };
    for c in number.chars().skip(if prefix { 2 } else { 0 }) {
        let digit = c.is_ascii_digit() || (base == "0x" && c.is_ascii_hexdigit());
        if (c == '_' && before != '0') || (c != '_' && !digit && before == '_') {
            return false;
        }
        before = match c {
            '_' => '_',
            _ if digit => '0',
            _ => '^',
        };
    }
    before != '_'
}

/// `0x1.8p3`
fn hexadecimal(text: &str) -> Option<f64> {
    let (sign, size) = text.strip_prefix('-').map_or((1.0, text), |size| (-1.0, size));
    let size = size.strip_prefix('+').filter(|_| sign > 0.0).unwrap_or(size);
    let size = size.strip_prefix("0x").or(size.strip_prefix("0X"))?;
    let (mantissa, power) = size.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.chars().chain(fraction.chars());
    if digits().next().is_none() || !digits().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let power: i32 = power.strip_prefix('+').unwrap_or(power).parse().ok()?;
    let value = digits().fold(0.0, |value, digit| value * 16.0 + f64::from(digit.to_digit(16).unwrap_or(0)));
    let power = i64::from(power) - 4 * fraction.len() as i64;
    Some(sign * value * 2.0_f64.powi(power.clamp(-2000, 2000) as i32))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: numbers and what looks like them.
    /// Guarantees: what Go reads is read, to the bit, and nothing else.
    #[test]
    fn numbers() {
        for (text, expected) in [
            ("3.25", 3.25),
            ("+1.", 1.0),
            (".5", 0.5),
            ("1e3", 1000.0),
            ("1_000.2_5", 1000.25),
            ("-0", 0.0),
            ("0x1.8p3", 12.0),
            ("-0X_1p-2", -0.25),
            ("0x.8p1", 1.0),
        ] {
            assert_eq!(parse_float(text), Some(expected), "{text}");
        }
        assert_eq!(parse_float("-Infinity"), Some(f64::NEG_INFINITY));
        assert_eq!(parse_float("iNf"), Some(f64::INFINITY));
        assert_eq!(parse_float("NaN").map(f64::to_bits), Some(NAN));
        let wrong =
            ["", " 1", "1 ", "_1", "1_", "1__0", "1_.5", "1e999", "+nan", "1.2.3", "0x10", "0x1p", "0xp1", "abc", "."];
        for text in wrong {
            assert_eq!(parse_float(text), None, "{text}");
        }
    }
}
