//! Cells of values that protobuf leaves out where they are nothing, words for numbers, and ids as text.

use super::builder::Cell;

/// Lower-case hex digits of an id.
#[derive(Debug)]
pub(super) struct Hex<const N: usize>([u8; N]);

pub(super) fn kind(number: u64) -> &'static str {
    match number {
        1 => "internal",
        2 => "server",
        3 => "client",
        4 => "producer",
        5 => "consumer",
        _ => "unspecified",
    }
}

pub(super) fn status(code: i32) -> &'static str {
    match code {
        1 => "ok",
        2 => "error",
        _ => "unset",
    }
}

pub(super) fn non_empty(text: &str) -> Cell<'_> {
    if text.is_empty() { Cell::Null } else { Cell::Text(text) }
}

pub(super) fn optional(text: Option<&str>) -> Cell<'_> {
    text.map_or(Cell::Null, Cell::Text)
}

pub(super) fn non_zero(number: u64) -> Cell<'static> {
    if number == 0 { Cell::Null } else { Cell::Int(i64::try_from(number).unwrap_or(i64::MAX)) }
}

// === impl Hex ===

impl<const N: usize> Hex<N> {
    /// The digits of the id's first bytes; empty for an id without any bytes.
    pub(super) fn new(id: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'0');
        let mut text = [b'0'; N];
        if id.is_empty() {
            return Self([0; N]);
        }
        for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(id) {
            *pair = [digit(byte >> 4), digit(byte & 15)];
        }
        Self(text)
    }

    pub(super) fn text(&self) -> &str {
        if self.0.first() == Some(&0) { "" } else { std::str::from_utf8(&self.0).unwrap_or("") }
    }
}
