use bytes::Bytes;
use spanmill_otlp::{Malformed, Opaque, Signal, SplitLimit, Traces};

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

    /// An encoded OTLP request.
    ///
    /// # Errors
    ///
    /// Fails where the bytes are none.
    pub fn parse(signal: Signal, bytes: Bytes) -> Result<Self, Malformed> {
        match signal {
            Signal::Traces => Traces::parse(bytes).map(Self::from),
            signal => Opaque::parse(signal, bytes).map(Self::from),
        }
    }

    /// One request with everything in these, in order. Of spans, either all are parsed or none.
    ///
    /// # Errors
    ///
    /// Fails only where the result would be larger than 2 GiB - 1.
    pub fn concat(signal: Signal, batches: impl IntoIterator<Item = Self>) -> Result<Self, Malformed> {
        let (mut traces, mut opaque) = (Vec::new(), Vec::new());
        for batch in batches {
            match batch {
                Self::Traces(one) => traces.push(one),
                Self::Opaque(one) => opaque.push(one),
            }
        }
        if signal == Signal::Traces && opaque.is_empty() {
            return Traces::concat(traces).map(Self::from);
        }
        Opaque::concat(signal, opaque).map(Self::from)
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
