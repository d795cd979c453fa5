//! What samplers write into the W3C trace state of a span: `ot=th:8;rv:...`.

use thiserror::Error;

/// How many spans a whole 56-bit threshold stands for: the adjusted count of a span with the threshold `t` is this, divided
/// by this less `t`.
pub const MAX_ADJUSTED_COUNT: u64 = 1 << 56;

/// A trace state that is not well-formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("failed to parse w3c tracestate: invalid syntax")]
pub struct InvalidTraceState;

/// The longest of everything, in bytes, and how many members there may be at most.
const LONGEST: usize = 1024;
const LONGEST_OTEL: usize = 256;
const LONGEST_KEY: usize = 256;
const LONGEST_TENANT: usize = 241;
const LONGEST_SYSTEM: usize = 14;
const MOST_MEMBERS: usize = 31;
/// Hexadecimal digits of 56 bits.
const DIGITS: usize = 14;

/// The rejection threshold in OpenTelemetry's member, below [`MAX_ADJUSTED_COUNT`]; none where no sampler has written one.
///
/// # Errors
///
/// Fails where the trace state is not of the W3C's grammar, or OpenTelemetry's member not of its own.
pub fn sampling_threshold(state: &[u8]) -> Result<Option<u64>, InvalidTraceState> {
    if state.is_empty() {
        return Ok(None);
    }
    if state.len() > LONGEST {
        return Err(InvalidTraceState);
    }
    let mut threshold = None;
    for (number, member) in state.split(|byte| *byte == b',').enumerate() {
        let member = trim(member);
        if member.is_empty() {
            // A comma at the end opens no member.
            continue;
        }
        if number >= MOST_MEMBERS {
            return Err(InvalidTraceState);
        }
        let (key, value) = cut(member, b'=').ok_or(InvalidTraceState)?;
        if !is_key(key) || !is_value(value) {
            return Err(InvalidTraceState);
        }
        if key == b"ot" {
            threshold = otel(value)?;
        }
    }
    Ok(threshold)
}

fn otel(value: &[u8]) -> Result<Option<u64>, InvalidTraceState> {
    if value.len() > LONGEST_OTEL {
        return Err(InvalidTraceState);
    }
    let mut threshold = None;
    for member in value.split(|byte| *byte == b';') {
        let (key, value) = cut(member, b':').ok_or(InvalidTraceState)?;
        let well_formed = matches!(key.first(), Some(b'a'..=b'z'))
            && key.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            && value.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        match key {
            _ if !well_formed => return Err(InvalidTraceState),
            b"rv" if value.len() == DIGITS => drop(hexadecimal(value)?),
            b"rv" => return Err(InvalidTraceState),
            b"th" if (1..=DIGITS).contains(&value.len()) => {
                threshold = Some(hexadecimal(value)? << (4 * (DIGITS - value.len())));
            }
            b"th" => return Err(InvalidTraceState),
            _ => {}
        }
    }
    Ok(threshold)
}

fn hexadecimal(digits: &[u8]) -> Result<u64, InvalidTraceState> {
    digits.iter().try_fold(0, |number, digit| {
        let digit = char::from(*digit).to_digit(16).ok_or(InvalidTraceState)?;
        Ok(number << 4 | u64::from(digit))
    })
}

/// Both sides of the first separator, where there is one and something before it.
fn cut(member: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = member.iter().position(|byte| *byte == separator).filter(|at| *at > 0)?;
    Some((member.get(..at)?, member.get(at + 1..)?))
}

fn trim(member: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = member.iter().position(|byte| !blank(byte)).unwrap_or(member.len());
    let end = member.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    member.get(start..end).unwrap_or(&[])
}

fn is_key(key: &[u8]) -> bool {
    let rest = |rest: &[u8]| {
        rest.iter()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'*' | b'/'))
    };
    let named = |name: &[u8], digits: bool| match name.split_first() {
        Some((b'a'..=b'z', others)) => rest(others),
        Some((b'0'..=b'9', others)) => digits && rest(others),
        _ => false,
    };
    if key.len() > LONGEST_KEY {
        return false;
    }
    match cut(key, b'@') {
        None => named(key, false),
        Some((tenant, system)) => {
            tenant.len() <= LONGEST_TENANT
                && system.len() <= LONGEST_SYSTEM
                && named(tenant, true)
                && named(system, false)
        }
    }
}

fn is_value(value: &[u8]) -> bool {
    let visible = |byte: &u8| matches!(byte, 0x21..=0x7e) && !matches!(byte, b',' | b'=');
    value.len() <= 256 && value.last().is_some_and(visible) && value.iter().all(|byte| *byte == b' ' || visible(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: trace states with and without a threshold, alone and among others.
    /// Guarantees: the threshold is found, left-aligned in 56 bits.
    #[test]
    fn thresholds() {
        for (state, threshold) in [
            ("", None),
            ("vendor=1", None),
            ("ot=x:1", None),
            ("ot=th:0", Some(0)),
            ("ot=th:8", Some(1 << 55)),
            (" a@b=c , ot=rv:abcdefabcdefab;th:C ,", Some(0xc << 52)),
            ("ot=th:ffffffffffffff", Some((1 << 56) - 1)),
        ] {
            assert_eq!(sampling_threshold(state.as_bytes()), Ok(threshold), "{state}");
        }
    }

    /// Scenario: trace states that break one rule each.
    /// Guarantees: an error.
    #[test]
    fn malformed() {
        let long = format!("a={}", "b".repeat(1100));
        let many = "a=b,".repeat(32);
        for state in [
            "ot=404:0",
            "ot=th:8;",
            "ot=th",
            "ot=th:",
            "ot=th:xyz",
            "ot=rv:12",
            "A=b",
            "=b",
            "a=",
            "a",
            "a=b=c",
            "1a=b",
            "a@1=b",
            "ot=th:123456789012345",
            &long,
            &many,
        ] {
            assert_eq!(sampling_threshold(state.as_bytes()), Err(InvalidTraceState), "{state}");
        }
    }
}
