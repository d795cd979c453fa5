//! Named questions about a recorded morning, beside what really happened.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::borrow::Cow;
use std::collections::BTreeMap;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use spanmill_query::{QueryService, Question, Request};
use support::{Call, NOON};

async fn question(service: &QueryService, name: &str, given: &[(&'static str, &str)]) -> RecordBatch {
    let of = |(name, value): (&'static str, &str)| (Cow::Borrowed(name), Cow::<str>::Owned(value.to_owned()));
    // None may be given twice.
    let all = [("since", "8h"), ("limit", "1000")];
    let all = all.into_iter().filter(|(name, _)| !given.iter().any(|(own, _)| own == name)).map(of);
    let given = given.iter().copied().map(of);
    let question = Question::named(name).unwrap();
    let request = question.request(all.chain(given), NOON.parse().unwrap()).unwrap();
    support::ask(service, request).await
}

fn texts(rows: &RecordBatch, column: &str) -> Vec<Option<String>> {
    let column = arrow::compute::cast(rows.column_by_name(column).unwrap(), &DataType::Utf8).unwrap();
    column.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
}

fn numbers(rows: &RecordBatch, column: &str) -> Vec<Option<f64>> {
    let column = arrow::compute::cast(rows.column_by_name(column).unwrap(), &DataType::Float64).unwrap();
    column.as_primitive::<Float64Type>().iter().collect()
}

/// The exact percentile, as the first value that so many are not above.
fn percentile(mut values: Vec<i64>, share: f64) -> f64 {
    values.sort_unstable();
    let at = ((values.len() as f64 * share).ceil() as usize).max(1) - 1;
    values[at] as f64 / 1e9
}

/// Scenario: every question with its defaults, about a service that does not exist, and of all times.
/// Guarantees: each is answered; those about a service without spans have no rows.
#[tokio::test(flavor = "multi_thread")]
async fn all_are_answered() {
    let filled = support::morning().await;
    let service = support::service(&filled.store);
    let mut rows = BTreeMap::new();
    for known in Question::all() {
        rows.insert(known.name, question(&service, known.name, &[]).await.num_rows());
        let nothing = question(&service, known.name, &[("service", "nobody")]).await;
        assert_eq!(nothing.num_rows(), 0, "{}", known.name);
        let always = [("since", "1600-01-01"), ("until", "2900-01-01"), ("service", "nobody")];
        assert_eq!(question(&service, known.name, &always).await.num_rows(), 0, "{}", known.name);
    }
    for (name, rows) in &rows {
        let none = ["unpriced-models"].contains(name);
        assert_eq!(*rows == 0, none, "{name}: {rows}");
    }
}

/// Scenario: the question about slow small calls.
/// Guarantees: exactly the calls that were slow although small come, slowest first, with their causes; a service narrows them.
#[tokio::test(flavor = "multi_thread")]
async fn slow_small_calls() {
    let filled = support::morning().await;
    let service = support::service(&filled.store);
    let mut expected: Vec<Call> = support::calls().into_iter().filter(|call| call.slow_small.is_some()).collect();
    expected.sort_by_key(|call| std::cmp::Reverse(call.duration_ns));
    assert!(expected.len() > 10);
    let found = question(&service, "slow-small", &[]).await;
    let causes =
        |calls: &[Call]| calls.iter().map(|call| (call.trace_id.clone(), call.slow_small.clone())).collect::<Vec<_>>();
    let rows: Vec<_> = texts(&found, "trace_id").into_iter().map(Option::unwrap).zip(texts(&found, "cause")).collect();
    let (mut rows, mut expected_rows) = (rows, causes(&expected));
    assert_eq!(numbers(&found, "duration_s")[0].unwrap(), expected[0].duration_ns as f64 / 1e9);
    rows.sort();
    expected_rows.sort();
    assert_eq!(rows, expected_rows);

    let one = expected[0].service.clone();
    let found = question(&service, "slow-small", &[("service", &one)]).await;
    assert_eq!(found.num_rows(), expected.iter().filter(|call| call.service == one).count());
}

/// Scenario: costs by model, service, tenant and user.
/// Guarantees: tokens of each model and service are those of the calls that were answered, each counted once; the money is that of the
/// spans that own it, the same in all four.
#[tokio::test(flavor = "multi_thread")]
async fn costs() {
    let filled = support::morning().await;
    let service = support::service(&filled.store);
    for (name, key, of) in [
        ("cost-by-model", "model", (|call| call.model.clone()) as fn(&Call) -> String),
        ("cost-by-service", "service", |call| call.service.clone()),
    ] {
        let mut expected: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for call in support::calls().iter().filter(|call| call.answered) {
            let sums = expected.entry(of(call)).or_default();
            *sums = (sums.0 + call.input_tokens, sums.1 + call.output_tokens);
        }
        let found = question(&service, name, &[]).await;
        let tokens = numbers(&found, "input_tokens").into_iter().zip(numbers(&found, "output_tokens"));
        let mut by_key: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for (key, (input, output)) in texts(&found, key).into_iter().zip(tokens) {
            let sums = by_key.entry(key.unwrap()).or_default();
            *sums = (sums.0 + input.unwrap() as i64, sums.1 + output.unwrap() as i64);
        }
        by_key.retain(|_, sums| *sums != (0, 0));
        // Some instrumentations tell only which model was asked for.
        for (asked, sums) in by_key.clone().into_iter().filter(|(key, _)| !expected.contains_key(key)) {
            let (_, answered) =
                by_key.iter_mut().find(|(key, _)| key.len() > asked.len() && key.starts_with(&asked)).unwrap();
            *answered = (answered.0 + sums.0, answered.1 + sums.1);
            by_key.remove(&asked);
        }
        assert_eq!(by_key, expected, "{name}");
    }
    let exact: i64 = support::requests().iter().map(cost_of).sum();
    assert!(exact > 0);
    for name in ["cost-by-model", "cost-by-service", "cost-by-tenant", "cost-by-user"] {
        let sum: f64 = numbers(&question(&service, name, &[]).await, "cost").into_iter().flatten().sum();
        assert!((sum * 1e9 - exact as f64).abs() < 2.0, "{name}: {sum} {exact}");
    }
}

/// What the spans of a request that own usage cost, in billionths, read from the attributes.
fn cost_of(traces: &spanmill_otlp::Traces) -> i64 {
    use spanmill_otlp::AnyValue;
    let mut sum = 0;
    for span in traces.resources().flat_map(|resource| resource.scopes()).flat_map(|scope| scope.spans()) {
        let is_owner =
            span.attribute("spanmill.usage.role").is_some_and(|role| matches!(role.get(), AnyValue::Text(b"owner")));
        if let (true, Some(AnyValue::Double(cost))) =
            (is_owner, span.attribute("gen_ai.usage.cost.amount").map(|cost| cost.get()))
        {
            sum += (cost * 1e9).round() as i64;
        }
    }
    sum
}

/// Scenario: percentiles of duration and first token by model.
/// Guarantees: they are those of the answered calls, within the width of a bucket.
#[tokio::test(flavor = "multi_thread")]
async fn percentiles() {
    let filled = support::morning().await;
    let service = support::service(&filled.store);
    let mut by_model: BTreeMap<String, (Vec<i64>, Vec<i64>)> = BTreeMap::new();
    for call in support::calls().into_iter().filter(|call| call.answered) {
        let (durations, firsts) = by_model.entry(call.model).or_default();
        durations.push(call.duration_ns);
        firsts.extend(call.ttft_ns);
    }
    let found = question(&service, "percentiles", &[]).await;
    let models = texts(&found, "model");
    assert!(models.len() >= by_model.len());
    // Some instrumentations tell only which model was asked for: those and the ones that answered are left out.
    let names: Vec<&str> = models.iter().map(|model| model.as_deref().unwrap()).collect();
    let told_alike = |name: &str| {
        by_model.contains_key(name) && !names.iter().any(|other| *other != name && name.starts_with(other))
    };
    assert!(names.iter().filter(|name| told_alike(name)).count() >= 5);
    for (row, model) in models.iter().enumerate().filter(|(_, model)| told_alike(model.as_deref().unwrap())) {
        let (durations, firsts) = &by_model[model.as_ref().unwrap()];
        assert_eq!(numbers(&found, "calls")[row], Some(durations.len() as f64));
        for (share, name) in [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")] {
            let column = format!("duration_{name}_s");
            let (near, exact) = (numbers(&found, &column)[row].unwrap(), percentile(durations.clone(), share));
            assert!((near / exact - 1.0).abs() < 0.1, "{model:?} {column}: {near} {exact}");
            let first = numbers(&found, &format!("ttft_{name}_s"))[row];
            assert_eq!(first.is_none(), firsts.is_empty(), "{model:?}");
        }
    }
}

/// Scenario: what caching saved.
/// Guarantees: the price that is read off the bill is the same for all of a model's calls, so that what they cost without a cache and what
/// they did cost differ by what was saved: cached tokens at the discount.
#[tokio::test(flavor = "multi_thread")]
async fn cache_savings() {
    let filled = support::morning().await;
    let service = support::service(&filled.store);
    let found = question(&service, "cache-savings", &[]).await;
    let (cached, saved) = (numbers(&found, "cache_read_tokens"), numbers(&found, "saved"));
    let price = numbers(&found, "price_per_million");
    let exact: Vec<bool> =
        found.column_by_name("price_is_exact").unwrap().as_boolean().iter().map(Option::unwrap).collect();
    assert!(exact.iter().any(|exact| *exact));
    for row in (0..found.num_rows()).filter(|row| exact[*row]) {
        let (cached, saved) = (cached[row].unwrap(), saved[row].unwrap());
        let most = cached * price[row].unwrap() / 1e6;
        assert!(saved >= -1e-6 && saved <= most + 1e-6, "{row}: {saved} of {most}");
        assert_eq!(cached > 0.0, saved > 1e-9, "{row}");
    }
}

/// Scenario: duplicates, and errors.
/// Guarantees: there are as many as there were.
#[tokio::test(flavor = "multi_thread")]
async fn duplicates_and_tokens() {
    let filled = support::morning().await;
    let service = support::service(&filled.store);
    let calls = support::calls();
    let duplicates: usize = calls.iter().filter(|call| call.answered).map(|call| call.duplicates).sum();
    let found = question(&service, "duplicated-instrumentation", &[]).await;
    assert_eq!(numbers(&found, "duplicates").into_iter().flatten().sum::<f64>(), duplicates as f64);

    let speeds = question(&service, "tokens-per-second", &[("bucket", "30m")]).await;
    let counted: f64 = numbers(&speeds, "output_tokens").into_iter().flatten().sum();
    let exact: i64 = calls.iter().filter(|call| call.answered).map(|call| call.output_tokens).sum();
    assert_eq!(counted, exact as f64);
    let counts = "SELECT count(*) FROM calls";
    let all = support::ask(&service, Request { sql: counts.to_owned(), ..Request::default() }).await;
    let answered = calls.iter().filter(|call| call.answered).count() as i64;
    assert_eq!(all.column(0).as_primitive::<Int64Type>().value(0), answered);
}

/// Scenario: what differs from last week, asked on the day, with no week before it, and a week later, when nothing was called.
/// Guarantees: first everything is new, then everything is gone; both ways each service and model is told with the same numbers.
#[tokio::test(flavor = "multi_thread")]
async fn anomalies_against_last_week() {
    let filled = support::morning().await;
    let service = support::service(&filled.store);
    let given = [("least", "20"), ("since", "2026-11-26T04:00:00Z"), ("until", NOON)];
    let new = question(&service, "anomalies", &given).await;
    let given = [("least", "20"), ("since", "2026-12-03T04:00:00Z"), ("until", "2026-12-03T12:00:00Z")];
    let gone = question(&service, "anomalies", &given).await;
    assert!(new.num_rows() > 0);
    assert!(numbers(&new, "ratio").iter().chain(&numbers(&gone, "ratio")).all(Option::is_none));
    let told = |rows: &RecordBatch, numbers_of: &str| {
        let keys = texts(rows, "service").into_iter().zip(texts(rows, "model")).zip(texts(rows, "what"));
        keys.zip(texts(rows, numbers_of)).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(told(&new, "now"), told(&gone, "before"));
}
