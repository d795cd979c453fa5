//! Exemplars: spans that stand for what a data point counts.

use opentelemetry_proto::tonic::metrics::v1::{Exemplar, exemplar};

/// The first few spans of an interval.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exemplars(Vec<Kept>);

#[derive(Debug, Clone)]
struct Kept {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    value: f64,
}

// === impl Exemplars ===

impl Exemplars {
    /// Keeps a span, unless there are `most` already or it has no trace.
    pub(crate) fn offer(&mut self, most: usize, trace_id: &[u8], span_id: &[u8], value: f64) {
        if self.0.len() >= most {
            return;
        }
        let Ok(trace_id) = <[u8; 16]>::try_from(trace_id) else { return };
        if trace_id != [0; 16] {
            self.0.push(Kept { trace_id, span_id: span_id.try_into().unwrap_or_default(), value });
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// As a data point of that time has them.
    pub(crate) fn at(&self, time_unix_nano: u64) -> Vec<Exemplar> {
        let exemplar = |kept: &Kept| Exemplar {
            time_unix_nano,
            span_id: if kept.span_id == [0; 8] { Vec::new() } else { kept.span_id.to_vec() },
            trace_id: kept.trace_id.to_vec(),
            value: Some(exemplar::Value::AsDouble(kept.value)),
            ..Exemplar::default()
        };
        self.0.iter().map(exemplar).collect()
    }
}
