//! The gRPC services without a network.

use futures_util::TryStreamExt;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;
use spanmill_otlp::Traces;
use spanmill_store::{Options, Store};
use tonic::service::Routes;

use crate::proto::trace_reader_client::TraceReaderClient;
use crate::proto::{self, FindTracesRequest, GetTraceParams, GetTracesRequest, TraceQueryParameters};
use crate::service;

const START: u64 = 1_790_000_000_000_000_000;

fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), key_strindex: 0 }
}

/// The span of trace `id` starts `id` seconds after the others.
fn span(id: u8, attributes: Vec<KeyValue>) -> Span {
    Span {
        trace_id: vec![id; 16],
        span_id: vec![id; 8],
        name: format!("op {id}"),
        start_time_unix_nano: START + u64::from(id) * 1_000_000_000,
        end_time_unix_nano: START + u64::from(id) * 1_000_000_000 + u64::from(id) * 100_000_000,
        attributes,
        ..Span::default()
    }
}

async fn reader(folder: &tempfile::TempDir) -> TraceReaderClient<Routes> {
    let text = |text: &str| Value::StringValue(text.into());
    let mut spans = vec![
        span(
            1,
            vec![
                pair("gen_ai.usage.input_tokens", Value::IntValue(100)),
                pair("gen_ai.request.model", text("claude-a")),
            ],
        ),
        span(2, vec![pair("gen_ai.usage.input_tokens", Value::DoubleValue(200.5)), pair("x.y", text("<5"))]),
        span(3, vec![pair("gen_ai.usage.input_tokens", text("300")), pair("x.y", Value::IntValue(4))]),
        span(
            4,
            vec![
                pair("gen_ai.input.messages", text("where is my refund")),
                pair("gen_ai.usage.cost.amount", Value::DoubleValue(0.25)),
            ],
        ),
        span(5, vec![pair("gen_ai.request.stream", Value::BoolValue(true))]),
    ];
    spans[4].status = Some(Status { code: 2, message: "it broke".into() });
    spans[3].events = vec![Event { attributes: vec![pair("exception.type", text("Timeout"))], ..Event::default() }];
    spans[2].kind = 3;
    let resource = Resource {
        attributes: vec![pair("service.name", text("svc")), pair("host.name", text("h1"))],
        ..Resource::default()
    };
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() }],
    };
    let store = Store::open(Options::new(folder.path().to_str().unwrap()), "writer").await.unwrap();
    store.add(&Traces::parse(request.encode_to_vec().into()).unwrap(), None);
    TraceReaderClient::new(service(store))
}

fn query(tags: &[(&str, &str)]) -> TraceQueryParameters {
    let attributes = tags.iter().map(|(key, typed)| proto::KeyValue {
        key: (*key).to_owned(),
        value: Some(proto::AnyValue { value: Some(proto::any_value::Value::StringValue((*typed).to_owned())) }),
    });
    TraceQueryParameters {
        service_name: "svc".into(),
        attributes: attributes.collect(),
        ..TraceQueryParameters::default()
    }
}

async fn found(reader: &mut TraceReaderClient<Routes>, query: TraceQueryParameters) -> Vec<u8> {
    let answer = reader.find_trace_i_ds(FindTracesRequest { query: Some(query) }).await.unwrap().into_inner();
    answer.trace_ids.iter().map(|found| found.trace_id[0]).collect()
}

/// Scenario: one trace a kind of value, and everything that may be typed about them.
/// Guarantees: columns and attributes of any type answer comparisons, patterns and negations; so do events, contents, resources and what
/// Jaeger only shows; the newest trace comes first.
#[tokio::test(flavor = "multi_thread")]
async fn tags_are_searched_wherever_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut reader = reader(&folder).await;
    const TOKENS: &str = "gen_ai.usage.input_tokens";
    for (tags, expected) in [
        (&[][..], &[5_u8, 4, 3, 2, 1][..]),
        (&[(TOKENS, "<250")], &[2, 1]),
        (&[(TOKENS, ">=200.5")], &[3, 2]),
        (&[(TOKENS, "100..200.5")], &[2, 1]),
        (&[(TOKENS, "100")], &[1]),
        (&[(TOKENS, "!=100")], &[3, 2]),
        (&[(TOKENS, "*")], &[3, 2, 1]),
        (&[(TOKENS, "1*")], &[1]),
        (&[("input_tokens", "<=100")], &[1]),
        (&[("gen_ai.request.model", "claude-*")], &[1]),
        (&[("gen_ai.request.model", "claude-a"), (TOKENS, ">1000")], &[]),
        (&[("x.y", "<5")], &[3]),
        (&[("x.y", "=<5")], &[2]),
        (&[("x.y", "!=4")], &[2]),
        (&[("gen_ai.usage.cost.amount", ">0.2")], &[4]),
        (&[("cost", "0.25")], &[4]),
        (&[("gen_ai.input.messages", "*refund*")], &[4]),
        (&[("exception.type", "Time*")], &[4]),
        (&[("gen_ai.request.stream", "true")], &[5]),
        (&[("gen_ai.request.stream", "!=true")], &[]),
        (&[("error", "true")], &[5]),
        (&[("error", "false")], &[4, 3, 2, 1]),
        (&[("otel.status_code", "ERROR")], &[5]),
        (&[("otel.status_description", "*broke")], &[5]),
        (&[("span.kind", "client")], &[3]),
        (&[("host.name", "h*")], &[5, 4, 3, 2, 1]),
        (&[("service.name", "svc"), ("duration", ">300ms")], &[5, 4]),
        (&[("duration", ">=0.4 s")], &[5, 4]),
        (&[("duration", ">=0.4sec")], &[]),
        (&[("input_tokens", "<2,000")], &[]),
        (&[("input_tokens", "<2k")], &[]),
        (&[("' OR 1=1 --", "x' OR '1'='1")], &[]),
    ] {
        assert_eq!(found(&mut reader, query(tags)).await, expected, "{tags:?}");
    }
}

/// Scenario: searches by service, operation, times, durations and limit; traces by id, one of them unknown.
/// Guarantees: all bounds hold, both ends included; a trace comes back whole, an unknown one not at all.
#[tokio::test(flavor = "multi_thread")]
async fn searches_have_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let mut reader = reader(&folder).await;
    let at = |id: i64| Some(prost_types::Timestamp { seconds: 1_790_000_000 + id, nanos: 0 });
    let lasting = |millis: i32| Some(prost_types::Duration { seconds: 0, nanos: millis * 1_000_000 });
    let between = TraceQueryParameters { start_time_min: at(2), start_time_max: at(4), ..query(&[]) };
    assert_eq!(found(&mut reader, between.clone()).await, [4, 3, 2]);
    assert_eq!(found(&mut reader, TraceQueryParameters { search_depth: 2, ..between.clone() }).await, [4, 3]);
    let lasting = TraceQueryParameters { duration_min: lasting(200), duration_max: lasting(300), ..query(&[]) };
    assert_eq!(found(&mut reader, lasting).await, [3, 2]);
    assert_eq!(found(&mut reader, TraceQueryParameters { operation_name: "op 3".into(), ..query(&[]) }).await, [3]);
    assert_eq!(found(&mut reader, TraceQueryParameters { service_name: "other".into(), ..query(&[]) }).await, [0; 0]);
    assert_eq!(
        found(&mut reader, TraceQueryParameters { service_name: String::new(), ..query(&[]) }).await,
        [5, 4, 3, 2, 1]
    );

    let many = query(&[("x.y", "4"); 65]);
    let refused = reader.find_trace_i_ds(FindTracesRequest { query: Some(many) }).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);

    let stream = reader.find_traces(FindTracesRequest { query: Some(between) }).await.unwrap().into_inner();
    let messages: Vec<_> = stream.try_collect().await.unwrap();
    assert_eq!(messages.len(), 3);
    let wanted = |id: u8| GetTraceParams { trace_id: vec![id; 16], ..GetTraceParams::default() };
    let asked = GetTracesRequest { query: vec![wanted(9), wanted(4)] };
    let messages: Vec<_> = reader.get_traces(asked).await.unwrap().into_inner().try_collect().await.unwrap();
    let [message] = messages.as_slice() else { panic!("{} messages", messages.len()) };
    let again = GetTracesRequest { query: (0..70).map(|_| wanted(4)).collect() };
    let again: Vec<_> = reader.get_traces(again).await.unwrap().into_inner().try_collect().await.unwrap();
    assert_eq!(again.len(), 1, "what is asked for again and again comes once");
    let span = &message.resource_spans[0].scope_spans[0].spans[0];
    assert_eq!((span.name.as_str(), span.attributes.len(), span.events.len()), ("op 4", 2, 1));
}
