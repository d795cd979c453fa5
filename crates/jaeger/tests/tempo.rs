//! Traces by id as Tempo answers them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::TracesData;
use prost::Message;
use serde_json::Value;
use spanmill_loadgen::{Options as Load, Traffic};
use spanmill_otlp::Traces;
use spanmill_store::{Options, Store};
use support::{ask, hex, json, peer, peers_folder, ports, post, spans, start};
use tower::ServiceExt;

async fn ours(store: &Store, path: &str, accept: &str) -> (u16, String, Vec<u8>) {
    let request = axum::http::Request::get(path).header("accept", accept).body(axum::body::Body::empty()).unwrap();
    let answer = spanmill_jaeger::tempo_routes(store.clone()).oneshot(request).await.unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    let status = answer.status().as_u16();
    (status, kind, axum::body::to_bytes(answer.into_body(), 64 << 20).await.unwrap().to_vec())
}

/// Everything below in an order of its own, since stores do not keep the order of attributes and of groups.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements.iter().map(sorted).collect();
            elements.sort_by_key(Value::to_string);
            elements.into()
        }
        Value::Object(fields) => {
            let fields: std::collections::BTreeMap<_, _> =
                fields.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            Value::Object(fields.into_iter().collect())
        }
        other => other.clone(),
    }
}

/// Tempo leaves out flags and cuts texts off after 2048 bytes; here both are whole.
fn as_tempo_keeps(spans: Value) -> Value {
    match spans {
        Value::Array(elements) => elements.into_iter().map(as_tempo_keeps).collect(),
        Value::Object(mut fields) => {
            fields.shift_remove("flags");
            Value::Object(fields.into_iter().map(|(key, value)| (key, as_tempo_keeps(value))).collect())
        }
        Value::String(text) => text.chars().take(2000).collect::<String>().into(),
        other => other,
    }
}

/// Each span with its resource and scope. Tempo has a resource for each scope, and leaves out where schemas are.
fn flat(groups: &Value) -> Value {
    let mut all = Vec::new();
    for group in groups.as_array().unwrap() {
        for scope in group["scopeSpans"].as_array().unwrap() {
            let spans = scope["spans"].as_array().unwrap();
            all.extend(spans.iter().map(|span| serde_json::json!([group["resource"], scope["scope"], span])));
        }
    }
    sorted(&as_tempo_keeps(all.into()))
}

fn store_of(export: &[u8]) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(export).unwrap()
}

/// Scenario: the same traffic is in the store and in a real Tempo, and both are asked for traces by id, for known and unknown ones.
/// Guarantees: JSON, protobuf and statuses of both routes are Tempo's, with every attribute and its type.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_by_id_are_what_tempo_answers() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Options::new(folder.path().to_str().unwrap()), "writer").await.unwrap();
    let now_unix_nano = u64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap();
    let load = Load { seed: 5, calls: 30, now_unix_nano, period: Duration::from_secs(60) };
    let exports = Traffic::generate(&load).exports;
    for export in &exports {
        store.add(&Traces::parse(export.bytes.clone()).unwrap(), None);
    }
    let sent: Vec<_> = exports.iter().flat_map(|export| spans(&store_of(&export.bytes))).collect();
    let ids: BTreeSet<String> = sent.iter().map(|sent| hex(&sent.span.trace_id)).collect();
    let known = ids.first().unwrap().clone();
    let unknown = "00000000000000000000000000000bad";

    let (status, kind, body) = ours(&store, &format!("/api/traces/{known}"), "application/protobuf").await;
    assert_eq!((status, kind.as_str()), (200, "application/protobuf"));
    let mine: usize = sent.iter().filter(|sent| hex(&sent.span.trace_id) == known).count();
    let count = |data: &TracesData| {
        data.resource_spans.iter().flat_map(|of| &of.scope_spans).map(|of| of.spans.len()).sum::<usize>()
    };
    assert_eq!(count(&TracesData::decode(body.as_slice()).unwrap()), mine);
    assert_eq!(ours(&store, &format!("/api/traces/{unknown}"), "*/*").await.0, 404);
    assert_eq!(ours(&store, "/api/traces/nothex", "*/*").await.0, 400);
    let (status, _, body) = ours(&store, &format!("/api/v2/traces/{unknown}"), "*/*").await;
    assert_eq!((status, body.as_slice()), (200, br#"{"trace":{}}"#.as_slice()));

    let Some(binary) = peer("traces_by_id_are_what_tempo_answers", "tempo") else { return };
    let [grpc, http, query, internal] = ports();
    let mut command = Command::new(binary);
    command.arg("-config.expand-env=true").arg(format!("-config.file={}", peers_folder().join("tempo.yaml").display()));
    command.env("TEMPO_OTLP_GRPC_PORT", grpc.to_string()).env("TEMPO_OTLP_HTTP_PORT", http.to_string());
    command.env("TEMPO_HTTP_PORT", query.to_string()).env("TEMPO_GRPC_PORT", internal.to_string());
    command.env("TEMPO_DIR", folder.path().join("tempo"));
    let _tempo = start(&mut command, query, "/ready", "").await;
    for export in &exports {
        assert_eq!(post(http, "/v1/traces", &export.bytes).unwrap(), 200);
    }
    for id in &ids {
        let spans = sent.iter().filter(|sent| hex(&sent.span.trace_id) == *id).count();
        let two = format!("/api/v2/traces/{id}");
        let mut theirs = json(query, &two).await;
        let deadline = Instant::now() + Duration::from_secs(60);
        while theirs["trace"]["resourceSpans"].to_string().matches("\"spanId\"").count() < spans {
            assert!(Instant::now() < deadline, "Tempo does not have all spans of {id}");
            tokio::time::sleep(Duration::from_millis(50)).await;
            theirs = json(query, &two).await;
        }
        let (_, kind, mine) = ours(&store, &two, "application/json").await;
        assert_eq!(kind, "application/json");
        assert_eq!(
            flat(&serde_json::from_slice::<Value>(&mine).unwrap()["trace"]["resourceSpans"]),
            flat(&theirs["trace"]["resourceSpans"])
        );
        let one = format!("/api/traces/{id}");
        let (_, _, mine) = ours(&store, &one, "application/json").await;
        let mine = &serde_json::from_slice::<Value>(&mine).unwrap()["batches"];
        assert_eq!(flat(mine), flat(&json(query, &one).await["batches"]));
    }
    for path in [format!("/api/traces/{unknown}"), format!("/api/v2/traces/{unknown}"), "/api/traces/nothex".to_owned()]
    {
        let theirs = ask(query, &path, "application/json").unwrap();
        let mine = ours(&store, &path, "application/json").await;
        assert_eq!(mine.0, theirs.0, "{path}: {}", String::from_utf8_lossy(&theirs.1));
    }
}
