//! A server that keeps the spans of a demo, and answers about them.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::collector::Collector;
use crate::http::Client;
use crate::process::folder;
use crate::wait::{PATIENCE, until};
use crate::{ports, spanmill};

/// A server that keeps the spans of a demo.
#[derive(Debug)]
pub struct Served {
    /// The server.
    pub collector: Collector,
    /// How many spans it keeps.
    pub spans: Value,
    client: Client,
    sql: u16,
}

// === impl Served ===

impl Served {
    /// A server whose store has these options beside its folder and its port for SQL; it listens at `ports`, and keeps a demo of so many calls.
    pub fn start(options: &str, ports: &[u16], calls: u32) -> Self {
        let [grpc, sql] = ports::several();
        let config = format!(
            "
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{grpc}'}}}}}}}}
exporters:
  spanstore:
    path: store
    sql: {{endpoint: '127.0.0.1:{sql}'}}
    {options}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [spanstore]}}}}
"
        );
        let collector = Collector::spanmill(&config, &[&[grpc, sql], ports].concat());
        let to = format!("127.0.0.1:{grpc}");
        let spans = demo(&["--calls", &calls.to_string(), "--to", &to, "--format", "json"])["spans"].clone();
        let served = Self { collector, spans, client: Client::new(), sql };
        until("all spans are in the store", PATIENCE, || {
            (served.ask("SELECT count(*) FROM spans")[0][0] == served.spans).then_some(())
        });
        served
    }

    /// A place of its HTTP interface.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.sql)
    }

    /// The rows of an answer over HTTP, each as a list of values.
    pub fn ask(&self, sql: &str) -> Vec<Value> {
        let answer = self.client.post(&self.url("/v1/sql"), &[], sql.as_bytes()).unwrap().json();
        lists(serde_json::from_value(answer["rows"].clone()).unwrap())
    }
}

/// Plays a demo and gives its report, where it is JSON.
pub fn demo(arguments: &[&str]) -> Value {
    let folder = folder("demo");
    let output = Command::new(spanmill())
        .arg("demo")
        .args(arguments)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("the demo starts");
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// Rows as lists of values.
pub fn lists(rows: Vec<serde_json::Map<String, Value>>) -> Vec<Value> {
    rows.into_iter().map(|row| row.into_iter().map(|(_, value)| value).collect()).collect()
}
