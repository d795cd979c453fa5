//! Waterfalls of traces that are told by hand.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::prelude::*;

use super::*;

const MS: u64 = 1_000_000;

fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), key_strindex: 0 }
}

fn text(text: &str) -> Value {
    Value::StringValue(text.into())
}

fn span(id: u8, parent: u8, name: &str, from_ms: u64, to_ms: u64, attributes: Vec<KeyValue>) -> Span {
    Span {
        trace_id: vec![0xab; 16],
        span_id: vec![id; 8],
        parent_span_id: if parent == 0 { Vec::new() } else { vec![parent; 8] },
        name: name.into(),
        start_time_unix_nano: 1_790_000_000_000 * MS + from_ms * MS,
        end_time_unix_nano: 1_790_000_000_000 * MS + to_ms * MS,
        attributes,
        ..Span::default()
    }
}

fn trace(spans: Vec<Span>) -> Vec<ResourceSpans> {
    let resource = Resource { attributes: vec![pair("service.name", text("shop"))], ..Resource::default() };
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    vec![ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() }]
}

fn usage(input: i64, output: i64, cost: f64, role: &str) -> Vec<KeyValue> {
    vec![
        pair("gen_ai.usage.input_tokens", Value::IntValue(input)),
        pair("gen_ai.usage.output_tokens", Value::IntValue(output)),
        pair("gen_ai.usage.cost.amount", Value::DoubleValue(cost)),
        pair("gen_ai.usage.cost.currency", text("USD")),
        pair("spanmill.usage.role", text(role)),
    ]
}

/// Scenario: an agent with two calls, one of them twice and slow, a failed tool, and a span whose parent is not there.
/// Guarantees: the tree is in order; bars stand where spans ran; only owners are added up; what is remarkable is said; without colours
/// there are no codes, and no name can write any; no line is wider than the terminal.
#[test]
fn a_trace_is_drawn() {
    let mut failed = span(5, 1, "execute_tool \x1b[31msearch", 3000, 3200, vec![pair("error.type", text("Timeout"))]);
    failed.status = Some(Status { code: 2, message: String::new() });
    let mut slow = usage(1_200, 40, 0.0123, "owner");
    slow.push(pair("spanmill.slow_small", Value::BoolValue(true)));
    slow.push(pair("spanmill.slow_small.cause", text("slow_start")));
    let waterfall = Waterfall::new(&trace(vec![
        failed,
        span(3, 2, "POST /v1/messages", 110, 2950, usage(1_200, 40, 0.0123, "duplicate")),
        span(1, 0, "invoke_agent shop", 0, 4000, usage(3_500_000, 240, 1.0, "rollup")),
        span(2, 1, "chat claude", 100, 3000, slow),
        span(
            4,
            1,
            "chat claude again, whose name is longer than there is room for it",
            3200,
            3900,
            usage(2_300, 200, 0.5, "owner"),
        ),
        span(6, 9, "lost", 3950, 3950, Vec::new()),
    ]));
    assert_eq!((waterfall.input_tokens, waterfall.output_tokens), (3_500, 240));
    assert_eq!(waterfall.cost, [("USD".to_owned(), 0.5123)]);
    let plain = waterfall.draw(Style { width: 90, colours: false });
    assert!(!plain.contains('\x1b'));
    insta::assert_snapshot!(plain);
    for width in [40, 60, 80, 200] {
        let drawn = waterfall.draw(Style { width, colours: false });
        assert!(drawn.lines().all(|line| line.chars().count() <= width), "{width}: {drawn}");
    }
    assert!(waterfall.draw(Style { width: 90, colours: true }).contains("\x1b[31m"));
    insta::assert_snapshot!(serde_json::to_string_pretty(&waterfall.spans[1]).unwrap());
}

proptest! {
    /// Scenario: spans that say anything of their parents and times: loops, themselves, the same id twice, an end before the start.
    /// Guarantees: each is there once, below its parent where that can be, and everything is drawn.
    #[test]
    fn every_span_is_there_once(spans in proptest::collection::vec((1..9_u8, 0..9_u8, any::<u64>(), any::<u64>()), 0..12), width in 0..200_usize) {
        let spans: Vec<Span> = spans.into_iter().map(|(id, parent, start, end)| Span {
            start_time_unix_nano: start, end_time_unix_nano: end, ..span(id, parent, "s", 0, 0, Vec::new())
        }).collect();
        let waterfall = Waterfall::new(&trace(spans.clone()));
        prop_assert_eq!(waterfall.spans.len(), spans.len());
        let drawn = waterfall.draw(Style { width, colours: true });
        prop_assert_eq!(drawn.lines().filter(|line| line.contains('│')).count(), spans.len());
    }
}
