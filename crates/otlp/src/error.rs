use thiserror::Error;

/// A request that is not valid OTLP: what is wrong, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("malformed request at byte {offset}: {reason}")]
pub struct Malformed {
    /// Distance in bytes from the start of the request.
    pub offset: usize,
    /// What is wrong there.
    pub reason: Reason,
}

/// What makes a request malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Reason {
    /// The bytes end inside a field.
    #[error("unexpected end of data")]
    Truncated,
    /// A variable-length integer has more than ten bytes.
    #[error("a variable-length integer is longer than ten bytes")]
    VarintTooLong,
    /// A field number of zero or above 2^29 - 1.
    #[error("an invalid field number")]
    FieldNumber,
    /// A wire type that OTLP does not use: groups, 6 or 7.
    #[error("an unsupported wire type")]
    WireType,
    /// A known field with another wire type than the protocol gives it.
    #[error("a field with the wrong wire type")]
    WrongWireType,
    /// A trace id that is neither empty nor 16 bytes, or a span id that is neither empty nor 8 bytes.
    #[error("an id of the wrong length")]
    IdLength,
    /// Values nested deeper than the limit.
    #[error("values are nested too deeply")]
    TooDeep,
    /// The request is larger than the limit.
    #[error("the request is too large")]
    TooLarge,
    /// More spans than the limit.
    #[error("too many spans in one request")]
    TooManySpans,
}

impl Malformed {
    pub(crate) fn new(offset: usize, reason: Reason) -> Self {
        Self { offset, reason }
    }
}
