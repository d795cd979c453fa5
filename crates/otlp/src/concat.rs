//! Several requests as one: protobuf concatenates encoded messages, so the bytes are copied once and nothing else.

use bytes::Bytes;

use crate::encode::Encoder;
use crate::error::{Malformed, Reason};
use crate::limits::Limits;
use crate::opaque::{Opaque, Signal};
use crate::traces::Traces;

// === impl Traces ===

impl Traces {
    /// One request with everything in these, in order. Edits are written out.
    ///
    /// Fails only where the result would be larger than 2 GiB - 1, the most that can be indexed.
    pub fn concat(parts: impl IntoIterator<Item = Self>) -> Result<Self, Malformed> {
        let mut parts = parts.into_iter();
        let Some(first) = parts.next() else { return Self::parse(Bytes::new()) };
        let Some(second) = parts.next() else { return Ok(first.freeze()) };
        let all: Vec<Self> = [first, second].into_iter().chain(parts).collect();
        let encoders: Vec<Encoder<'_>> = all.iter().map(Encoder::new).collect();
        let mut out = Vec::with_capacity(checked_len(encoders.iter().map(Encoder::len))?);
        for encoder in &encoders {
            encoder.write(&mut out);
        }
        Self::outlined(Bytes::from(out))
    }
}

// === impl Opaque ===

impl Opaque {
    /// One request with everything in these, in order. Those of another signal are left out: they cannot be part of the
    /// same request.
    ///
    /// Fails only where the result would be larger than 2 GiB - 1.
    pub fn concat(signal: Signal, parts: impl IntoIterator<Item = Self>) -> Result<Self, Malformed> {
        let parts: Vec<Self> = parts.into_iter().filter(|part| part.signal() == signal).collect();
        let items = parts.iter().map(Self::item_count).sum();
        if let [one] = parts.as_slice() {
            return Ok(one.clone());
        }
        let mut out = Vec::with_capacity(checked_len(parts.iter().map(|part| part.bytes().len()))?);
        for part in &parts {
            out.extend_from_slice(part.bytes());
        }
        Ok(Self::counted(signal, Bytes::from(out), items))
    }
}

fn checked_len(lens: impl Iterator<Item = usize>) -> Result<usize, Malformed> {
    let max = Limits::default().max_bytes;
    let len = lens.fold(0usize, usize::saturating_add);
    if len > max { Err(Malformed::new(max, Reason::TooLarge)) } else { Ok(len) }
}
