//! What joins one pipeline to others.

pub mod count;
pub mod forward;
pub(crate) mod metrics;
pub mod signal_to_metrics;
pub mod span_metrics;
