//! What the connectors that make metrics share: attributes, histograms, exemplars, and how metrics go on.

mod attributes;
mod exemplars;
mod explicit;
mod exponential;
mod flusher;
mod glob;
mod histogram;
mod request;
mod wanted;

#[cfg(test)]
mod tests;

pub(super) use attributes::{Fallback, all, fallback, insert, key_value, push_text, push_typed, text_attribute};
pub(crate) use attributes::{proto_text, text_of};
pub(super) use exemplars::Exemplars;
pub(super) use explicit::Explicit;
pub(super) use exponential::{DEFAULT_MAX_SIZE, Exponential, LARGEST_MAX_SIZE, SMALLEST_MAX_SIZE};
pub(crate) use flusher::decoded;
pub(super) use flusher::{Flusher, Sender, now};
pub(super) use glob::Glob;
pub(super) use histogram::{Buckets, Histogram};
pub(super) use wanted::Wanted;
pub(super) use request::{Point, histogram_metric, number_point, resource_metrics, sum_metric, to_batch};
