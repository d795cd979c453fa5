//! Consistent probability sampling as OpenTelemetry specifies it: thresholds, randomness, and how both are written in a W3C `tracestate`.

mod threshold;
mod tracestate;

pub(super) use threshold::{Randomness, Threshold};
pub(super) use tracestate::{TraceState, TraceStateError};
