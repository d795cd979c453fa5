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

pub(crate) use attributes::{
    Fallback, all, fallback, insert, key_value, proto_text, push_text, push_typed, push_typed_text, put_resource_key,
    text_attribute,
};
pub(crate) use exemplars::Exemplars;
pub(crate) use exponential::{DEFAULT_MAX_SIZE, LARGEST_MAX_SIZE, SMALLEST_MAX_SIZE};
pub(crate) use flusher::{Flusher, Sender, now};
pub(crate) use glob::Glob;
pub(crate) use histogram::{Buckets, Histogram};
pub(crate) use request::{Point, histogram_metric, number_point, resource_metrics, sum_metric};
pub(crate) use wanted::Wanted;
