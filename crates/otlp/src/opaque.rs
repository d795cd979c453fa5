use bytes::Bytes;

use crate::error::{Malformed, Reason};
use crate::limits::Limits;
use crate::wire::{Payload, field};

/// A kind of telemetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Metric points.
    Metrics,
    /// Log records.
    Logs,
}

/// A request passed through as bytes, of metrics or logs, or of spans that nobody looks at any more: its framing is checked down to the
/// items, and they are counted.
#[derive(Debug, Clone)]
pub struct Opaque {
    signal: Signal,
    bytes: Bytes,
    items: usize,
}

// === impl Signal ===

impl Signal {
    /// The word for it in configurations: `traces`, `metrics`, `logs`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }
}

// === impl Opaque ===

impl Opaque {
    /// Checks and counts a request of that signal.
    pub fn parse(signal: Signal, bytes: Bytes) -> Result<Self, Malformed> {
        if bytes.len() > Limits::default().max_bytes {
            return Err(Malformed::new(0, Reason::TooLarge));
        }
        let items = count(&bytes, 0, item_path(signal))?;
        Ok(Self { signal, bytes, items })
    }

    /// A request put together from checked parts.
    pub(crate) fn counted(signal: Signal, bytes: Bytes, items: usize) -> Self {
        Self { signal, bytes, items }
    }

    /// What kind of telemetry it is.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// The request as received.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Log records, metric points, or spans.
    pub fn item_count(&self) -> usize {
        self.items
    }
}

/// Field numbers that lead to the items. Request > Resource* > Scope* > items: field 1, then 2, then 2. Metric points lie
/// two levels deeper.
pub(crate) fn item_path(signal: Signal) -> &'static [&'static [u32]] {
    match signal {
        Signal::Traces | Signal::Logs => &[&[1], &[2], &[2]],
        Signal::Metrics => &[&[1], &[2], &[2], &[5, 7, 9, 10, 11], &[1]],
    }
}

/// Counts the messages that lie at the end of `path`, a list of field numbers a level. `base` is the offset of `buf`.
pub(crate) fn count(buf: &[u8], base: usize, path: &[&[u32]]) -> Result<usize, Malformed> {
    let Some((numbers, deeper)) = path.split_first() else {
        return Ok(1);
    };
    let (mut pos, mut items) = (0, 0);
    while pos < buf.len() {
        let found = field(buf, pos).map_err(|error| Malformed::new(base + error.offset, error.reason))?;
        if numbers.contains(&found.number) {
            match found.payload {
                Payload::Bytes(body) => items += count(body, base + found.end - body.len(), deeper)?,
                _ => return Err(Malformed::new(base + pos, Reason::WrongWireType)),
            }
        }
        pos = found.end;
    }
    Ok(items)
}
