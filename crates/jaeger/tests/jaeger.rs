//! An unchanged Jaeger over our store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use serde_json::Value;
use spanmill_otlp::Traces;
use spanmill_store::{Options, Store};
use support::{Running, Sent, ask, escaped, fill, hex, json, peer, peers_folder, ports, spans, start};
use tokio::net::TcpListener;

struct Jaeger {
    http: u16,
    now_us: i64,
    _running: Running,
}

impl Jaeger {
    async fn start(test: &str, storage: u16, now_us: i64) -> Option<Self> {
        let binary = peer(test, "jaeger")?;
        let [http, grpc, health] = ports();
        let mut command = Command::new(binary);
        command.arg("--config").arg(peers_folder().join("../../deploy/jaeger-reads-spanmill.yaml"));
        command.env("SPANMILL_STORAGE", format!("127.0.0.1:{storage}"));
        command.env("JAEGER_HTTP_PORT", http.to_string());
        command.env("JAEGER_QUERY_GRPC_PORT", grpc.to_string());
        command.env("JAEGER_HEALTH_PORT", health.to_string());
        let running = start(&mut command, health, "/status", r#""healthy":true"#).await;
        Some(Self { http, now_us, _running: running })
    }

    async fn data(&self, path: &str) -> Vec<Value> {
        json(self.http, path).await["data"].as_array().cloned().unwrap_or_default()
    }

    async fn search(&self, service: &str, tags: &[(&str, &str)], more: &str) -> Vec<Value> {
        let tags: BTreeMap<_, _> = tags.iter().copied().collect();
        let tags = escaped(&serde_json::to_string(&tags).unwrap());
        let (start, end) = (self.now_us - 7_200_000_000, self.now_us + 60_000_000);
        let path =
            format!("/api/traces?service={}&start={start}&end={end}&limit=1000&tags={tags}{more}", escaped(service));
        self.data(&path).await
    }

    async fn found(&self, service: &str, tags: &[(&str, &str)], more: &str) -> BTreeSet<String> {
        let traces = self.search(service, tags, more).await;
        traces.iter().map(|trace| trace["traceID"].as_str().unwrap().to_owned()).collect()
    }
}

fn value<'a>(span: &'a Span, key: &str) -> Option<&'a Any> {
    span.attributes.iter().find(|pair| pair.key == key)?.value.as_ref()?.value.as_ref()
}

fn number(span: &Span, key: &str) -> Option<f64> {
    match value(span, key)? {
        Any::IntValue(number) => Some(*number as f64),
        Any::DoubleValue(number) => Some(*number),
        _ => None,
    }
}

fn text<'a>(span: &'a Span, key: &str) -> Option<&'a str> {
    match value(span, key)? {
        Any::StringValue(text) => Some(text),
        _ => None,
    }
}

/// The traces of a service with a span of that kind.
fn traces(sent: &[Sent], service: &str, is: impl Fn(&Span) -> bool) -> BTreeSet<String> {
    let spans = sent.iter().filter(|sent| sent.service == service && is(&sent.span));
    spans.map(|sent| hex(&sent.span.trace_id)).collect()
}

/// One service calls another, twice.
fn calls_of_services(now_unix_nano: u64) -> ExportTraceServiceRequest {
    let group = |service: &str, spans: Vec<Span>| {
        let value = AnyValue { value: Some(Any::StringValue(service.into())) };
        let attributes = vec![KeyValue { key: "service.name".into(), value: Some(value), key_strindex: 0 }];
        let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
        ResourceSpans {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_spans,
            ..ResourceSpans::default()
        }
    };
    let span = |id: u8, parent: Option<u8>| Span {
        trace_id: vec![0xab; 16],
        span_id: vec![id; 8],
        parent_span_id: parent.map_or_else(Vec::new, |parent| vec![parent; 8]),
        name: format!("span {id}"),
        kind: 2,
        start_time_unix_nano: now_unix_nano - 1_000_000_000,
        end_time_unix_nano: now_unix_nano,
        ..Span::default()
    };
    let front = group("front", vec![span(1, None), span(2, Some(1))]);
    let back = group("back", vec![span(3, Some(1)), span(4, Some(2)), span(5, Some(4))]);
    ExportTraceServiceRequest { resource_spans: vec![front, back] }
}

/// Scenario: traffic of several services is in the store, in memory and in files, and a stock Jaeger reads from it.
/// Guarantees: services, operations and dependencies are those that were sent; searches by text, number, range, pattern and negation
/// find exactly the traces that have such a span; a trace by its id is what was sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jaeger_shows_and_searches_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Options::new(folder.path().to_str().unwrap()), "writer").await.unwrap();
    let now = u64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap();
    let mut sent = fill(&store, now, 300).await;
    let linked = calls_of_services(now);
    store.add(&Traces::parse(linked.encode_to_vec().into()).unwrap(), None);
    sent.extend(spans(&linked));

    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let storage = listener.local_addr().unwrap().port();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(spanmill_jaeger::serve(listener, spanmill_jaeger::service(store), async {
        let _ = stopped.await;
    }));
    let test = "jaeger_shows_and_searches_the_store";
    let Some(jaeger) = Jaeger::start(test, storage, i64::try_from(now / 1_000).unwrap()).await else { return };

    let services: BTreeSet<&str> = sent.iter().map(|sent| sent.service.as_str()).collect();
    let shown = jaeger.data("/api/services").await;
    assert_eq!(shown.iter().filter_map(Value::as_str).collect::<BTreeSet<_>>(), services);

    let service =
        sent.iter().find(|sent| number(&sent.span, "gen_ai.usage.input_tokens").is_some()).unwrap().service.clone();
    let kinds = ["", "internal", "server", "client", "producer", "consumer"];
    let operations: BTreeSet<(String, &str)> = sent
        .iter()
        .filter(|sent| sent.service == service)
        .map(|sent| (sent.span.name.clone(), kinds[usize::try_from(sent.span.kind).unwrap()]))
        .collect();
    let shown = jaeger.data(&format!("/api/operations?service={}", escaped(&service))).await;
    let shown: BTreeSet<(String, &str)> = shown
        .iter()
        .map(|shown| (shown["name"].as_str().unwrap().to_owned(), shown["spanKind"].as_str().unwrap()))
        .collect();
    assert_eq!(shown, operations);

    let shown = jaeger.data(&format!("/api/dependencies?endTs={}&lookback=7200000", now / 1_000_000)).await;
    let shown = shown.iter().find(|edge| edge["parent"] == "front").unwrap();
    assert_eq!((&shown["child"], &shown["callCount"]), (&Value::from("back"), &Value::from(2)));

    searches(&jaeger, &sent, &service).await;
    by_id(&jaeger, &sent).await;

    drop(jaeger);
    stop.send(()).unwrap();
    server.await.unwrap();
}

async fn searches(jaeger: &Jaeger, sent: &[Sent], service: &str) {
    const TOKENS: &str = "gen_ai.usage.input_tokens";
    const MODEL: &str = "gen_ai.request.model";
    let tokens = |span: &Span| number(span, TOKENS);
    let few = traces(sent, service, |span| tokens(span).is_some_and(|tokens| tokens < 2000.0));
    let all = traces(sent, service, |_| true);
    assert!(!few.is_empty() && few.len() < all.len(), "{} of {}", few.len(), all.len());
    assert_eq!(jaeger.found(service, &[], "").await, all);
    assert_eq!(jaeger.found(service, &[(TOKENS, "<2000")], "").await, few);
    let many = traces(sent, service, |span| tokens(span).is_some_and(|tokens| tokens >= 2000.0));
    assert_eq!(jaeger.found(service, &[(TOKENS, ">=2000")], "").await, many);
    let some = traces(sent, service, |span| tokens(span).is_some_and(|tokens| (500.0..=1500.0).contains(&tokens)));
    assert_eq!(jaeger.found(service, &[(TOKENS, "500..1500")], "").await, some);

    let model = sent.iter().filter(|sent| sent.service == service).find_map(|sent| text(&sent.span, MODEL)).unwrap();
    let same = traces(sent, service, |span| text(span, MODEL) == Some(model));
    assert_eq!(jaeger.found(service, &[(MODEL, model)], "").await, same);
    let other = traces(sent, service, |span| text(span, MODEL).is_some_and(|other| other != model));
    assert_eq!(jaeger.found(service, &[(MODEL, &format!("!={model}"))], "").await, other);
    let begin = model.get(..3).unwrap();
    let alike = traces(sent, service, |span| text(span, MODEL).is_some_and(|other| other.starts_with(begin)));
    assert_eq!(jaeger.found(service, &[(MODEL, &format!("{begin}*"))], "").await, alike);
    // Both of one span.
    let both = traces(sent, service, |span| {
        text(span, MODEL) == Some(model) && tokens(span).is_some_and(|tokens| tokens < 2000.0)
    });
    assert_eq!(jaeger.found(service, &[(MODEL, model), (TOKENS, "<2000")], "").await, both);

    let failed = traces(sent, service, |span| span.status.as_ref().is_some_and(|status| status.code == 2));
    assert_eq!(jaeger.found(service, &[("error", "true")], "").await, failed);
    let slow = traces(sent, service, |span| span.end_time_unix_nano - span.start_time_unix_nano >= 5_000_000_000);
    assert_eq!(jaeger.found(service, &[], "&minDuration=5s").await, slow);
    assert_eq!(jaeger.found(service, &[("duration", ">=5s")], "").await, slow);
    // What people type is never SQL.
    assert!(jaeger.found(service, &[("x' OR '1'='1", "' OR 1=1 --")], "").await.is_empty());

    let newest = jaeger.search(service, &[], "&limit=3").await;
    assert!(!newest.is_empty());
}

async fn by_id(jaeger: &Jaeger, sent: &[Sent]) {
    let mut by_trace: BTreeMap<String, Vec<&Sent>> = BTreeMap::new();
    for sent in sent {
        by_trace.entry(hex(&sent.span.trace_id)).or_default().push(sent);
    }
    for (id, spans) in by_trace.iter().take(20) {
        let trace = jaeger.data(&format!("/api/traces/{id}")).await.remove(0);
        let shown = trace["spans"].as_array().unwrap();
        assert_eq!(shown.len(), spans.len(), "{id}");
        for sent in spans {
            let span = &sent.span;
            let shown = shown.iter().find(|shown| shown["spanID"] == hex(&span.span_id).as_str()).unwrap();
            assert_eq!(shown["operationName"], span.name.as_str());
            assert_eq!(shown["startTime"], span.start_time_unix_nano / 1_000);
            assert_eq!(shown["logs"].as_array().map_or(0, Vec::len), span.events.len());
            let process = shown["processID"].as_str().unwrap();
            assert_eq!(trace["processes"][process]["serviceName"], sent.service.as_str());
            let tags = shown["tags"].as_array().unwrap();
            for pair in &span.attributes {
                let tag = tags
                    .iter()
                    .find(|tag| tag["key"] == pair.key.as_str())
                    .unwrap_or_else(|| panic!("no {}", pair.key));
                match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
                    Some(Any::IntValue(number)) => {
                        assert_eq!((&tag["type"], tag["value"].as_i64()), (&"int64".into(), Some(*number)))
                    }
                    Some(Any::DoubleValue(number)) => {
                        assert_eq!((&tag["type"], tag["value"].as_f64()), (&"float64".into(), Some(*number)))
                    }
                    Some(Any::BoolValue(flag)) => assert_eq!(tag["value"], *flag),
                    Some(Any::StringValue(text)) => assert_eq!(tag["value"], text.as_str()),
                    _ => {}
                }
            }
        }
    }
    let (status, _) = tokio::task::spawn_blocking({
        let http = jaeger.http;
        move || ask(http, "/api/traces/00000000000000000000000000000bad", "*/*").unwrap()
    })
    .await
    .unwrap();
    assert_eq!(status, 404);
}
