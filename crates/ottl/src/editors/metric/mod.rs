//! Editors of metrics and their points, that only `transform` has.

mod aggregate;
mod buckets;
mod convert;
mod copy;
mod explicit;
mod extract;
mod merge;
mod percentile;

pub(super) use aggregate::EDITORS as AGGREGATE;
pub(super) use buckets::EDITORS as BUCKETS;
pub(super) use convert::EDITORS as CONVERT;
pub(super) use copy::EDITORS as COPY;
pub(super) use explicit::EDITORS as EXPLICIT;
pub(super) use extract::EDITORS as EXTRACT;
pub(super) use percentile::EDITORS as PERCENTILE;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint, Sum,
    SummaryDataPoint, metric::Data, number_data_point::Value,
};

use super::{Edit, Editor};

/// The number of a temporality by its name.
fn temporality(name: &str) -> Result<i32, String> {
    match name {
        "delta" => Ok(AggregationTemporality::Delta as i32),
        "cumulative" => Ok(AggregationTemporality::Cumulative as i32),
        other => Err(format!("unknown aggregation temporality: {other}")),
    }
}

/// A sum that is named after another metric.
fn sum_of(metric: &Metric, suffix: &str, temporality: i32, monotonic: bool, points: Vec<NumberDataPoint>) -> Metric {
    Metric {
        name: format!("{}{suffix}", metric.name),
        description: metric.description.clone(),
        unit: metric.unit.clone(),
        data: Some(Data::Sum(Sum {
            data_points: points,
            aggregation_temporality: temporality,
            is_monotonic: monotonic,
        })),
        ..Metric::default()
    }
}

/// What points have that stand for several values.
trait Counted {
    fn attributes(&self) -> &[KeyValue];
    /// When it begins and when it was taken.
    fn times(&self) -> (u64, u64);
    fn count(&self) -> u64;
    fn sum(&self) -> Option<f64>;

    /// A number at the same time, with the same attributes.
    fn number(&self, value: Value) -> NumberDataPoint {
        let (start, time) = self.times();
        NumberDataPoint {
            attributes: self.attributes().to_vec(),
            start_time_unix_nano: start,
            time_unix_nano: time,
            value: Some(value),
            ..NumberDataPoint::default()
        }
    }
}

// === impl HistogramDataPoint ===

impl Counted for HistogramDataPoint {
    fn attributes(&self) -> &[KeyValue] {
        &self.attributes
    }

    fn times(&self) -> (u64, u64) {
        (self.start_time_unix_nano, self.time_unix_nano)
    }

    fn count(&self) -> u64 {
        self.count
    }

    fn sum(&self) -> Option<f64> {
        self.sum
    }
}

// === impl ExponentialHistogramDataPoint ===

impl Counted for ExponentialHistogramDataPoint {
    fn attributes(&self) -> &[KeyValue] {
        &self.attributes
    }

    fn times(&self) -> (u64, u64) {
        (self.start_time_unix_nano, self.time_unix_nano)
    }

    fn count(&self) -> u64 {
        self.count
    }

    fn sum(&self) -> Option<f64> {
        self.sum
    }
}

// === impl SummaryDataPoint ===

impl Counted for SummaryDataPoint {
    fn attributes(&self) -> &[KeyValue] {
        &self.attributes
    }

    fn times(&self) -> (u64, u64) {
        (self.start_time_unix_nano, self.time_unix_nano)
    }

    fn count(&self) -> u64 {
        self.count
    }

    fn sum(&self) -> Option<f64> {
        Some(self.sum)
    }
}
