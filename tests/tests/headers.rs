//! Headers that exporters send along: whose data it is reaches the backend.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use spanmill_tests::collector::Collector;
use spanmill_tests::http::Client;
use spanmill_tests::wait::{PATIENCE, until};
use spanmill_tests::{ports, spans};

/// The gateway: what its clients say reaches both backends.
fn gateway(http: u16, [grpc_out, http_out]: [u16; 2]) -> String {
    format!(
        "
extensions:
  headers_setter:
    headers:
      - {{action: upsert, key: X-Scope-OrgID, from_context: x-tenant, default_value: nobody}}
      - {{action: update, key: x-own, value: changed}}
receivers:
  otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:{http}', include_metadata: true}}}}}}
exporters:
  otlp_grpc:
    endpoint: '127.0.0.1:{grpc_out}'
    tls: {{insecure: true}}
    auth: {{authenticator: headers_setter}}
    headers: {{x-own: own}}
  otlp_http:
    endpoint: 'http://127.0.0.1:{http_out}'
    auth: {{authenticator: headers_setter}}
    headers: {{x-own: own}}
    sending_queue: {{batch: {{flush_timeout: 100ms, min_size: 1000, partition: {{metadata_keys: [x-tenant]}}}}}}
service:
  extensions: [headers_setter]
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_grpc, otlp_http]}}
"
    )
}

/// The backends: each writes what it was told into attributes.
fn backend([grpc, http]: [u16; 2]) -> String {
    format!(
        "
receivers:
  otlp/grpc: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{grpc}', include_metadata: true}}}}}}
  otlp/http: {{protocols: {{http: {{endpoint: '127.0.0.1:{http}', include_metadata: true}}}}}}
processors:
  attributes:
    actions:
      - {{key: told.tenant, action: upsert, from_context: metadata.x-scope-orgid}}
      - {{key: told.own, action: upsert, from_context: metadata.x-own}}
exporters:
  file/grpc: {{path: grpc.jsonl, flush_interval: 50ms}}
  file/http: {{path: http.jsonl, flush_interval: 50ms}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces/grpc: {{receivers: [otlp/grpc], processors: [attributes], exporters: [file/grpc]}}
    traces/http: {{receivers: [otlp/http], processors: [attributes], exporters: [file/http]}}
"
    )
}

/// Which service's spans came with which tenant and which header of the exporter's own.
fn told(file: &Path) -> BTreeSet<[String; 3]> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let batches = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let find = |of: &Value, key: &str| {
        let found = of["attributes"].as_array().into_iter().flatten().find(|attribute| attribute["key"] == key);
        found.map(|attribute| attribute["value"]["stringValue"].as_str().unwrap_or_default().to_owned())
    };
    let mut told = BTreeSet::new();
    for batch in batches {
        for resource in batch["resourceSpans"].as_array().into_iter().flatten() {
            let service = find(&resource["resource"], "service.name").unwrap_or_default();
            for span in spans::flatten(&serde_json::json!({"resourceSpans": [resource]})) {
                let of = |key| find(span, key).unwrap_or_default();
                told.insert([service.clone(), of("told.tenant"), of("told.own")]);
            }
        }
    }
    told
}

/// Scenario: two tenants and a client without one send to a gateway that tells a backend whose data it is, over gRPC request by request, over HTTP in batches.
/// Guarantees: the backend hears for each span whose it is, also where requests are joined; headers of the exporter itself can be changed.
#[test]
fn tenants_reach_the_backend() {
    let [http, grpc_out, http_out] = ports::several();
    let backend = Collector::spanmill(&backend([grpc_out, http_out]), &[grpc_out, http_out]);
    let mut gateway = Collector::spanmill(&gateway(http, [grpc_out, http_out]), &[http]);
    let client = Client::new();
    let url = format!("http://127.0.0.1:{http}/v1/traces");
    for (seed, tenant) in [(1, Some("shop")), (2, Some("search")), (3, None), (4, Some("shop"))] {
        let kind = ("content-type", "application/x-protobuf");
        let headers = tenant.map(|tenant| ("x-tenant", tenant)).into_iter().chain([kind]).collect::<Vec<_>>();
        let body = spans::request(tenant.unwrap_or("nobody"), seed, 5);
        assert_eq!(client.post(&url, &headers, &body).unwrap().status, 200);
    }
    let expected = ["nobody", "search", "shop"].map(|tenant| [tenant, tenant, "changed"].map(str::to_owned));
    let expected = BTreeSet::from(expected);
    for file in ["grpc.jsonl", "http.jsonl"] {
        let path = backend.process.file(file);
        until("all spans came", PATIENCE, || (spans::ids(&path).len() == 20).then_some(()));
        assert_eq!(told(&path), expected, "{file}");
    }
    gateway.stop();
}
