//! Spans: small requests to send, and reading back what a `file` exporter has written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use serde_json::Value;

/// Trace id and span id, in lower-case hex.
pub type SpanId = (String, String);

/// An attribute with a string value.
pub fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Any::StringValue(value.to_owned()))
}

/// An attribute with an integer value.
pub fn int(key: &str, value: i64) -> KeyValue {
    attribute(key, Any::IntValue(value))
}

fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// An encoded request of `count` spans of one trace, whose id is made of `seed`.
pub fn request(service: &str, seed: u64, count: u64) -> Vec<u8> {
    request_with(service, seed, count, &[])
}

/// The same, each span with more attributes.
pub fn request_with(service: &str, seed: u64, count: u64, more: &[KeyValue]) -> Vec<u8> {
    let trace_id = u128::from(seed | 1 << 63).to_be_bytes().to_vec();
    let standard = [text("gen_ai.request.model", "claude-sonnet-4-5"), int("gen_ai.usage.input_tokens", 100)];
    let spans = (1..=count).map(|number| Span {
        trace_id: trace_id.clone(),
        span_id: number.to_be_bytes().to_vec(),
        name: "chat".to_owned(),
        kind: 3,
        start_time_unix_nano: 1_790_000_000_000_000_000 + number,
        end_time_unix_nano: 1_790_000_000_250_000_000 + number,
        attributes: [&standard[..], more].concat(),
        ..Span::default()
    });
    let scope = InstrumentationScope { name: "spanmill-tests".to_owned(), ..InstrumentationScope::default() };
    let scope_spans = ScopeSpans { scope: Some(scope), spans: spans.collect(), ..ScopeSpans::default() };
    let resource = Resource { attributes: vec![text("service.name", service)], ..Resource::default() };
    let resource_spans =
        ResourceSpans { resource: Some(resource), scope_spans: vec![scope_spans], ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![resource_spans] }.encode_to_vec()
}

/// The ids of all spans that a `file` exporter has written (format `json`), and how often each stands there.
pub fn written(file: &Path) -> BTreeMap<SpanId, usize> {
    let mut found = BTreeMap::new();
    for line in fs::read_to_string(file).unwrap_or_default().lines() {
        // The last line may be half written while the exporter runs.
        let Ok(batch) = serde_json::from_str::<Value>(line) else { continue };
        for span in flatten(&batch) {
            *found.entry(id(span)).or_insert(0) += 1;
        }
    }
    found
}

/// The ids alone, without how often.
pub fn ids(file: &Path) -> BTreeSet<SpanId> {
    written(file).into_keys().collect()
}

/// All spans of a batch in OTLP/JSON.
pub fn flatten<'a>(batch: &'a Value) -> Vec<&'a Value> {
    let list = |parent: &'a Value, key: &str| parent[key].as_array().map(Vec::as_slice).unwrap_or_default();
    let scopes = list(batch, "resourceSpans").iter().flat_map(|resource| list(resource, "scopeSpans"));
    scopes.flat_map(|scope| list(scope, "spans")).collect()
}

fn id(span: &Value) -> SpanId {
    let hex = |name: &str| span[name].as_str().unwrap_or_default().to_lowercase();
    (hex("traceId"), hex("spanId"))
}
