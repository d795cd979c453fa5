use bytes::Bytes;
use spanmill_otlp::{Opaque, Signal, SplitLimit, Traces};

/// What flows through a pipeline: one OTLP request. Cloning shares the bytes, given that edits were frozen.
#[derive(Debug, Clone)]
pub enum Batch {
    /// Spans, which processors read and edit.
    Traces(Traces),
    /// Metrics or logs, passed through as bytes; in a queue before an exporter also spans.
    Opaque(Opaque),
}

// === impl Batch ===

impl Batch {
    /// The kind of telemetry.
    pub fn signal(&self) -> Signal {
        match self {
            Self::Traces(_) => Signal::Traces,
            Self::Opaque(opaque) => opaque.signal(),
        }
    }

    /// Spans, metric points or log records.
    pub fn item_count(&self) -> usize {
        match self {
            Self::Traces(traces) => traces.span_count(),
            Self::Opaque(opaque) => opaque.item_count(),
        }
    }

    /// Size of the encoded request in bytes.
    pub fn encoded_len(&self) -> usize {
        match self {
            Self::Traces(traces) => traces.encoded_len(),
            Self::Opaque(opaque) => opaque.bytes().len(),
        }
    }

    /// The encoded OTLP request.
    pub fn encode(&self) -> Bytes {
        match self {
            Self::Traces(traces) => traces.encode(),
            Self::Opaque(opaque) => opaque.bytes().clone(),
        }
    }

    /// The same items in batches within the limit; an item beyond it stands alone.
    pub fn split(self, limit: SplitLimit) -> Vec<Self> {
        match self {
            Self::Traces(traces) => traces.split(limit).into_iter().map(Self::from).collect(),
            Self::Opaque(opaque) => opaque.split(limit).into_iter().map(Self::from).collect(),
        }
    }

    /// Writes edits into shared bytes, before a fan-out.
    pub fn freeze(self) -> Self {
        match self {
            Self::Traces(traces) => Self::Traces(traces.freeze()),
            Self::Opaque(opaque) => Self::Opaque(opaque),
        }
    }
}

impl From<Traces> for Batch {
    fn from(traces: Traces) -> Self {
        Self::Traces(traces)
    }
}

impl From<Opaque> for Batch {
    fn from(opaque: Opaque) -> Self {
        Self::Opaque(opaque)
    }
}
