//! A batch taken apart, whatever its signal.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prost::Message;
use spanmill_otlp::{Limits, Signal, json};
use spanmill_pipeline::Batch;

/// A decoded request.
pub(super) enum Request {
    Traces(ExportTraceServiceRequest),
    Metrics(ExportMetricsServiceRequest),
    Logs(ExportLogsServiceRequest),
}

// === impl Request ===

impl Request {
    /// Decodes a batch; the error is for people.
    pub(super) fn decode(batch: &Batch) -> Result<Self, String> {
        let encoded = batch.encode();
        let signal = batch.signal();
        Self::from_bytes(signal, &encoded).or_else(|_| {
            // The decoder insists on UTF-8; on the way through JSON what is not becomes U+FFFD.
            let mut text = Vec::new();
            json::from_protobuf(signal, &encoded, &mut text).map_err(|error| error.to_string())?;
            let clean = json::to_protobuf(signal, &text, &Limits::default()).map_err(|error| error.to_string())?;
            Self::from_bytes(signal, &clean).map_err(|error| error.to_string())
        })
    }

    fn from_bytes(signal: Signal, bytes: &[u8]) -> Result<Self, prost::DecodeError> {
        Ok(match signal {
            Signal::Traces => Self::Traces(Message::decode(bytes)?),
            Signal::Metrics => Self::Metrics(Message::decode(bytes)?),
            Signal::Logs => Self::Logs(Message::decode(bytes)?),
        })
    }

    /// What it is, and how many there are of what: one line a batch, at every verbosity.
    pub(super) fn summary(&self) -> (&'static str, Vec<(&'static str, usize)>) {
        match self {
            Self::Traces(request) => {
                let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
                let spans = scopes.map(|scope| scope.spans.len()).sum();
                ("Traces", vec![("resource spans", request.resource_spans.len()), ("spans", spans)])
            }
            Self::Metrics(request) => {
                let scopes = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
                let metrics: Vec<&Metric> = scopes.flat_map(|scope| &scope.metrics).collect();
                let points = metrics.iter().map(|metric| points(metric)).sum();
                let resources = request.resource_metrics.len();
                let counts = vec![("resource metrics", resources), ("metrics", metrics.len()), ("data points", points)];
                ("Metrics", counts)
            }
            Self::Logs(request) => {
                let scopes = request.resource_logs.iter().flat_map(|resource| &resource.scope_logs);
                let records = scopes.map(|scope| scope.log_records.len()).sum();
                ("Logs", vec![("resource logs", request.resource_logs.len()), ("log records", records)])
            }
        }
    }
}

fn points(metric: &Metric) -> usize {
    match &metric.data {
        Some(Data::Gauge(data)) => data.data_points.len(),
        Some(Data::Sum(data)) => data.data_points.len(),
        Some(Data::Histogram(data)) => data.data_points.len(),
        Some(Data::ExponentialHistogram(data)) => data.data_points.len(),
        Some(Data::Summary(data)) => data.data_points.len(),
        None => 0,
    }
}
