//! What tests of processors share.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Map, Value as Json, json};
use spanmill_config::{ComponentId, ConfigError, Section};
use spanmill_otlp::{Limits, Opaque, Signal, Traces, json as otlp_json};
use spanmill_pipeline::{Batch, ConsumeError, Consumer, Context, Node, ProcessorFactory, Telemetry};

/// Keeps the traces that it gets, and the metrics and logs.
#[derive(Default)]
pub(super) struct Sink(pub(super) Mutex<Vec<Traces>>, pub(super) Mutex<Vec<Opaque>>);

/// A processor, what comes out of it, and its metrics.
pub(super) struct Trial {
    pub(super) node: Arc<dyn Node>,
    pub(super) sink: Arc<Sink>,
    pub(super) telemetry: Telemetry,
}

#[async_trait]
impl Consumer for Sink {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        match batch {
            Batch::Traces(traces) => self.0.lock().unwrap().push(traces),
            Batch::Opaque(opaque) => self.1.lock().unwrap().push(opaque),
        }
        Ok(())
    }
}

// === impl Trial ===

impl Trial {
    /// Makes a processor of a pipeline of that signal.
    pub(super) fn new(factory: &ProcessorFactory, yaml: &str, signal: Signal) -> Result<Self, ConfigError> {
        let (sink, telemetry) = (Arc::new(Sink::default()), Telemetry::default());
        let name = factory.kind.name;
        let id = ComponentId::new(name, "").unwrap();
        let section = Section::from_yaml(format!("processors::{name}"), yaml).unwrap();
        let context = Context { id: &id, section: &section, telemetry: &telemetry };
        let node = (factory.create)(context, signal, sink.clone())?;
        Ok(Self { node, sink, telemetry })
    }

    /// What a processor of spans makes of one request.
    pub(super) async fn run(factory: &ProcessorFactory, yaml: &str, request: &Json) -> Json {
        let trial = Self::new(factory, yaml, Signal::Traces).unwrap();
        trial.node.consume(traces(request).into()).await.unwrap();
        trial.sent().remove(0)
    }

    /// What a processor of metrics or logs makes of one request.
    pub(super) async fn run_opaque(factory: &ProcessorFactory, yaml: &str, signal: Signal, request: &Json) -> Json {
        let trial = Self::new(factory, yaml, signal).unwrap();
        trial.node.consume(opaque(signal, request).into()).await.unwrap();
        let sent = trial.sink.1.lock().unwrap().remove(0);
        let mut text = Vec::new();
        otlp_json::from_protobuf(signal, sent.bytes(), &mut text).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    /// What came out, decoded from its bytes.
    pub(super) fn sent(&self) -> Vec<Json> {
        let sent = std::mem::take(&mut *self.sink.0.lock().unwrap());
        sent.iter()
            .map(|traces| {
                let mut text = Vec::new();
                otlp_json::from_protobuf(Signal::Traces, &traces.encode(), &mut text).unwrap();
                serde_json::from_slice(&text).unwrap()
            })
            .collect()
    }
}

/// Why a configuration is refused.
pub(super) fn refusal(factory: &ProcessorFactory, yaml: &str, signal: Signal) -> String {
    Trial::new(factory, yaml, signal).err().map_or_else(|| "accepted".to_owned(), |error| error.to_string())
}

/// Whether the Collector would see what is wrong only when it makes the processor: one that no pipeline has may be such.
pub(super) fn is_refused_at_creation(factory: &ProcessorFactory, yaml: &str, signal: Signal) -> bool {
    let refused = Trial::new(factory, yaml, signal).err();
    refused.is_some_and(|error| error.problems().iter().all(|problem| problem.at_creation))
}

/// A request in OTLP/JSON.
pub(super) fn traces(request: &Json) -> Traces {
    let encoded = otlp_json::to_protobuf(Signal::Traces, request.to_string().as_bytes(), &Limits::default()).unwrap();
    Traces::parse(encoded.into()).unwrap()
}

/// A request of metrics or logs in OTLP/JSON.
pub(super) fn opaque(signal: Signal, request: &Json) -> Opaque {
    let encoded = otlp_json::to_protobuf(signal, request.to_string().as_bytes(), &Limits::default()).unwrap();
    Opaque::parse(signal, encoded.into()).unwrap()
}

/// A request with one scope of one resource, with those attributes and spans.
pub(super) fn request(resource: &Json, spans: &[Json]) -> Json {
    let scope = json!({"scope": {"name": "lib", "version": "1.0"}, "spans": spans});
    json!({"resourceSpans": [{"resource": {"attributes": attributes(resource)}, "scopeSpans": [scope]}]})
}

/// A span of a trace.
pub(super) fn span(trace: u8, name: &str, attrs: &Json) -> Json {
    let trace_id = format!("{trace:032x}");
    json!({"traceId": trace_id, "spanId": "00f067aa0ba902b7", "name": name, "kind": 3, "attributes": attributes(attrs)})
}

/// A JSON object as attributes.
pub(super) fn attributes(object: &Json) -> Json {
    let of = |(key, value): (&String, &Json)| json!({"key": key, "value": any_value(value)});
    object.as_object().unwrap().iter().map(of).collect()
}

fn any_value(value: &Json) -> Json {
    match value {
        Json::Null => json!({}),
        Json::Bool(flag) => json!({ "boolValue": flag }),
        Json::Number(number) if number.is_i64() => json!({ "intValue": number }),
        Json::Number(number) => json!({ "doubleValue": number }),
        Json::String(text) => json!({ "stringValue": text }),
        Json::Array(items) => json!({"arrayValue": {"values": items.iter().map(any_value).collect::<Vec<_>>()}}),
        Json::Object(_) => json!({"kvlistValue": {"values": attributes(value)}}),
    }
}

/// The attributes of a message as a JSON object, the other way round.
pub(super) fn object(message: &Json) -> Json {
    let entries = message["attributes"].as_array().map_or(&[][..], Vec::as_slice);
    let of = |entry: &Json| (entry["key"].as_str().unwrap_or("").to_owned(), plain(&entry["value"]));
    Json::Object(entries.iter().map(of).collect::<Map<_, _>>())
}

fn plain(value: &Json) -> Json {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else { return Json::Null };
    match kind.as_str() {
        "intValue" => json!(value.as_str().unwrap().parse::<i64>().unwrap()),
        "arrayValue" => value["values"].as_array().map_or(json!([]), |items| items.iter().map(plain).collect()),
        "kvlistValue" => object(&json!({"attributes": value["values"]})),
        _ => value.clone(),
    }
}

/// All spans of a request in OTLP/JSON.
pub(super) fn spans(request: &Json) -> Vec<&Json> {
    let resources = request["resourceSpans"].as_array().unwrap();
    let scopes = resources.iter().flat_map(|resource| resource["scopeSpans"].as_array().unwrap());
    scopes.flat_map(|scope| scope["spans"].as_array().unwrap()).collect()
}
