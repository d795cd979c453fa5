//! Decimal numbers: `numeric_in` and `numeric_recv` of PostgreSQL's `numeric.c`.

use datafusion::common::ScalarValue;
use pgwire::api::Type;

use super::ValueError;

/// So many digits fit.
const MOST_DIGITS: u8 = 38;

const NEGATIVE: u16 = 0x4000;

/// How many digits, the power of 10000 of the first, the sign, how many decimal places; then digits to the base of 10000.
pub(super) fn binary(bytes: &[u8]) -> Result<ScalarValue, ValueError> {
    let (parts, []) = bytes.as_chunks::<2>() else { return Err(ValueError::Invalid(Type::NUMERIC)) };
    let parts: Vec<u16> = parts.iter().map(|part| u16::from_be_bytes(*part)).collect();
    let [count, weight, sign, scale, digits @ ..] = parts.as_slice() else {
        return Err(ValueError::Invalid(Type::NUMERIC));
    };
    if digits.len() != usize::from(*count) {
        return Err(ValueError::Invalid(Type::NUMERIC));
    }
    if *sign != 0 && *sign != NEGATIVE {
        return Err(ValueError::Number);
    }
    let mut value = 0_i128;
    for digit in digits {
        let shifted = value.checked_mul(10_000).and_then(|value| value.checked_add(i128::from(*digit)));
        value = shifted.ok_or(ValueError::Number)?;
    }
    // The last digit counts so many powers of ten.
    let exponent = 4 * (i32::from(weight.cast_signed()) + 1 - i32::from(*count));
    let value = if *sign == NEGATIVE { -value } else { value };
    decimal(value, exponent, i32::from(*scale))
}

/// `-12.50`, or with an exponent.
pub(super) fn text(text: &str) -> Result<ScalarValue, ValueError> {
    let invalid = || ValueError::Invalid(Type::NUMERIC);
    let text = text.trim();
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i16>().map_err(|_| invalid())?.into()),
        None => (text, 0),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, part].concat();
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(&digits);
    if unsigned.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid());
    }
    if !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        let is_special = ["nan", "inf", "infinity"].iter().any(|word| unsigned.eq_ignore_ascii_case(word));
        return Err(if is_special { ValueError::Number } else { invalid() });
    }
    let value = digits.parse::<i128>().map_err(|_| ValueError::Number)?;
    let exponent = exponent - i32::try_from(part.len()).map_err(|_| ValueError::Number)?;
    decimal(value, exponent, (-exponent).max(0))
}

/// `value * 10^exponent`, with so many decimal places.
fn decimal(value: i128, exponent: i32, scale: i32) -> Result<ScalarValue, ValueError> {
    let shift = exponent.saturating_add(scale);
    let power = 10_i128.checked_pow(shift.unsigned_abs());
    let value = match power {
        _ if value == 0 => Some(0),
        Some(power) if shift >= 0 => value.checked_mul(power),
        Some(power) => value.checked_div(power),
        None => None,
    };
    let (Some(value), Ok(scale)) = (value, u8::try_from(scale)) else { return Err(ValueError::Number) };
    let digits = value.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1);
    let precision = u8::try_from(digits).unwrap_or(u8::MAX).max(scale).max(1);
    match i8::try_from(scale) {
        Ok(scale) if precision <= MOST_DIGITS => Ok(ScalarValue::Decimal128(Some(value), precision, scale)),
        _ => Err(ValueError::Number),
    }
}
