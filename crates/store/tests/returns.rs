//! OTLP goes in and comes out the same.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use spanmill_otlp::Traces;
use spanmill_store::{Options, Store, StoredTrace, TraceOptions};

/// Keys that mean something to the store, and others that look as if they did.
const KEYS: &[&str] = &[
    "gen_ai.request.model",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.cost.amount",
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.request.stream",
    "gen_ai.input.messages",
    "gen_ai.tool.call.result",
    "spanmill.context.used",
    "spanmill.slow_small",
    "session.id",
    "tenant.id",
    "tenant",
    "user.id",
    "enduser.id",
    "service.name",
    "deployment.environment",
    "$bytes",
    "$$double",
    "$",
    "$dropped_attributes",
    "$schema_url",
    "",
];

fn wrapped(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{0,6}",
        2 => "\\PC{0,20}",
        2 => "[\\x00-\\x1f\"\\\\/\u{7f}\u{2028}😀$]{0,8}",
        1 => "x{5000,5050}",
    ]
}

fn double() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        (-100_000_i64..100_000).prop_map(|number| number as f64 / 1000.0),
        proptest::sample::select(vec![
            0.0,
            -0.0,
            1.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            5e-324,
            1e-9,
            9e15,
            1e22
        ]),
    ]
}

fn value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        Just(AnyValue { value: None }),
        text().prop_map(|text| wrapped(Value::StringValue(text))),
        any::<bool>().prop_map(|flag| wrapped(Value::BoolValue(flag))),
        any::<i64>().prop_map(|number| wrapped(Value::IntValue(number))),
        (0_i64..5000).prop_map(|number| wrapped(Value::IntValue(number))),
        double().prop_map(|number| wrapped(Value::DoubleValue(number))),
        vec(any::<u8>(), 0..20).prop_map(|bytes| wrapped(Value::BytesValue(bytes))),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|values| wrapped(Value::ArrayValue(ArrayValue { values }))),
            vec((key(), inner), 0..4).prop_map(|pairs| wrapped(Value::KvlistValue(KeyValueList {
                values: pairs.into_iter().map(pair).collect()
            }))),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![3 => proptest::sample::select(KEYS).prop_map(str::to_owned), 1 => text()]
}

fn pair((key, value): (String, AnyValue)) -> KeyValue {
    KeyValue { key, value: Some(value), key_strindex: 0 }
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    vec((key(), value()), 0..8).prop_map(|pairs| pairs.into_iter().map(pair).collect())
}

fn count() -> impl Strategy<Value = u32> {
    prop_oneof![2 => Just(0), 1 => any::<u32>()]
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![1_700_000_000_000_000_000_u64..1_900_000_000_000_000_000, 0..=i64::MAX as u64]
}

fn event() -> impl Strategy<Value = Event> {
    (time(), text(), attributes(), count()).prop_map(|(time_unix_nano, name, attributes, dropped_attributes_count)| {
        Event { time_unix_nano, name, attributes, dropped_attributes_count }
    })
}

fn link() -> impl Strategy<Value = Link> {
    (vec(any::<u8>(), 16), vec(any::<u8>(), 8), text(), attributes(), count(), count()).prop_map(
        |(trace_id, span_id, trace_state, attributes, dropped_attributes_count, flags)| Link {
            trace_id,
            span_id,
            trace_state,
            attributes,
            dropped_attributes_count,
            flags,
        },
    )
}

fn status() -> impl Strategy<Value = Option<Status>> {
    prop_oneof![
        Just(None),
        (0..3_i32, text())
            .prop_map(|(code, message)| Some(Status { code, message }).filter(|status| *status != Status::default())),
    ]
}

fn span() -> impl Strategy<Value = Span> {
    let ids = (0..3_u8, prop_oneof![Just(Vec::new()), vec(any::<u8>(), 8)], text(), count());
    let what = (text(), 0..6_i32, time(), prop_oneof![time(), any::<u64>()], attributes(), status());
    let more = (vec(event(), 0..3), vec(link(), 0..3), count(), count(), count());
    (ids, what, more).prop_map(|(ids, what, more)| Span {
        trace_id: vec![ids.0 + 1; 16],
        span_id: Vec::new(),
        parent_span_id: ids.1,
        trace_state: ids.2,
        flags: ids.3,
        name: what.0,
        kind: what.1,
        start_time_unix_nano: what.2,
        end_time_unix_nano: what.3,
        attributes: what.4,
        status: what.5,
        events: more.0,
        links: more.1,
        dropped_attributes_count: more.2,
        dropped_events_count: more.3,
        dropped_links_count: more.4,
    })
}

prop_compose! {
    fn scope_spans()(name in text(), version in text(), attributes in attributes(), dropped in count(), schema_url in text(), spans in vec(span(), 0..3)) -> ScopeSpans {
        let scope = InstrumentationScope { name, version, attributes, dropped_attributes_count: dropped };
        ScopeSpans { scope: Some(scope).filter(|scope| *scope != InstrumentationScope::default()), spans, schema_url }
    }
}

prop_compose! {
    fn request()(resources in vec((attributes(), count(), text(), vec(scope_spans(), 0..3)), 1..3)) -> ExportTraceServiceRequest {
        let mut number = 0_u64;
        let resource_spans = resources.into_iter().map(|(attributes, dropped_attributes_count, schema_url, mut scope_spans)| {
            for span in scope_spans.iter_mut().flat_map(|scope| &mut scope.spans) {
                number += 1;
                span.span_id = number.to_be_bytes().to_vec();
            }
            let resource = Resource { attributes, dropped_attributes_count, entity_refs: Vec::new() };
            ResourceSpans { resource: Some(resource).filter(|resource| *resource != Resource::default()), scope_spans, schema_url }
        });
        ExportTraceServiceRequest { resource_spans: resource_spans.collect() }
    }
}

/// Attributes in an order of their own.
fn sort(attributes: &mut [KeyValue]) {
    attributes.sort_by_cached_key(Message::encode_to_vec);
}

/// What a span is, with everything that belongs to it, independent of how spans are grouped; a NaN equals another.
fn flat(resource_spans: &[ResourceSpans]) -> Vec<(Vec<u8>, String)> {
    let mut all = Vec::new();
    for resource in resource_spans {
        for scope in &resource.scope_spans {
            for span in &scope.spans {
                let mut span = span.clone();
                sort(&mut span.attributes);
                span.events.iter_mut().for_each(|event| sort(&mut event.attributes));
                span.links.iter_mut().for_each(|link| sort(&mut link.attributes));
                let mut of = resource.resource.clone();
                of.iter_mut().for_each(|resource| sort(&mut resource.attributes));
                let mut from = scope.scope.clone();
                from.iter_mut().for_each(|scope| sort(&mut scope.attributes));
                let id = span.span_id.clone();
                all.push((id, format!("{span:#?} {of:#?} {:?} {from:#?} {:?}", resource.schema_url, scope.schema_url)));
            }
        }
    }
    all.sort();
    all
}

fn flat_traces(traces: &[StoredTrace]) -> Vec<(Vec<u8>, String)> {
    let all: Vec<ResourceSpans> = traces.iter().flat_map(|trace| trace.resource_spans.clone()).collect();
    flat(&all)
}

fn ids() -> Vec<String> {
    (0..3_u8).map(|id| format!("{:02x}", id + 1).repeat(16)).collect()
}

async fn round(request: &ExportTraceServiceRequest) -> [Vec<(Vec<u8>, String)>; 2] {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Options::new(folder.path().to_str().unwrap()), "writer").await.unwrap();
    store.add(&Traces::parse(request.encode_to_vec().into()).unwrap(), None);
    let hot = store.traces(&ids(), &TraceOptions::default()).await.unwrap();
    store.seal().await.unwrap();
    let sealed = store.traces(&ids(), &TraceOptions::default()).await.unwrap();
    for trace in &hot {
        let of = trace.resource_spans.iter().flat_map(|of| &of.scope_spans).flat_map(|of| &of.spans);
        assert!(
            of.into_iter().all(|span| span.trace_id.iter().all(|byte| trace.id.starts_with(&format!("{byte:02x}"))))
        );
    }
    [flat_traces(&hot), flat_traces(&sealed)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    /// Scenario: requests with every kind of value, odd times and texts, keys that mean something to the store with values of any type.
    /// Guarantees: from memory and from files everything comes back as it was, but for the order of attributes.
    #[test]
    fn what_comes_out_is_what_went_in(request in request()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let [hot, sealed] = runtime.block_on(round(&request));
        let sent = flat(&request.resource_spans);
        prop_assert_eq!(&hot, &sent);
        prop_assert_eq!(&sealed, &sent);
    }
}

/// Scenario: a cost and a time that were sent as integers, and a cost of minus zero.
/// Guarantees: they are neither billionths nor doubles when they come back.
#[tokio::test(flavor = "multi_thread")]
async fn integers_in_columns_of_billionths_stay_integers() {
    let values = [
        ("gen_ai.usage.cost.amount", Value::DoubleValue(-0.0)),
        ("gen_ai.response.time_to_first_chunk", Value::IntValue(4502)),
        ("spanmill.context.used", Value::IntValue(1)),
    ];
    let attributes = values.map(|(key, value)| pair((key.to_owned(), wrapped(value)))).to_vec();
    let span = Span { trace_id: vec![1; 16], span_id: vec![1; 8], attributes, ..Span::default() };
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
    let request =
        ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] };
    let [hot, sealed] = round(&request).await;
    let sent = flat(&request.resource_spans);
    assert_eq!((&hot, &sealed), (&sent, &sent));
}

/// Scenario: a cost, a time and a share that are no whole number of billionths, one of them twice, and a cost that no column can hold.
/// Guarantees: columns have them to the nearest billionth, so that sums and means count them; they come back as they were.
#[tokio::test(flavor = "multi_thread")]
async fn doubles_are_rounded_for_sums_and_come_back_whole() {
    let values = [
        ("gen_ai.usage.cost.amount", 0.1 + 0.2),
        ("gen_ai.response.time_to_first_chunk", 0.402_123_456_789_12),
        ("spanmill.context.used", 1.0 / 3.0),
        ("spanmill.context.used", 1.0 / 3.0),
    ];
    let attributes = values.map(|(key, value)| pair((key.to_owned(), wrapped(Value::DoubleValue(value))))).to_vec();
    let large = vec![pair(("gen_ai.usage.cost.amount".to_owned(), wrapped(Value::DoubleValue(1e300))))];
    let span =
        |id: u8, attributes| Span { trace_id: vec![id; 16], span_id: vec![id; 8], attributes, ..Span::default() };
    let scope_spans = vec![ScopeSpans { spans: vec![span(1, attributes), span(2, large)], ..ScopeSpans::default() }];
    let request =
        ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] };
    let [hot, sealed] = round(&request).await;
    let sent = flat(&request.resource_spans);
    assert_eq!((&hot, &sealed), (&sent, &sent));

    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Options::new(folder.path().to_str().unwrap()), "writer").await.unwrap();
    store.add(&Traces::parse(request.encode_to_vec().into()).unwrap(), None);
    let sql = "SELECT sum(cost_nano), sum(ttft_ns), sum(context_used) FROM spans";
    let rows = store.session(None).unwrap().sql(sql).await.unwrap().collect().await.unwrap();
    let sums: Vec<String> =
        (0..3).map(|column| arrow::util::display::array_value_to_string(rows[0].column(column), 0).unwrap()).collect();
    assert_eq!(sums, ["300000000", "402123457", "333333333"]);
}

/// Scenario: the same request arrives twice, before and after its rows were written to files.
/// Guarantees: every span, event and link comes back once.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_twice_comes_back_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Options::new(folder.path().to_str().unwrap()), "writer").await.unwrap();
    let event = Event { time_unix_nano: 5, name: "event".into(), ..Event::default() };
    let span =
        |id| Span { trace_id: vec![1; 16], span_id: vec![id; 8], events: vec![event.clone()], ..Span::default() };
    let scope_spans = vec![ScopeSpans { spans: vec![span(1), span(2)], ..ScopeSpans::default() }];
    let request =
        ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] };
    let traces = Traces::parse(request.encode_to_vec().into()).unwrap();
    store.add(&traces, None);
    store.seal().await.unwrap();
    store.add(&traces, None);
    let traces = store.traces(&ids(), &TraceOptions::default()).await.unwrap();
    assert_eq!(flat_traces(&traces), flat(&request.resource_spans));
    let elsewhere = TraceOptions { tenant: Some("other".into()), ..TraceOptions::default() };
    assert!(store.traces(&ids(), &elsewhere).await.unwrap().is_empty());
}
