//! Doubles as Go's `strconv` formats them.

/// Digits of a number: `0.d1d2d3... * 10^point`.
struct Digits {
    digits: String,
    point: i32,
}

/// By a verb; without a precision as many digits are written as it takes to read the same number back.
pub(super) fn format(value: f64, verb: char, precision: Option<usize>) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let size = value.abs();
    if size.is_infinite() {
        return format!("{sign}Inf");
    }
    let text = match (verb, precision) {
        ('f', Some(precision)) => format!("{size:.precision$}"),
        ('e' | 'E', Some(precision)) => exponent(&format!("{size:.precision$e}")),
        ('f', None) => format!("{size}"),
        ('e' | 'E', None) => exponent(&format!("{size:e}")),
        ('x' | 'X', precision) => hexadecimal(size, precision),
        ('b', _) => binary(size),
        (_, precision) => general(size, precision),
    };
    let text = if verb.is_ascii_uppercase() { text.to_uppercase() } else { text };
    format!("{sign}{text}")
}

/// With a decimal point in any case, and with the zeros at the end that were left out.
pub(super) fn keep_zeros(number: &str, verb: char, precision: Option<usize>) -> String {
    let mut digits = match verb {
        'g' | 'G' | 'x' => precision.unwrap_or(6),
        _ => 0,
    };
    let hexadecimal = matches!(verb, 'x' | 'X');
    let end =
        number.find(|c| matches!(c, 'p' | 'P') || (!hexadecimal && matches!(c, 'e' | 'E'))).unwrap_or(number.len());
    let (number, tail) = number.split_at(end);
    let unsigned = number.trim_start_matches('-');
    let significant = unsigned.chars().filter(|c| *c != '.').skip_while(|c| *c == '0').count();
    digits = digits.saturating_sub(significant);
    let mut out = number.to_owned();
    if !number.contains('.') {
        if unsigned == "0" {
            digits = digits.saturating_sub(1);
        }
        out.push('.');
    }
    out + &"0".repeat(digits) + tail
}

/// Exponents have a sign and at least two digits.
fn exponent(text: &str) -> String {
    match text.split_once('e') {
        None => text.to_owned(),
        Some((digits, exponent)) => {
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            format!("{digits}e{sign}{exponent:0>2}")
        }
    }
}

/// `%g`: with an exponent where it is small or large.
fn general(size: f64, precision: Option<usize>) -> String {
    let precision = precision.map(|precision| precision.max(1));
    let Digits { digits, point } = match precision {
        None => Digits::read(&format!("{size:e}")),
        Some(precision) => Digits::read(&format!("{size:.*e}", precision - 1)),
    };
    let count = digits.len() as i32;
    // The point lies behind that many digits at most.
    let limit = match precision {
        None => 6,
        Some(precision) if precision as i32 > count && count >= point => count,
        Some(precision) => precision as i32,
    };
    if point - 1 < -4 || point > limit {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        return exponent(&format!("{first}{dot}{rest}e{}", point - 1));
    }
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    match usize::try_from(point) {
        Ok(point) if point > 0 && point >= digits.len() => digits.clone() + &zeros(point as i32 - count),
        Ok(point) if point > 0 => {
            let (whole, fraction) = digits.split_at(point);
            format!("{whole}.{fraction}")
        }
        _ if digits == "0" => digits,
        _ => format!("0.{}{digits}", zeros(-point)),
    }
}

/// `0x1.8p+01`
fn hexadecimal(size: f64, precision: Option<usize>) -> String {
    let (mut mantissa, mut power) = parts(size);
    if mantissa == 0 {
        power = 0;
    } else {
        let shift = mantissa.leading_zeros() as i32 - 11;
        mantissa <<= shift;
        power += 52 - shift;
    }
    if let Some(precision) = precision.filter(|precision| *precision < 13) {
        let dropped = 52 - 4 * precision;
        let half = 1_u64 << (dropped - 1);
        let rest = mantissa & ((1 << dropped) - 1);
        mantissa >>= dropped;
        if rest > half || (rest == half && mantissa & 1 == 1) {
            mantissa += 1;
        }
        mantissa <<= dropped;
        if mantissa >> 53 != 0 {
            mantissa >>= 1;
            power += 1;
        }
    }
    let fraction = format!("{:013x}", mantissa & ((1 << 52) - 1));
    let fraction = match precision {
        None => fraction.trim_end_matches('0').to_owned(),
        Some(precision) => format!("{fraction:0<precision$}").get(..precision).unwrap_or("").to_owned(),
    };
    let dot = if fraction.is_empty() { "" } else { "." };
    let sign = if power < 0 { '-' } else { '+' };
    format!("0x{}{dot}{fraction}p{sign}{:02}", mantissa >> 52, power.abs())
}

/// `4503599627370496p-52`
fn binary(size: f64) -> String {
    let (mantissa, power) = parts(size);
    format!("{mantissa}p{power:+}")
}

/// `mantissa * 2^power`
fn parts(size: f64) -> (u64, i32) {
    let bits = size.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    match (bits >> 52) as i32 {
        0 => (fraction, -1074),
        power => (fraction | 1 << 52, power - 1075),
    }
}

// === impl Digits ===

impl Digits {
    /// From `d.ddde±x`, without zeros at the end.
    fn read(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        let trimmed = digits.trim_end_matches('0');
        if trimmed.is_empty() {
            return Self { digits: "0".to_owned(), point: 0 };
        }
        Self { digits: trimmed.to_owned(), point: exponent.parse().unwrap_or(0) + 1 }
    }
}
