//! What joins one pipeline to others.

pub mod count;
pub mod failover;
pub mod forward;
pub mod genai_metrics;
pub(crate) mod metrics;
pub mod routing;
pub mod signal_to_metrics;
pub mod span_metrics;
mod walk;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod testing_pipelines;
