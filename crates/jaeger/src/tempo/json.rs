//! OTLP as Tempo writes it in JSON: ids in base64, enumerations by name, 64-bit numbers as strings.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use serde_json::{Map, Value as Json, json};

/// An object without the fields that say nothing.
#[derive(Debug, Default)]
struct Object(Map<String, Json>);

pub(super) fn resource_spans(group: &ResourceSpans) -> Json {
    let mut object = Object::default();
    // Tempo writes these two even where they are empty.
    let mut resource = Object::default();
    if let Some(of) = &group.resource {
        resource.list("attributes", of.attributes.iter().map(pair));
        resource.number("droppedAttributesCount", of.dropped_attributes_count);
    }
    object.put("resource", resource.into_json());
    object.put("scopeSpans", group.scope_spans.iter().map(scope_spans).collect());
    object.text("schemaUrl", &group.schema_url);
    object.into_json()
}

fn scope_spans(group: &ScopeSpans) -> Json {
    let mut object = Object::default();
    let mut scope = Object::default();
    if let Some(of) = &group.scope {
        scope.text("name", &of.name);
        scope.text("version", &of.version);
        scope.list("attributes", of.attributes.iter().map(pair));
        scope.number("droppedAttributesCount", of.dropped_attributes_count);
    }
    object.put("scope", scope.into_json());
    object.put("spans", group.spans.iter().map(span).collect());
    object.text("schemaUrl", &group.schema_url);
    object.into_json()
}

fn span(span: &Span) -> Json {
    let mut object = Object::default();
    object.bytes("traceId", &span.trace_id);
    object.bytes("spanId", &span.span_id);
    object.text("traceState", &span.trace_state);
    object.bytes("parentSpanId", &span.parent_span_id);
    object.number("flags", span.flags);
    object.text("name", &span.name);
    if let Ok(
        kind @ (SpanKind::Internal | SpanKind::Server | SpanKind::Client | SpanKind::Producer | SpanKind::Consumer),
    ) = SpanKind::try_from(span.kind)
    {
        object.text("kind", kind.as_str_name());
    }
    object.long("startTimeUnixNano", span.start_time_unix_nano);
    object.long("endTimeUnixNano", span.end_time_unix_nano);
    object.list("attributes", span.attributes.iter().map(pair));
    object.number("droppedAttributesCount", span.dropped_attributes_count);
    object.list("events", span.events.iter().map(event));
    object.number("droppedEventsCount", span.dropped_events_count);
    object.list("links", span.links.iter().map(link));
    object.number("droppedLinksCount", span.dropped_links_count);
    let mut status = Object::default();
    if let Some(of) = &span.status {
        status.text("message", &of.message);
        if let Ok(code @ (StatusCode::Ok | StatusCode::Error)) = StatusCode::try_from(of.code) {
            status.text("code", code.as_str_name());
        }
    }
    object.put("status", status.into_json());
    object.into_json()
}

fn event(event: &Event) -> Json {
    let mut object = Object::default();
    object.long("timeUnixNano", event.time_unix_nano);
    object.text("name", &event.name);
    object.list("attributes", event.attributes.iter().map(pair));
    object.number("droppedAttributesCount", event.dropped_attributes_count);
    object.into_json()
}

fn link(link: &Link) -> Json {
    let mut object = Object::default();
    object.bytes("traceId", &link.trace_id);
    object.bytes("spanId", &link.span_id);
    object.text("traceState", &link.trace_state);
    object.list("attributes", link.attributes.iter().map(pair));
    object.number("droppedAttributesCount", link.dropped_attributes_count);
    object.number("flags", link.flags);
    object.into_json()
}

fn pair(pair: &KeyValue) -> Json {
    json!({"key": pair.key, "value": pair.value.as_ref().map_or_else(|| json!({}), value)})
}

fn value(value: &AnyValue) -> Json {
    match &value.value {
        Some(Value::StringValue(text)) => json!({"stringValue": text}),
        Some(Value::BoolValue(flag)) => json!({"boolValue": flag}),
        Some(Value::IntValue(number)) => json!({"intValue": number.to_string()}),
        Some(Value::DoubleValue(number)) => json!({"doubleValue": double(*number)}),
        Some(Value::BytesValue(bytes)) => json!({"bytesValue": STANDARD.encode(bytes)}),
        Some(Value::ArrayValue(array)) => {
            json!({"arrayValue": {"values": array.values.iter().map(self::value).collect::<Vec<_>>()}})
        }
        Some(Value::KvlistValue(map)) => {
            json!({"kvlistValue": {"values": map.values.iter().map(pair).collect::<Vec<_>>()}})
        }
        Some(Value::StringValueStrindex(_)) | None => json!({}),
    }
}

/// JSON has no form for what is no number.
fn double(number: f64) -> Json {
    match number.is_finite() {
        // A whole number has no fraction.
        true if number.fract() == 0.0 && number.abs() < 9e15 => json!(number as i64),
        true => json!(number),
        false if number.is_nan() => json!("NaN"),
        false => json!(if number > 0.0 { "Infinity" } else { "-Infinity" }),
    }
}

// === impl Object ===

impl Object {
    fn put(&mut self, key: &str, value: Json) {
        self.0.insert(key.to_owned(), value);
    }

    fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.put(key, text.into());
        }
    }

    fn bytes(&mut self, key: &str, bytes: &[u8]) {
        self.text(key, &STANDARD.encode(bytes));
    }

    fn number(&mut self, key: &str, number: u32) {
        if number != 0 {
            self.put(key, number.into());
        }
    }

    fn long(&mut self, key: &str, number: u64) {
        if number != 0 {
            self.put(key, number.to_string().into());
        }
    }

    fn list(&mut self, key: &str, list: impl Iterator<Item = Json>) {
        let list: Vec<Json> = list.collect();
        if !list.is_empty() {
            self.put(key, list.into());
        }
    }

    fn into_json(self) -> Json {
        Json::Object(self.0)
    }
}
