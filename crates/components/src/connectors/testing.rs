//! What tests of connectors share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::{Metric, ResourceMetrics, metric, number_data_point};
use prost::Message;
use serde_json::{Value as Json, json};
use spanmill_config::{ComponentId, ConfigError, Section};
use spanmill_otlp::{Limits, Opaque, Signal, Traces};
use spanmill_pipeline::{Batch, ConnectorFactory, ConsumeError, Consumer, Context, Host, Node, Outputs, Telemetry};

use crate::connectors::metrics::proto_text;

/// Keeps the metrics that it gets.
#[derive(Default)]
pub(super) struct Sink(pub(super) Mutex<Vec<ResourceMetrics>>);

#[async_trait]
impl Consumer for Sink {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let request = ExportMetricsServiceRequest::decode(batch.encode()).unwrap();
        self.0.lock().unwrap().extend(request.resource_metrics);
        Ok(())
    }
}

/// A connector, and what it sends to.
pub(super) fn make(
    factory: &ConnectorFactory,
    yaml: &str,
    inputs: &[Signal],
) -> Result<(Arc<dyn Node>, Arc<Sink>), ConfigError> {
    let id: ComponentId = factory.kind.name.parse().unwrap();
    let section = Section::from_yaml("connectors::x", yaml).unwrap();
    let sink = Arc::new(Sink::default());
    let next = Arc::clone(&sink) as Arc<dyn Consumer>;
    let outputs = Outputs { metrics: Some(next), inputs: inputs.to_vec(), ..Outputs::default() };
    let context = Context { id: &id, section: &section, telemetry: &Telemetry::default() };
    Ok(((factory.create)(context, outputs)?, sink))
}

/// What comes out of a connector, from its start until it has stopped.
pub(super) async fn run(factory: &ConnectorFactory, yaml: &str, batches: Vec<Batch>) -> Vec<ResourceMetrics> {
    let (connector, sink) = make(factory, yaml, &[Signal::Traces]).unwrap();
    connector.start(&host()).await.unwrap();
    for batch in batches {
        connector.consume(batch).await.unwrap();
    }
    connector.shutdown().await.unwrap();
    std::mem::take(&mut *sink.0.lock().unwrap())
}

pub(super) fn host() -> Host {
    Host::new(HashMap::new(), tokio::sync::mpsc::unbounded_channel().0)
}

/// A request of one resource and scope. Spans are given as OTLP's JSON has them.
pub(super) fn traces(resource: &[(&str, &str)], spans: &Json) -> Batch {
    let attributes: Vec<Json> = resource.iter().map(|(key, value)| attribute(key, &json!(value))).collect();
    let request = json!({"resourceSpans": [{
        "resource": {"attributes": attributes},
        "scopeSpans": [{"scope": {"name": "lib", "version": "1"}, "spans": spans}],
    }]});
    Traces::parse(encoded(Signal::Traces, &request)).unwrap().into()
}

/// A logs or metrics request from OTLP's JSON.
pub(super) fn opaque(signal: Signal, request: &Json) -> Batch {
    Opaque::parse(signal, encoded(signal, request)).unwrap().into()
}

fn encoded(signal: Signal, request: &Json) -> Bytes {
    spanmill_otlp::json::to_protobuf(signal, request.to_string().as_bytes(), &Limits::default()).unwrap().into()
}

/// A span of so many milliseconds, with attributes of any type.
pub(super) fn span(name: &str, millis: u64, attributes: &Json) -> Json {
    let attributes: Vec<Json> =
        attributes.as_object().unwrap().iter().map(|(key, value)| attribute(key, value)).collect();
    json!({
        "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": name, "kind": 2,
        "startTimeUnixNano": "1000000000", "endTimeUnixNano": (1_000_000_000 + millis * 1_000_000).to_string(),
        "attributes": attributes,
    })
}

fn attribute(key: &str, value: &Json) -> Json {
    let value = match value {
        Json::Bool(flag) => json!({"boolValue": flag}),
        Json::Number(number) if number.is_f64() => json!({"doubleValue": number}),
        Json::Number(number) => json!({"intValue": number.to_string()}),
        other => json!({"stringValue": other}),
    };
    json!({"key": key, "value": value})
}

/// All data points as lines, such as `calls{service.name=shop} 3`, sorted.
pub(super) fn lines(metrics: &[ResourceMetrics]) -> Vec<String> {
    let scopes = metrics.iter().flat_map(|resource| &resource.scope_metrics);
    let mut lines: Vec<String> = scopes.flat_map(|scope| &scope.metrics).flat_map(points).collect();
    lines.sort();
    lines
}

fn points(metric: &Metric) -> Vec<String> {
    let line = |attributes: &[KeyValue], value: String| {
        let mut texts: Vec<String> = attributes
            .iter()
            .map(|attribute| format!("{}={}", attribute.key, proto_text(attribute.value.as_ref())))
            .filter(|text| !text.starts_with("collector.instance.id="))
            .collect();
        texts.sort();
        format!("{}{{{}}} {value}", metric.name, texts.join(","))
    };
    let number = |value: &Option<number_data_point::Value>| match value {
        Some(number_data_point::Value::AsInt(value)) => value.to_string(),
        Some(number_data_point::Value::AsDouble(value)) => format!("{value:?}"),
        None => "nothing".to_owned(),
    };
    match metric.data.as_ref().unwrap() {
        metric::Data::Gauge(gauge) => {
            gauge.data_points.iter().map(|point| line(&point.attributes, number(&point.value))).collect()
        }
        metric::Data::Sum(sum) => {
            sum.data_points.iter().map(|point| line(&point.attributes, number(&point.value))).collect()
        }
        metric::Data::Histogram(histogram) => histogram
            .data_points
            .iter()
            .map(|point| line(&point.attributes, format!("{} of {}", point.sum.unwrap(), point.count)))
            .collect(),
        metric::Data::ExponentialHistogram(histogram) => histogram
            .data_points
            .iter()
            .map(|point| line(&point.attributes, format!("{} of {}", point.sum.unwrap(), point.count)))
            .collect(),
        metric::Data::Summary(_) => panic!("no connector makes summaries"),
    }
}
