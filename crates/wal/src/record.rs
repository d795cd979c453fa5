//! Records as callers see them.

use std::fmt;

use bytes::Bytes;

/// The number of a record. Numbers rise by one; where records were lost they jump. A number is never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(u64);

/// A record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its number.
    pub seq: Seq,
    /// What the writer said it is.
    pub kind: u8,
    /// The bytes as they were appended. They share memory with their neighbours (512 KiB), or are the very ones that were appended: copy what
    /// is kept for long.
    pub payload: Bytes,
}

/// The bytes of a record to append, in one or several slices.
#[derive(Debug, Clone, Default)]
pub struct Payload(pub(crate) Vec<Bytes>);

// === impl Seq ===

impl Seq {
    /// The number of the first record of a new log.
    pub const FIRST: Self = Self(1);

    /// The sequence number as such.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// From a number that [`Seq::get`] gave.
    #[must_use]
    pub const fn new(seq: u64) -> Self {
        Self(seq)
    }

    /// The next number.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// === impl Payload ===

impl Payload {
    /// All slices as one.
    #[must_use]
    pub fn concat(&self) -> Bytes {
        self.0.concat().into()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.0.iter().map(|part| part.len() as u64).sum()
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self(vec![bytes])
    }
}

impl From<Vec<Bytes>> for Payload {
    fn from(parts: Vec<Bytes>) -> Self {
        Self(parts)
    }
}

impl<const N: usize> From<[Bytes; N]> for Payload {
    fn from(parts: [Bytes; N]) -> Self {
        Self(parts.into())
    }
}
