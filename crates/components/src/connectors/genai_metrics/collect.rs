//! What is sent at an interval, and what is forgotten after it.

use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as PointValue;
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, Metric as ProtoMetric, ResourceMetrics};
use tokio::time::Instant;

use super::config::Temporality;
use super::metric::Metric;
use super::state::{Resource, Series, State, Value, bytes};
use crate::connectors::metrics::{Point, histogram_metric, now, number_point, resource_metrics, sum_metric};

/// The scope of the metrics.
const SCOPE: &str = "spanmill/genai_metrics";

// === impl State ===

impl State {
    /// All metrics as of now. Delta metrics begin anew; of cumulative ones those are forgotten that have expired.
    pub(super) fn collect(&mut self) -> Vec<ResourceMetrics> {
        let time = now();
        let is_delta = self.config.temporality == Temporality::Delta;
        let temporality = if is_delta { AggregationTemporality::Delta } else { AggregationTemporality::Cumulative };
        let exponential = self.config.exponential.is_on();
        let made = self.resources.values().map(|resource| {
            let metrics = Metric::ALL.into_iter().zip(&resource.metrics);
            let metrics = metrics.filter(|(_, series)| !series.is_empty());
            let metrics = metrics.map(|(metric, series)| made(metric, series.values(), time, temporality, exponential));
            resource_metrics(resource.attributes.clone(), SCOPE, metrics.collect())
        });
        let made = made.collect();
        if is_delta {
            self.resources.clear();
        } else {
            self.forget_expired();
        }
        self.bytes = self.resources.iter().map(|(key, resource)| bytes(key) + resource.bytes()).sum();
        made
    }

    fn forget_expired(&mut self) {
        let now = Instant::now();
        let most = self.config.resource_metrics_cache_size as usize;
        if self.resources.len() > most {
            let mut uses: Vec<u64> = self.resources.values().map(|resource| resource.used).collect();
            uses.sort_unstable();
            let oldest = uses.get(uses.len() - most).copied().unwrap_or(0);
            self.resources.retain(|_, resource| resource.used >= oldest);
        }
        if let Some(expiration) = self.config.metrics_expiration.positive() {
            self.resources.retain(|_, resource| now.duration_since(resource.last_seen) < expiration);
        }
        for series in self.resources.values_mut().flat_map(Resource::series_mut) {
            series.exemplars.clear();
        }
    }
}

fn made<'s>(
    metric: Metric,
    series: impl Iterator<Item = &'s Series> + Clone,
    time: u64,
    temporality: AggregationTemporality,
    exponential: bool,
) -> ProtoMetric {
    let about = metric.about();
    let point = |series: &Series| Point {
        attributes: series.attributes.clone(),
        start: series.start,
        time,
        exemplars: series.exemplars.at(time),
    };
    let made = if about.bounds.is_empty() {
        let number = |series: &'s Series| match &series.value {
            Value::Double(sum) => Some(number_point(point(series), PointValue::AsDouble(*sum))),
            Value::Count(count) => Some(number_point(point(series), PointValue::AsInt(*count as i64))),
            Value::Histogram(_) => None,
        };
        sum_metric(series.filter_map(number).collect(), temporality, true)
    } else {
        let points = series.filter_map(|series| match &series.value {
            Value::Histogram(histogram) => Some((point(series), histogram)),
            Value::Double(_) | Value::Count(_) => None,
        });
        histogram_metric(points, exponential, temporality)
    };
    let (name, unit, description) = (about.name.to_owned(), about.unit.to_owned(), about.description.to_owned());
    ProtoMetric { name, unit, description, ..made }
}

// === impl Resource ===

impl Resource {
    fn series_mut(&mut self) -> impl Iterator<Item = &mut Series> {
        self.metrics.iter_mut().flat_map(|series| series.values_mut())
    }
}
