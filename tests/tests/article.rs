//! The whole way of a span: a real application with real SDKs, spanmill as it is shipped, a real Jaeger and a real Tempo.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use spanmill_tests::collector::Collector;
use spanmill_tests::figure;
use spanmill_tests::jaeger::{Jaeger, JaegerSpan};
use spanmill_tests::process::{Running, folder};
use spanmill_tests::python::{self, Provider};
use spanmill_tests::tempo::Tempo;
use spanmill_tests::wait::{PATIENCE, until};

const TEST: &str = "article";

/// What each application asks the provider for, all at the same time; see `SCENARIOS` in `mock_provider.py`.
const SCENARIOS: [&str; 12] = [
    "chat",
    "fast_small",
    "slow_small",
    "slow_large",
    "slow_but_cut_off",
    "cached",
    "tool",
    "stream",
    "stream_slow_start",
    "stream_breaks",
    "rate_limited",
    "overloaded",
];

/// The applications: the value of OTEL_SERVICE_NAME and of OTEL_EXPORTER_OTLP_PROTOCOL.
const SERVICES: [(&str, &str); 2] = [("chat-by-grpc", "grpc"), ("chat-by-http", "http/protobuf")];

/// Scenario: two applications, one exporting over gRPC and one over HTTP, wrap their calls of the Anthropic SDK in spans by hand.
/// The SDK traces itself as well, so every call yields two spans. Some calls are slow although they are small, others are slow
/// for a reason, cut off, cached, streamed, broken or refused. `config/jaeger-and-tempo.yaml` stands between them and a real Jaeger and Tempo.
/// Guarantees: Jaeger finds exactly the slow small calls by a tag, and Tempo by the same flag; Tempo finds by numbers
/// exactly the calls with few input tokens and a long duration; of the spans of one call exactly one owns its usage, so that the sums over owners are
/// what the provider served; counts, finish reason and time to first token are the provider's; failures have their class.
#[test]
fn slow_small_calls_are_found_in_jaeger_and_tempo() {
    let Some(python) = python::interpreter(TEST) else { return };
    let Some(jaeger) = Jaeger::start(TEST) else { return };
    let Some(tempo) = Tempo::start(TEST) else { return };
    let provider = Provider::start(&python);
    let (mut spanmill, [grpc, http]) = Collector::between(&jaeger, &tempo);

    let applications = SERVICES.map(|(service, protocol)| {
        let port = if protocol == "grpc" { grpc } else { http };
        start_application(&python, &provider, service, protocol, port)
    });
    for mut application in applications {
        let status = application.await_end();
        assert!(status.success(), "the application ended with {status}:\n{}", application.log());
        assert!(!application.log().contains("Failed to export"), "{}", application.log());
    }

    let calls = Calls::served(&provider);
    assert_eq!(calls.0.len(), SCENARIOS.len() * SERVICES.len());
    let expected = 2 * calls.0.len();
    let spans = until("jaeger shows all spans", PATIENCE, || {
        let found: Vec<JaegerSpan> = SERVICES.iter().flat_map(|(service, _)| jaeger.spans(service, &[])).collect();
        (found.len() >= expected).then_some(found)
    });
    assert_eq!(spans.len(), expected);
    until("tempo shows all spans", PATIENCE, || {
        let found = tempo.search(r#"{ resource.service.name =~ "chat-by-.*" }"#);
        (found.len() == expected).then_some(())
    });
    let traces = Traces::new(spans);

    let slow_small = calls.ids(|call| is_slow_small(call) && text(call, "finish") == "end_turn");
    assert_eq!(slow_small.len(), 2 * SERVICES.len(), "the script has two of them for each application");
    let in_jaeger = SERVICES.iter().flat_map(|(service, _)| jaeger.spans(service, &[("spanmill.slow_small", "true")]));
    let flagged = in_jaeger.filter(|span| span.tags.get("spanmill.slow_small") == Some(&Value::Bool(true)));
    assert_eq!(traces.calls(flagged.map(|span| span.trace_id)), slow_small, "jaeger: spanmill.slow_small=true");
    let in_tempo = tempo.search("{ span.spanmill.slow_small = true }");
    assert_eq!(traces.calls(in_tempo.into_iter().map(|(trace, _)| trace)), slow_small, "tempo: the flag");
    let by_numbers = tempo.search("{ span.gen_ai.usage.input_tokens < 2000 && duration > 5s }");
    assert_eq!(
        traces.calls(by_numbers.into_iter().map(|(trace, _)| trace)),
        calls.ids(is_slow_small),
        "tempo: numbers"
    );

    for call in calls.0.iter().filter(|call| call["status"] == 200 && call["complete"] == true) {
        let owner = traces.owner(text(call, "response_id"));
        assert_agrees(owner, call);
    }
    let billed = traces.billed(&calls.ids(|call| call["complete"] == true));
    assert_eq!(billed, calls.sums(), "the bill: input and output tokens of all owners");

    for (class, scenarios) in [("rate_limit", &["rate_limited"][..]), ("overloaded", &["overloaded", "stream_breaks"])]
    {
        let failed = SERVICES.iter().flat_map(|(service, _)| jaeger.spans(service, &[("spanmill.error.class", class)]));
        let traces: BTreeSet<String> = failed.map(|span| span.trace_id).collect();
        let refused = calls.0.iter().filter(|call| scenarios.contains(&text(call, "scenario"))).count();
        assert_eq!(traces.len(), refused, "traces with spanmill.error.class={class}");
    }
    spanmill.stop();
    let (found, all) = (slow_small.len(), calls.0.len());
    figure(TEST, &format!("{found} slow small calls of {all} found in Jaeger and in Tempo, every call with one owner"));
}

fn start_application(python: &Path, provider: &Provider, service: &str, protocol: &str, port: u16) -> Running {
    let mut command = Command::new(python);
    command.arg(python::programs().join("chat_service.py")).arg(provider.url()).args(SCENARIOS);
    command.env("OTEL_SERVICE_NAME", service);
    command.env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{port}"));
    Running::start(service, &mut command, folder(service))
}

/// What the provider served.
struct Calls(Vec<Value>);

/// What Jaeger shows, joined to calls by response id: only the SDK's span of a call has it, and each call has a trace of its own.
struct Traces {
    by_trace: BTreeMap<String, Vec<JaegerSpan>>,
    trace_of_call: BTreeMap<String, String>,
}

/// More than five seconds for fewer than two thousand input tokens, whatever it ended with.
fn is_slow_small(call: &Value) -> bool {
    call["status"] == 200 && call["server_ms"].as_u64() > Some(5_000) && call["input_tokens"].as_u64() < Some(2_000)
}

fn text<'a>(call: &'a Value, name: &str) -> &'a str {
    call[name].as_str().unwrap_or_default()
}

/// The owner of a call says what the provider says.
fn assert_agrees(owner: &JaegerSpan, call: &Value) {
    let tag = |name: &str| owner.tags.get(name).cloned().unwrap_or(Value::Null);
    let scenario = text(call, "scenario");
    assert_eq!(tag("gen_ai.usage.input_tokens"), call["input_tokens"], "{scenario}");
    assert_eq!(tag("gen_ai.usage.output_tokens"), call["output_tokens"], "{scenario}");
    assert_eq!(tag("gen_ai.provider.name"), "anthropic", "{scenario}");
    let finish = match text(call, "finish") {
        "end_turn" => "stop",
        "max_tokens" => "length",
        "tool_use" => "tool_call",
        other => panic!("the script knows no {other}"),
    };
    assert_eq!(tag("spanmill.finish_reason"), finish, "{scenario}");
    if let Some(first) = call["ttft_ms"].as_f64() {
        let said = tag("gen_ai.response.time_to_first_chunk").as_f64().unwrap_or_default() * 1e3;
        assert!(
            said >= first - 50.0 && said <= first + 2_000.0,
            "{scenario}: first token after {first} ms, not {said} ms"
        );
    }
}

// === impl Calls ===

impl Calls {
    fn served(provider: &Provider) -> Self {
        Self(provider.truth())
    }

    /// The response ids of the calls that `choose` takes.
    fn ids(&self, choose: impl Fn(&Value) -> bool) -> BTreeSet<String> {
        let chosen = self.0.iter().filter(|call| choose(call) && call["response_id"].is_string());
        chosen.map(|call| text(call, "response_id").to_owned()).collect()
    }

    /// The tokens of all complete calls, in and out.
    fn sums(&self) -> (u64, u64) {
        let complete = self.0.iter().filter(|call| call["complete"] == true && call["status"] == 200);
        complete.fold((0, 0), |(input, output), call| {
            let count = |name: &str| call[name].as_u64().unwrap_or_default();
            (input + count("input_tokens"), output + count("output_tokens"))
        })
    }
}

// === impl Traces ===

impl Traces {
    fn new(spans: Vec<JaegerSpan>) -> Self {
        let mut by_trace: BTreeMap<String, Vec<JaegerSpan>> = BTreeMap::new();
        let mut trace_of_call = BTreeMap::new();
        for span in spans {
            if let Some(id) = span.tags.get("gen_ai.response.id").and_then(Value::as_str) {
                trace_of_call.insert(id.to_owned(), span.trace_id.clone());
            }
            by_trace.entry(span.trace_id.clone()).or_default().push(span);
        }
        Self { by_trace, trace_of_call }
    }

    /// The response ids of the calls that these traces are of.
    fn calls(&self, traces: impl Iterator<Item = String>) -> BTreeSet<String> {
        let traces: BTreeSet<String> = traces.collect();
        self.trace_of_call.iter().filter(|(_, trace)| traces.contains(*trace)).map(|(id, _)| id.clone()).collect()
    }

    /// The one span of a call that owns its usage.
    fn owner(&self, response_id: &str) -> &JaegerSpan {
        let spans = &self.by_trace[&self.trace_of_call[response_id]];
        assert_eq!(spans.len(), 2, "the wrapper's span and the SDK's");
        let owners: Vec<&JaegerSpan> = spans
            .iter()
            .filter(|span| span.tags.get("spanmill.usage.role").is_some_and(|role| role == "owner"))
            .collect();
        assert_eq!(owners.len(), 1, "{spans:#?}");
        owners[0]
    }

    /// The tokens of the owners of these calls, in and out.
    fn billed(&self, calls: &BTreeSet<String>) -> (u64, u64) {
        calls.iter().map(|id| self.owner(id)).fold((0, 0), |(input, output), owner| {
            let count = |name: &str| owner.tags.get(name).and_then(Value::as_u64).unwrap_or_default();
            (input + count("gen_ai.usage.input_tokens"), output + count("gen_ai.usage.output_tokens"))
        })
    }
}
