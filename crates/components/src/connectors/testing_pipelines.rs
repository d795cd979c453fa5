//! What tests of connectors share that choose between pipelines.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::json;
use spanmill_otlp::{Limits, Signal, Traces, json as otlp_json};
use spanmill_pipeline::{Batch, ConsumeError, Consumer, Outputs};

/// The end of a pipeline: keeps what it gets, or refuses it.
#[derive(Default)]
pub(super) struct Sink {
    pub(super) taken: Mutex<Vec<Batch>>,
    pub(super) refusal: Mutex<Option<ConsumeError>>,
}

/// Pipelines with a sink each.
pub(super) struct Pipelines {
    pub(super) sinks: Vec<(String, Arc<Sink>)>,
}

// === impl Sink ===

#[async_trait]
impl Consumer for Sink {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        if let Some(refusal) = self.refusal.lock().unwrap().clone() {
            return Err(refusal);
        }
        self.taken.lock().unwrap().push(batch);
        Ok(())
    }
}

impl Sink {
    /// Names of the spans that came, in order.
    pub(super) fn names(&self) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        let traces = taken.iter().map(|batch| Traces::parse(batch.encode()).unwrap());
        traces
            .flat_map(|traces| {
                traces.spans().map(|span| String::from_utf8_lossy(span.name()).into_owned()).collect::<Vec<_>>()
            })
            .collect()
    }

    /// Refuses, or takes again.
    pub(super) fn refuses(&self, refusal: Option<ConsumeError>) {
        *self.refusal.lock().unwrap() = refusal;
    }
}

// === impl Pipelines ===

impl Pipelines {
    pub(super) fn new(names: &[&str]) -> Self {
        Self { sinks: names.iter().map(|name| ((*name).to_owned(), Arc::default())).collect() }
    }

    pub(super) fn outputs(&self) -> Outputs {
        let named = |(name, sink): &(String, Arc<Sink>)| (name.parse().unwrap(), Arc::clone(sink) as Arc<dyn Consumer>);
        Outputs { pipelines: Some(self.sinks.iter().map(named).collect()), ..Outputs::default() }
    }

    pub(super) fn sink(&self, name: &str) -> &Sink {
        &self.sinks.iter().find(|(known, _)| known == name).unwrap().1
    }

    /// The names of the spans that each pipeline got, and forgets them.
    pub(super) fn names(&self) -> Vec<String> {
        let names = self.sinks.iter().map(|(_, sink)| {
            let names = sink.names().join(" ");
            sink.taken.lock().unwrap().clear();
            names
        });
        names.collect()
    }
}

/// A request: for each resource its `env`, and its spans with their `kind` attribute; a kind of `-` is none.
pub(super) fn request(resources: &[(&str, &[(&str, &str)])]) -> Traces {
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let resources: Vec<_> = resources
        .iter()
        .map(|(env, spans)| {
            let spans: Vec<_> = spans
                .iter()
                .enumerate()
                .map(|(at, (name, kind))| {
                    let attributes = if *kind == "-" { vec![] } else { vec![text("kind", kind), text("x.kind", kind)] };
                    json!({"traceId": "0102030405060708090a0b0c0d0e0f10", "spanId": format!("{:016x}", at + 1), "name": name, "attributes": attributes})
                })
                .collect();
            json!({"resource": {"attributes": [text("env", env), text("x.env", env)]}, "scopeSpans": [{"spans": spans}]})
        })
        .collect();
    let text = json!({"resourceSpans": resources}).to_string();
    let bytes = otlp_json::to_protobuf(Signal::Traces, text.as_bytes(), &Limits::default()).unwrap();
    Traces::parse(Bytes::from(bytes)).unwrap()
}
