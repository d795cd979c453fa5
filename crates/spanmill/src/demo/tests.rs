use std::collections::{BTreeMap, BTreeSet};

use arrow::array::AsArray;
use arrow::datatypes::{Int64Type, Schema};
use spanmill_console::Answer;
use spanmill_loadgen::{Cause, Options, Outcome, Traffic};
use spanmill_otlp::Traces;

use super::findings::{Findings, SlowSmall};
use super::presentation::Report;
use super::*;

const NOW: u64 = 1_795_500_000_000_000_000;

fn traffic(seed: u64, calls: usize) -> Traffic {
    Traffic::generate(&Options { seed, calls, now_unix_nano: NOW, period: Duration::from_secs(900) })
}

async fn played(traffic: &Traffic) -> (Findings, Answer) {
    let store = tempfile::tempdir().unwrap();
    let pipeline = Pipeline::start(None, store.path()).await.unwrap();
    let progress = Progress::new(traffic.truth.calls.len(), false);
    player::play(pipeline.ports().grpc, traffic, Duration::ZERO, &progress).await.unwrap();
    let found = pipeline.stop().await.unwrap();
    // A store that is asked without a server has threads of its own, and waits for them.
    let answer = tokio::task::spawn_blocking(move || question::ask(store.path()).unwrap()).await.unwrap();
    (found, answer)
}

/// How many calls the store counts for each cause.
fn counted(answer: &Answer) -> BTreeMap<String, i64> {
    let rows = answer.batches.iter().flat_map(|batch| {
        let (causes, calls) = (batch.column(0).as_string_view(), batch.column(1).as_primitive::<Int64Type>());
        (0..batch.num_rows()).map(|row| (causes.value(row).to_owned(), calls.value(row))).collect::<Vec<_>>()
    });
    rows.collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Scenario: several seeds are played through the demo's pipeline, its gRPC port included.
/// Guarantees: the slow small calls that come out, and those that the store counts by cause, are those that really were, each once, with the right cause, model, duration and
/// tokens; every answered call has one owner; what tells of a call again is no owner; the sums of tokens are the truth.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_out_is_what_happened() {
    for seed in 1..=4 {
        let traffic = traffic(seed, 300);
        let truth = &traffic.truth;
        let (found, answer) = played(&traffic).await;
        let told: BTreeSet<_> = found.slow_small.iter().map(facts).collect();
        let happened: BTreeSet<_> = truth
            .slow_small()
            .map(|(call, cause)| {
                let ids = (hex(&call.trace_id), call.service.to_owned());
                (ids, cause.as_str().to_owned(), call.input_tokens, call.output_tokens)
            })
            .collect();
        assert_eq!(told, happened, "seed {seed}");
        assert_eq!(found.slow_small.len(), told.len(), "seed {seed}");
        let causes = found.causes().into_iter().map(|(cause, count)| (cause.to_owned(), count as i64));
        assert_eq!(counted(&answer), causes.collect(), "seed {seed}");
        for call in &found.slow_small {
            // A span written by hand lasts a little longer than the call inside.
            let near = |real: Duration| real.abs_diff(call.duration) < Duration::from_millis(2);
            assert!(truth.slow_small().any(|(real, _)| hex(&real.trace_id) == call.trace_id && near(real.duration)));
        }
        assert_eq!(found.spans, truth.spans);
        assert_eq!(found.owners, truth.answered(), "seed {seed}");
        assert_eq!((found.duplicates, found.rollups), (truth.duplicates(), truth.rollups), "seed {seed}");
        assert_eq!(found.slow, truth.slow(), "seed {seed}");
        // Most models of the demo are on sale.
        assert!(found.priced * 10 > found.owners * 8 && found.cost > 0.0, "seed {seed}: {found:?}");
        let tokens = (found.input_tokens.unsigned_abs(), found.output_tokens.unsigned_abs());
        assert_eq!(tokens, truth.tokens(), "seed {seed}");
        let failed: usize = found.errors.values().map(BTreeSet::len).sum();
        assert_eq!(failed, truth.failed(), "seed {seed}: {:?}", found.errors.keys());
        let limited = truth.calls.iter().filter(|call| call.outcome == Outcome::RateLimited).count();
        assert_eq!(found.errors.get("rate_limit").map_or(0, BTreeSet::len), limited);
    }
}

type Facts = ((String, String), String, u64, u64);

fn facts(call: &SlowSmall) -> Facts {
    let tokens = |count: Option<i64>| count.unwrap_or_default().unsigned_abs();
    let ids = (call.trace_id.clone(), call.service.clone());
    (ids, call.cause.clone(), tokens(call.input_tokens), tokens(call.output_tokens))
}

/// Scenario: two demos run at once, so the second one finds the default port taken.
/// Guarantees: both start, on different ports.
#[tokio::test]
async fn a_taken_port_is_no_obstacle() {
    let stores = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let first = Pipeline::start(None, stores[0].path()).await.unwrap();
    let second = Pipeline::start(None, stores[1].path()).await.unwrap();
    assert_ne!(first.ports().grpc, second.ports().grpc);
    assert_ne!(first.ports().sql, second.ports().sql);
    first.stop().await.unwrap();
    second.stop().await.unwrap();
}

/// Scenario: the backend named by `--to` is not there.
/// Guarantees: playing fails and says so, instead of losing spans in silence.
#[tokio::test]
async fn a_missing_backend_is_an_error() {
    let store = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let pipeline = Pipeline::start(Some(&format!("127.0.0.1:{port}")), store.path()).await.unwrap();
    let traffic = traffic(1, 5);
    let progress = Progress::new(5, false);
    let error = player::play(pipeline.ports().grpc, &traffic, Duration::ZERO, &progress).await.unwrap_err();
    assert!(matches!(error, DemoError::Refused { .. }), "{error}");
    pipeline.stop().await.unwrap();
}

fn example() -> Findings {
    let call = SlowSmall {
        service: "support-chat".to_owned(),
        model: "claude".to_owned(),
        start_unix_nano: NOW,
        duration: Duration::from_millis(5_640),
        first_token: Some(Duration::from_millis(4_910)),
        input_tokens: Some(613),
        output_tokens: Some(97),
        cause: Cause::SlowStart.as_str().to_owned(),
        trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
    };
    let slower =
        SlowSmall { duration: Duration::from_secs(9), first_token: None, cause: "unknown".to_owned(), ..call.clone() };
    Findings {
        spans: 9,
        owners: 1234,
        input_tokens: 1_234_567,
        priced: 1,
        cost: 12.345,
        slow_small: vec![call, slower],
        ..Findings::default()
    }
}

fn report(findings: &Findings) -> Report<'_> {
    let answer = Answer { schema: Schema::empty().into(), batches: Vec::new(), truncated: false };
    let took = Duration::from_secs(2);
    Report { calls: 40, services: 8, findings, answer, port: 4317, took, to: None, store: None, sql: None }
}

/// Scenario: a result is shown without and with colours.
/// Guarantees: the slowest call comes first, every column is there, and without colours there is no control character.
#[test]
fn the_table_is_for_people() {
    let findings = example();
    let plain = report(&findings).table(false).unwrap();
    assert!(!plain.chars().any(|character| character.is_control() && character != '\n'), "{plain}");
    let (slower, faster) = (plain.find("9.0 s").unwrap(), plain.find("5.6 s").unwrap());
    assert!(slower < faster);
    for part in [
        "12.3",
        "1233 without a price",
        "4.9 s",
        "613",
        "97",
        "slow_start",
        "0af7651916cd43dd8448eb211c80319c",
        "1 234 567",
        "20 calls a second",
    ] {
        assert!(plain.contains(part), "{part} is missing:\n{plain}");
    }
    assert!(report(&findings).table(true).unwrap().contains('\u{1b}'));
}

/// Scenario: a result is shown as JSON.
/// Guarantees: it parses, numbers are numbers, and what is not known is null.
#[test]
fn json_is_for_programs() {
    let findings = example();
    let parsed: serde_json::Value = serde_json::from_str(&report(&findings).json().unwrap()).unwrap();
    assert_eq!(parsed["slow_small"][0]["time_to_first_token_seconds"], serde_json::Value::Null);
    assert_eq!(parsed["slow_small"][1]["input_tokens"], 613);
    assert_eq!(parsed["slow_small_causes"]["slow_start"], 1);
    assert_eq!((&parsed["owners"], &parsed["cost_usd"]), (&1234.into(), &12.345.into()));
}

/// Scenario: an empty request comes out of the pipeline.
/// Guarantees: nothing is found in it.
#[test]
fn nothing_is_found_in_nothing() {
    let mut findings = Findings::default();
    findings.add(&Traces::parse(bytes::Bytes::new()).unwrap());
    assert_eq!((findings.spans, findings.slow_small.len()), (0, 0));
}
