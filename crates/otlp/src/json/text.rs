//! Text between JSON and protobuf: UTF-8, numbers, hexadecimal.

use std::io::Write;

/// Appends `text`, with U+FFFD for every sequence that is not UTF-8. An unpaired surrogate, which JSON can express by
/// an escape, counts as one.
pub(super) fn put_lossy(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    loop {
        match std::str::from_utf8(rest) {
            Ok(valid) => return out.extend_from_slice(valid.as_bytes()),
            Err(error) => {
                let (valid, invalid) = rest.split_at_checked(error.valid_up_to()).unwrap_or((rest, &[]));
                out.extend_from_slice(valid);
                out.extend_from_slice("\u{fffd}".as_bytes());
                let skip = match invalid {
                    [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => 3,
                    _ => error.error_len().unwrap_or(invalid.len()),
                };
                rest = invalid.get(skip..).unwrap_or(&[]);
            }
        }
    }
}

/// Appends `text` as a JSON string, escaped as the Go Collector does.
pub(super) fn put_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    if std::str::from_utf8(text).is_ok() {
        put_escaped(out, text);
    } else {
        let mut valid = Vec::with_capacity(text.len());
        put_lossy(&mut valid, text);
        put_escaped(out, &valid);
    }
    out.push(b'"');
}

fn put_escaped(out: &mut Vec<u8>, text: &[u8]) {
    let mut done = 0;
    for (at, &byte) in text.iter().enumerate() {
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0..0x20 => 0,
            _ => continue,
        };
        out.extend_from_slice(text.get(done..at).unwrap_or(&[]));
        done = at + 1;
        match short {
            0 => {
                out.extend_from_slice(b"\\u00");
                put_hex(out, &[byte]);
            }
            letter => out.extend_from_slice(&[b'\\', letter]),
        }
    }
    out.extend_from_slice(text.get(done..).unwrap_or(&[]));
}

/// Appends a number as JSON: shortest digits that give it back, an exponent below 1e-6 and from 1e21 on, and strings for
/// what JSON has no numbers for.
pub(super) fn put_double(out: &mut Vec<u8>, value: f64) {
    if value.is_nan() {
        return out.extend_from_slice(b"\"NaN\"");
    }
    if value.is_infinite() {
        return out.extend_from_slice(if value > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" });
    }
    // The shortest digits that give the number back, the even ones where two are as close: `Display` takes the higher.
    let text = serde_json::to_string(&value).unwrap_or_default();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa = mantissa.strip_suffix(".0").unwrap_or(mantissa);
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let sign = if exponent < 0 { '-' } else { '+' };
        put_display(out, format_args!("{mantissa}e{sign}{:02}", exponent.unsigned_abs()));
    } else {
        put_plain(out, mantissa, exponent);
    }
}

/// Appends `mantissa` times ten to the power of `exponent`, written out.
pub(crate) fn put_plain(out: &mut Vec<u8>, mantissa: &str, exponent: i32) {
    let shift = exponent.unsigned_abs() as usize;
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |mantissa| ("-", mantissa));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if exponent < 0 {
        put_display(out, format_args!("{sign}0.{whole:0>shift$}{fraction}"));
    } else if let Some((moved, rest)) = fraction.split_at_checked(shift).filter(|(_, rest)| !rest.is_empty()) {
        put_display(out, format_args!("{sign}{whole}{moved}.{rest}"));
    } else {
        put_display(out, format_args!("{sign}{whole}{fraction:0<shift$}"));
    }
}

pub(super) fn put_display(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "{value}");
}

/// Appends the bytes in lower-case hexadecimal.
pub(super) fn put_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
    for byte in bytes {
        out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
}

/// Appends what hexadecimal digits of either case stand for; says whether all were digits, in pairs.
pub(super) fn get_hex(out: &mut Vec<u8>, text: &[u8]) -> bool {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let (pairs, rest) = text.as_chunks::<2>();
    for &[high, low] in pairs {
        let (Some(high), Some(low)) = (digit(high), digit(low)) else { return false };
        out.push(high << 4 | low);
    }
    rest.is_empty()
}
