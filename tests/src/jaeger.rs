//! A real Jaeger, its store in memory.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Map, Value};
use xtask::peers::Peer;

use crate::http::{Answer, Client};
use crate::ports;
use crate::process::{Running, folder};

/// A running Jaeger.
#[derive(Debug)]
pub struct Jaeger {
    /// Where it takes OTLP over gRPC.
    pub grpc: u16,
    /// Where it takes OTLP over HTTP.
    pub http: u16,
    query: u16,
    client: Client,
    _process: Running,
}

/// A span as Jaeger shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct JaegerSpan {
    /// In hex.
    pub trace_id: String,
    /// In hex.
    pub span_id: String,
    /// Attributes by key.
    pub tags: BTreeMap<String, Value>,
}

// === impl Jaeger ===

impl Jaeger {
    /// Starts a Jaeger and waits until it is healthy; where there is none, says that `test` was skipped.
    pub fn start(test: &str) -> Option<Self> {
        let binary = crate::peer(test, Peer::Jaeger)?;
        let [grpc, http, query, query_grpc, health] = ports::several();
        let mut command = Command::new(binary);
        command.arg("--config").arg(xtask::cache::root().join("tests/peers/jaeger.yaml"));
        command.env("JAEGER_OTLP_GRPC_PORT", grpc.to_string());
        command.env("JAEGER_OTLP_HTTP_PORT", http.to_string());
        command.env("JAEGER_HTTP_PORT", query.to_string());
        command.env("JAEGER_QUERY_GRPC_PORT", query_grpc.to_string());
        command.env("JAEGER_HEALTH_PORT", health.to_string());
        let mut process = Running::start("jaeger", &mut command, folder("jaeger"));
        let client = Client::new();
        let status = format!("http://127.0.0.1:{health}/status");
        process.await_that("jaeger is healthy", |_| {
            client.get(&status, &[]).ok().filter(|answer| answer.text().contains(r#""healthy":true"#))
        });
        Some(Self { grpc, http, query, client, _process: process })
    }

    /// Searches one service's traces by tags, all of which one span must have; over all times since 2020.
    pub fn search(&self, service: &str, tags: &[(&str, &str)]) -> Answer {
        let tags: Map<String, Value> = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
        let tags = Value::Object(tags).to_string();
        let url = format!("http://127.0.0.1:{}/api/traces", self.query);
        let times = [("start", "1577836800000000"), ("end", "4102444800000000"), ("limit", "1000")];
        let query = [&times[..], &[("service", service), ("tags", &tags)]].concat();
        self.client.get(&url, &query).expect("jaeger answers")
    }

    /// The spans of all traces that a search finds, those that do not have the tags too.
    pub fn spans(&self, service: &str, tags: &[(&str, &str)]) -> Vec<JaegerSpan> {
        let answer = self.search(service, tags).json();
        let traces = answer["data"].as_array().cloned().unwrap_or_default();
        traces
            .iter()
            .flat_map(|trace| trace["spans"].as_array().cloned().unwrap_or_default())
            .map(|span| read(&span))
            .collect()
    }
}

fn read(span: &Value) -> JaegerSpan {
    let text = |name: &str| span[name].as_str().unwrap_or_default().to_owned();
    let tags = span["tags"].as_array().into_iter().flatten();
    let tags = tags.map(|tag| (tag["key"].as_str().unwrap_or_default().to_owned(), tag["value"].clone())).collect();
    JaegerSpan { trace_id: text("traceID"), span_id: text("spanID"), tags }
}
