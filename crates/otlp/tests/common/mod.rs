//! Arbitrary requests, and the same requests in other encodings.

#![allow(dead_code, reason = "each test uses its part")]

pub(crate) mod mangle;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Few keys, so that edits hit.
pub(crate) fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "gen_ai.system", "gen_ai.usage.input_tokens", ""]).prop_map(String::from),
        1 => "[a-z.]{1,20}",
    ]
}

pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        40 => "\\PC{0,12}",
        5 => (120usize..140).prop_map(|len| "x".repeat(len)),
        1 => (16_370usize..16_390).prop_map(|len| "y".repeat(len)),
    ]
}

pub(crate) fn any_value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        Just(None),
        text().prop_map(|text| Some(Value::StringValue(text))),
        any::<bool>().prop_map(|flag| Some(Value::BoolValue(flag))),
        any::<i64>().prop_map(|number| Some(Value::IntValue(number))),
        (-1e9..1e9).prop_map(|number| Some(Value::DoubleValue(number))),
        vec(any::<u8>(), 0..20).prop_map(|bytes| Some(Value::BytesValue(bytes))),
    ];
    let value = |value| AnyValue { value };
    leaf.prop_map(value).prop_recursive(4, 16, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|values| Some(Value::ArrayValue(ArrayValue { values }))),
            vec(pair(inner), 0..4).prop_map(|values| Some(Value::KvlistValue(KeyValueList { values }))),
        ]
        .prop_map(value)
    })
}

fn pair(value: impl Strategy<Value = AnyValue>) -> impl Strategy<Value = KeyValue> {
    (key(), option::weighted(0.9, value)).prop_map(|(key, value)| KeyValue { key, value, ..Default::default() })
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    vec(pair(any_value()), 0..8)
}

fn id(len: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![1 => Just(Vec::new()), 4 => vec(any::<u8>(), len)]
}

fn event() -> impl Strategy<Value = Event> {
    (any::<u64>(), text(), attributes(), any::<u32>()).prop_map(|(time_unix_nano, name, attributes, dropped)| Event {
        time_unix_nano,
        name,
        attributes,
        dropped_attributes_count: dropped,
    })
}

fn link() -> impl Strategy<Value = Link> {
    (id(16), id(8), text(), attributes(), any::<u32>()).prop_map(
        |(trace_id, span_id, trace_state, attributes, flags)| Link {
            trace_id,
            span_id,
            trace_state,
            attributes,
            dropped_attributes_count: flags >> 8,
            flags,
        },
    )
}

fn status() -> impl Strategy<Value = Status> {
    (text(), 0..3).prop_map(|(message, code)| Status { message, code })
}

pub(crate) fn span() -> impl Strategy<Value = Span> {
    let scalars = (any::<u64>(), any::<u64>(), any::<u32>(), 0..6, any::<[u32; 3]>());
    let lists = (attributes(), vec(event(), 0..3), vec(link(), 0..2), option::of(status()));
    ((id(16), id(8), id(8)), (text(), text()), scalars, lists).prop_map(|(ids, texts, scalars, lists)| Span {
        trace_id: ids.0,
        span_id: ids.1,
        trace_state: texts.0,
        parent_span_id: ids.2,
        flags: scalars.2,
        name: texts.1,
        kind: scalars.3,
        start_time_unix_nano: scalars.0,
        end_time_unix_nano: scalars.1,
        attributes: lists.0,
        dropped_attributes_count: scalars.4[0],
        events: lists.1,
        dropped_events_count: scalars.4[1],
        links: lists.2,
        dropped_links_count: scalars.4[2],
        status: lists.3,
    })
}

fn scope_spans() -> impl Strategy<Value = ScopeSpans> {
    let scope = (text(), text(), attributes(), any::<u32>());
    let scope = scope.prop_map(|(name, version, attributes, dropped_attributes_count)| InstrumentationScope {
        name,
        version,
        attributes,
        dropped_attributes_count,
    });
    (option::of(scope), vec(span(), 0..5), prop_oneof![Just(String::new()), text()])
        .prop_map(|(scope, spans, schema_url)| ScopeSpans { scope, spans, schema_url })
}

pub(crate) fn request() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let resource = (attributes(), any::<u32>()).prop_map(|(attributes, dropped_attributes_count)| Resource {
        attributes,
        dropped_attributes_count,
        ..Default::default()
    });
    let resource_spans = (option::of(resource), vec(scope_spans(), 0..4), prop_oneof![Just(String::new()), text()])
        .prop_map(|(resource, scope_spans, schema_url)| ResourceSpans { resource, scope_spans, schema_url });
    vec(resource_spans, 0..4).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}
