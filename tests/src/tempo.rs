//! A real Tempo, in one process with a throw-away folder.

use std::collections::BTreeSet;
use std::process::Command;

use xtask::peers::Peer;

use crate::http::Client;
use crate::ports;
use crate::process::{Running, folder};
use crate::spans::{SpanId, flatten};

/// A running Tempo.
#[derive(Debug)]
pub struct Tempo {
    /// Where it takes OTLP over gRPC.
    pub grpc: u16,
    /// Where it takes OTLP over HTTP.
    pub http: u16,
    query: u16,
    client: Client,
    _process: Running,
}

// === impl Tempo ===

impl Tempo {
    /// Starts a Tempo and waits until it is ready; where there is none, says that `test` was skipped.
    pub fn start(test: &str) -> Option<Self> {
        let binary = crate::peer(test, Peer::Tempo)?;
        let [grpc, http, query, internal] = ports::several();
        let folder = folder("tempo");
        let config = xtask::cache::root().join("tests/peers/tempo.yaml");
        let mut command = Command::new(binary);
        command.arg("-config.expand-env=true").arg(format!("-config.file={}", config.display()));
        command.env("TEMPO_OTLP_GRPC_PORT", grpc.to_string());
        command.env("TEMPO_OTLP_HTTP_PORT", http.to_string());
        command.env("TEMPO_HTTP_PORT", query.to_string());
        command.env("TEMPO_GRPC_PORT", internal.to_string());
        command.env("TEMPO_DIR", folder.path().join("data"));
        let mut process = Running::start("tempo", &mut command, folder);
        let client = Client::new();
        let ready = format!("http://127.0.0.1:{query}/ready");
        process.await_that("tempo is ready", |_| client.get(&ready, &[]).ok().filter(|answer| answer.status == 200));
        Some(Self { grpc, http, query, client, _process: process })
    }

    /// The spans that a TraceQL query selects, over all times since 2020 that Tempo can be asked about (its seconds have 32 bits).
    pub fn search(&self, query: &str) -> BTreeSet<SpanId> {
        let url = format!("http://127.0.0.1:{}/api/search", self.query);
        let times = [("start", "1577836800"), ("end", "2147483647")];
        let parameters = [&times[..], &[("q", query), ("limit", "1000"), ("spss", "100")]].concat();
        let answer = self.client.get(&url, &parameters).expect("tempo answers").json();
        let mut found = BTreeSet::new();
        for trace in answer["traces"].as_array().into_iter().flatten() {
            // Tempo leaves out leading zeros of trace ids.
            let trace_id = format!("{:0>32}", trace["traceID"].as_str().unwrap_or_default());
            for set in trace["spanSets"].as_array().into_iter().flatten() {
                let spans = set["spans"].as_array().into_iter().flatten();
                let ids = spans.map(|span| format!("{:0>16}", span["spanID"].as_str().unwrap_or_default()));
                found.extend(ids.map(|id| (trace_id.clone(), id)));
            }
        }
        found
    }

    /// How many spans of a trace are there, whether or not they came together: a search may show fewer of such a trace.
    pub fn spans_of(&self, trace_id: &str) -> usize {
        let url = format!("http://127.0.0.1:{}/api/v2/traces/{trace_id}", self.query);
        let answer = self.client.get(&url, &[]).expect("tempo answers").json();
        flatten(&answer["trace"]).len()
    }
}
