//! Dropping log records, metrics and their points, and what is empty then.

use opentelemetry_proto::tonic::logs::v1::LogsData;
use opentelemetry_proto::tonic::metrics::v1::{Metric, MetricsData, metric::Data};
use spanmill_ottl::{Arena, Frame};

use super::group::{Errors, Group};
use crate::client;

// === impl Group ===

impl Group {
    /// Drops the log records that meet the conditions, or whose scope or resource does.
    pub(super) fn apply_logs(&self, logs: &mut LogsData, errors: &mut Errors) {
        let (client, arena) = (client::wanted_by(&self.slots), Arena::default());
        let mut frame = self.slots.record_frame(&arena, client.as_ref());
        logs.resource_logs.retain_mut(|group| {
            frame.read_resource(group.resource.as_ref(), &group.schema_url);
            match self.met(&self.resource, &frame, errors) {
                Some(true) => return false,
                None => return true,
                Some(false) => {}
            }
            if !self.scope.is_empty() || !self.log.is_empty() {
                group.scope_logs.retain_mut(|inner| {
                    frame.read_scope(inner.scope.as_ref(), &inner.schema_url);
                    match self.met(&self.scope, &frame, errors) {
                        Some(true) => return false,
                        None => return true,
                        Some(false) => {}
                    }
                    if !self.log.is_empty() {
                        inner.log_records.retain_mut(|record| {
                            frame.enter_log(std::mem::take(record));
                            let met = self.met(&self.log, &frame, errors);
                            *record = frame.leave_log();
                            met != Some(true)
                        });
                    }
                    !inner.log_records.is_empty()
                });
            }
            !group.scope_logs.is_empty()
        });
    }

    /// Drops the metrics and points that meet the conditions, or whose scope or resource does.
    pub(super) fn apply_metrics(&self, metrics: &mut MetricsData, errors: &mut Errors) {
        let (client, arena) = (client::wanted_by(&self.slots), Arena::default());
        let mut frame = self.slots.record_frame(&arena, client.as_ref());
        metrics.resource_metrics.retain_mut(|group| {
            frame.read_resource(group.resource.as_ref(), &group.schema_url);
            match self.met(&self.resource, &frame, errors) {
                Some(true) => return false,
                None => return true,
                Some(false) => {}
            }
            if !self.scope.is_empty() || !self.metric.is_empty() || !self.point.is_empty() {
                group.scope_metrics.retain_mut(|inner| {
                    frame.read_scope(inner.scope.as_ref(), &inner.schema_url);
                    match self.met(&self.scope, &frame, errors) {
                        Some(true) => return false,
                        None => return true,
                        Some(false) => {}
                    }
                    if !self.metric.is_empty() || !self.point.is_empty() {
                        inner.metrics.retain_mut(|metric| self.keeps(metric, &mut frame, errors));
                    }
                    !inner.metrics.is_empty()
                });
            }
            !group.scope_metrics.is_empty()
        });
    }

    fn keeps(&self, metric: &mut Metric, frame: &mut Frame<'_>, errors: &mut Errors) -> bool {
        frame.enter_metric(std::mem::take(metric));
        let stays = self.judge(frame, errors);
        *metric = frame.leave_metric();
        stays
    }

    /// Whether a metric stays. One goes that meets a condition, and one that has no points where these are asked about.
    fn judge(&self, frame: &mut Frame<'_>, errors: &mut Errors) -> bool {
        match self.met(&self.metric, frame, errors) {
            Some(true) => return false,
            None => return true,
            Some(false) => {}
        }
        if self.point.is_empty() {
            return true;
        }
        let mut stays = Vec::with_capacity(frame.point_count());
        while frame.enter_point(stays.len()) {
            let met = self.met(&self.point, frame, errors);
            frame.leave_point(stays.len());
            stays.push(met != Some(true));
        }
        frame.retain_points(&stays);
        frame.point_count() > 0 || !frame.has_points()
    }
}

/// How many points there are.
pub(super) fn point_count(metrics: &MetricsData) -> usize {
    let scopes = metrics.resource_metrics.iter().flat_map(|group| &group.scope_metrics);
    let data = scopes.flat_map(|scope| &scope.metrics).filter_map(|metric| metric.data.as_ref());
    data.map(|data| match data {
        Data::Gauge(data) => data.data_points.len(),
        Data::Sum(data) => data.data_points.len(),
        Data::Histogram(data) => data.data_points.len(),
        Data::ExponentialHistogram(data) => data.data_points.len(),
        Data::Summary(data) => data.data_points.len(),
    })
    .sum()
}

/// How many log records there are.
pub(super) fn log_count(logs: &LogsData) -> usize {
    let scopes = logs.resource_logs.iter().flat_map(|group| &group.scope_logs);
    scopes.map(|scope| scope.log_records.len()).sum()
}
