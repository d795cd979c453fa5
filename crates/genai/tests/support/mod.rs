//! Small requests, written as JSON, and what the engine makes of them.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "what tests do when they fail")]

pub mod schema;
pub mod texts;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;
use serde_json::{Map, Value as Json, json};
use spanmill_genai::{Engine, Options};
use spanmill_otlp::Traces;

/// When all spans of these tests begin.
pub const START: u64 = 1_790_000_000_000_000_000;

/// A span of a test.
#[derive(Clone)]
pub struct Sample {
    scope: &'static str,
    version: &'static str,
    pub span: Span,
}

/// A span with an id, of a scope, that carries these attributes and takes a second.
pub fn sample(id: u8, scope: &'static str, attributes: &Json) -> Sample {
    let attributes = attributes.as_object().unwrap().iter().map(|(key, value)| attribute(key, value)).collect();
    let span = Span {
        trace_id: vec![7; 16],
        span_id: vec![id; 8],
        kind: 3,
        start_time_unix_nano: START,
        end_time_unix_nano: START + 1_000_000_000,
        attributes,
        ..Span::default()
    };
    Sample { scope, version: "", span }
}

fn attribute(key: &str, value: &Json) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(any(value)), ..KeyValue::default() }
}

fn any(value: &Json) -> AnyValue {
    let value = match value {
        Json::Null => None,
        Json::Bool(flag) => Some(Any::BoolValue(*flag)),
        Json::Number(number) if number.is_f64() => Some(Any::DoubleValue(number.as_f64().unwrap())),
        Json::Number(number) => Some(Any::IntValue(number.as_i64().unwrap())),
        // JSON has no such numbers, so these stand for them.
        Json::String(text) if text == "NaN!" => Some(Any::DoubleValue(f64::NAN)),
        Json::String(text) if text == "Infinity!" => Some(Any::DoubleValue(f64::INFINITY)),
        Json::String(text) => Some(Any::StringValue(text.clone())),
        Json::Array(items) => Some(Any::ArrayValue(ArrayValue { values: items.iter().map(any).collect() })),
        Json::Object(entries) => Some(Any::KvlistValue(KeyValueList {
            values: entries.iter().map(|(key, value)| attribute(key, value)).collect(),
        })),
    };
    AnyValue { value }
}

fn json_of(value: Option<Any>) -> Json {
    match value {
        Some(Any::BoolValue(flag)) => json!(flag),
        Some(Any::IntValue(number)) => json!(number),
        Some(Any::DoubleValue(number)) => json!(number),
        Some(Any::StringValue(text)) => json!(text),
        Some(Any::ArrayValue(list)) => list.values.into_iter().map(|item| json_of(item.value)).collect(),
        Some(Any::KvlistValue(map)) => {
            let entry = |entry: KeyValue| (entry.key, json_of(entry.value.and_then(|value| value.value)));
            map.values.into_iter().map(entry).collect()
        }
        _ => Json::Null,
    }
}

impl Sample {
    pub fn of_version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    pub fn below(mut self, parent: u8) -> Self {
        self.span.parent_span_id = vec![parent; 8];
        self
    }

    pub fn trace(mut self, trace: u8) -> Self {
        self.span.trace_id = vec![trace; 16];
        self
    }

    pub fn name(mut self, name: &str) -> Self {
        self.span.name = name.to_owned();
        self
    }

    pub fn kind(mut self, kind: i32) -> Self {
        self.span.kind = kind;
        self
    }

    /// From and to so many milliseconds after the start.
    pub fn at(mut self, from: u64, to: u64) -> Self {
        self.span.start_time_unix_nano = START + from * 1_000_000;
        self.span.end_time_unix_nano = START + to * 1_000_000;
        self
    }

    pub fn failed(mut self, message: &str) -> Self {
        self.span.status = Some(Status { code: 2, message: message.to_owned() });
        self
    }

    pub fn event(mut self, after_ms: u64, name: &str, attributes: &Json) -> Self {
        let attributes = attributes.as_object().unwrap().iter().map(|(key, value)| attribute(key, value)).collect();
        let time_unix_nano = START + after_ms * 1_000_000;
        self.span.events.push(Event { time_unix_nano, name: name.to_owned(), attributes, ..Event::default() });
        self
    }
}

/// An encoded request of these spans.
pub fn request(samples: &[Sample]) -> Vec<u8> {
    let scope_spans = samples.iter().map(|sample| ScopeSpans {
        scope: Some(InstrumentationScope {
            name: sample.scope.to_owned(),
            version: sample.version.to_owned(),
            ..InstrumentationScope::default()
        }),
        spans: vec![sample.span.clone()],
        ..ScopeSpans::default()
    });
    let resource_spans = vec![ResourceSpans { scope_spans: scope_spans.collect(), ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

/// The attributes of each span, by the first byte of its id.
pub type Seen = HashMap<u8, Map<String, Json>>;

/// An engine with these options.
pub fn engine(options: &Options) -> Engine {
    Engine::new(options).unwrap()
}

/// What an engine with default options makes of one request.
pub fn normalise(samples: &[Sample]) -> Seen {
    pass(&engine(&Options::default()), samples)
}

/// What this engine makes of a request. No key may stand twice, and a second pass may change nothing.
pub fn pass(engine: &Engine, samples: &[Sample]) -> Seen {
    let mut traces = Traces::parse(request(samples).into()).unwrap();
    engine.process(&mut traces);
    let bytes = traces.encode();
    let mut again = Traces::parse(bytes.clone()).unwrap();
    engine.process(&mut again);
    assert!(again.encode() == bytes, "a second pass changed something");
    seen(&bytes)
}

/// Beginnings of the keys that an engine may write.
const WRITTEN: [&str; 6] = ["gen_ai.", "spanmill.", "openai.", "server.", "user.", "error."];

/// The attributes of the spans of an encoded request. No key may stand twice, unless an exporter wrote it so and nobody else does.
pub fn seen(bytes: &[u8]) -> Seen {
    let decoded = ExportTraceServiceRequest::decode(bytes).unwrap();
    let spans = decoded.resource_spans.into_iter().flat_map(|resource| resource.scope_spans).flat_map(|it| it.spans);
    spans
        .map(|span| {
            let mut seen = Map::new();
            for attribute in span.attributes {
                let value = json_of(attribute.value.and_then(|value| value.value));
                let before = seen.insert(attribute.key.clone(), value);
                let written = WRITTEN.iter().any(|start| attribute.key.starts_with(start));
                assert!(before.is_none() || !written, "{} stands twice", attribute.key);
            }
            (span.span_id[0], seen)
        })
        .collect()
}

/// Checks that all of `expected` is there, with type and value; null means that the attribute must not be there.
pub fn assert_has(seen: &Map<String, Json>, expected: &Json, what: &str) {
    for (key, value) in expected.as_object().unwrap() {
        let found = seen.get(key).cloned().unwrap_or(Json::Null);
        let same_type = found.is_f64() == value.is_f64();
        assert!(found == *value && same_type, "{what}: {key} is {found}, not {value}\n{seen:#?}");
    }
}

/// The recordings of real instrumentations: the project's own, and those beside the repository.
pub fn recordings() -> Option<Vec<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    for folder in [root.join("tests/corpus"), root.join("../shared/corpus")] {
        let before = found.len();
        gather(&folder, &mut found);
        if found.len() == before {
            eprintln!("skipped: no recordings at {}", folder.display());
        }
    }
    found.sort();
    (!found.is_empty()).then_some(found)
}

fn gather(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            gather(&path, found);
        } else if path.to_str().is_some_and(|name| name.ends_with(".pb") && !name.ends_with(".logs.pb")) {
            found.push(path);
        }
    }
}
