//! What is sent at an interval, and what is forgotten after it.

use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Metric, NumberDataPoint, ResourceMetrics, number_data_point::Value,
};
use tokio::time::Instant;

use super::state::{Resource, State, resource_bytes};
use super::table::{Series, Table};
use crate::connectors::metrics::{Buckets, Point, histogram_metric, now, number_point, resource_metrics, sum_metric};

/// The scope of the metrics, by the Collector's name.
const SCOPE: &str = "spanmetricsconnector";

/// How the data points of one resource are made.
struct Making<'s> {
    state: &'s State,
    key: &'s [u8],
    time: u64,
    temporality: AggregationTemporality,
}

// === impl State ===

impl State {
    /// All metrics as of now. Delta metrics begin anew; of cumulative ones those are forgotten that have expired.
    pub(super) fn collect(&mut self) -> Vec<ResourceMetrics> {
        let time = now();
        let is_delta = self.config.is_delta();
        let temporality = if is_delta { AggregationTemporality::Delta } else { AggregationTemporality::Cumulative };
        let made = self.resources.iter().map(|(key, resource)| {
            let making = Making { state: self, key, time, temporality };
            resource_metrics(resource.attributes.clone(), SCOPE, making.metrics(resource))
        });
        let made = made.collect();
        if is_delta {
            self.forget_all(time);
        } else {
            self.forget_expired();
        }
        self.bytes = self.resources.iter().map(|(key, resource)| resource_bytes(key) + resource.bytes()).sum();
        made
    }

    fn forget_all(&mut self, time: u64) {
        for (resource, counted) in std::mem::take(&mut self.resources) {
            for table in [&counted.calls, &counted.durations, &counted.events] {
                for (key, _) in table.iter() {
                    self.starts.set(&resource, key, time);
                }
            }
        }
    }

    fn forget_expired(&mut self) {
        let now = Instant::now();
        let most = usize::try_from(self.config.resource_metrics_cache_size).unwrap_or(usize::MAX);
        let expiration = self.config.metrics_expiration.positive();
        let series_expiration = self.config.series_expiration.positive();
        if self.resources.len() > most {
            let mut uses: Vec<u64> = self.resources.values().map(|resource| resource.used).collect();
            uses.sort_unstable();
            let oldest = uses.get(uses.len() - most).copied().unwrap_or(0);
            self.resources.retain(|_, resource| resource.used >= oldest);
        }
        self.resources.retain(|_, resource| {
            for table in [&mut resource.calls, &mut resource.durations, &mut resource.events] {
                table.sent();
                if let Some(expiration) = series_expiration {
                    table.expire(|series: &Series| now.duration_since(series.last_seen) < expiration);
                }
            }
            // The Collector sends what has expired once more.
            let keep = !resource.is_expired;
            resource.is_expired = expiration.is_some_and(|after| now.duration_since(resource.last_seen) >= after);
            keep
        });
    }
}

// === impl Making ===

impl Making<'_> {
    fn metrics(&self, resource: &Resource) -> Vec<Metric> {
        let mut metrics = vec![self.sum("calls", &resource.calls)];
        if let Some(buckets) = &self.state.buckets {
            let table = if self.state.plan.is_joint() { &resource.calls } else { &resource.durations };
            let points = table.iter().filter_map(|(key, series)| {
                let exemplars = series.histogram_exemplars.at(self.time);
                Some((Point { exemplars, ..self.point(key, series) }, series.histogram.as_ref()?))
            });
            let exponential = matches!(buckets, Buckets::Exponential(_));
            let metric = histogram_metric(points, exponential, self.temporality);
            let unit = self.state.config.histogram.unit.to_string();
            metrics.push(Metric { name: self.name("duration"), unit, ..metric });
        }
        if self.state.config.events.enabled {
            metrics.push(self.sum("events", &resource.events));
        }
        metrics
    }

    fn sum(&self, name: &str, table: &Table) -> Metric {
        let point = |(key, series): (&[u8], &Series)| -> NumberDataPoint {
            let begins = self.temporality == AggregationTemporality::Cumulative && series.is_first;
            let value = if begins { 0 } else { series.count as i64 };
            let exemplars = series.exemplars.at(self.time);
            number_point(Point { exemplars, ..self.point(key, series) }, Value::AsInt(value))
        };
        Metric { name: self.name(name), ..sum_metric(table.iter().map(point).collect(), self.temporality, true) }
    }

    fn point(&self, key: &[u8], series: &Series) -> Point {
        let before = match self.temporality {
            AggregationTemporality::Delta => self.state.starts.get(self.key, key),
            _ => None,
        };
        let start = before.unwrap_or(series.start);
        Point { attributes: series.attributes.clone(), start, time: self.time, exemplars: Vec::new() }
    }

    fn name(&self, name: &str) -> String {
        match self.state.config.namespace.as_str() {
            "" => name.to_owned(),
            namespace => format!("{namespace}.{name}"),
        }
    }
}
