//! What is read of a span.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;

use super::{Row, Served};

const ERROR: i32 = 2;

pub(super) fn row(served: Served<'_>, start: u64) -> Row {
    let Served { service, span } = served;
    let of = span.attributes.as_slice();
    let is_error = span.status.as_ref().is_some_and(|status| status.code == ERROR);
    Row {
        span_id: hex(&span.span_id),
        parent_span_id: hex(&span.parent_span_id),
        service: service.to_owned(),
        name: span.name.clone(),
        offset_ns: span.start_time_unix_nano.saturating_sub(start),
        duration_ns: span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano),
        model: text(of, "gen_ai.response.model").or(text(of, "gen_ai.request.model")).map(str::to_owned),
        input_tokens: number(of, "gen_ai.usage.input_tokens").map(|tokens| tokens as i64),
        output_tokens: number(of, "gen_ai.usage.output_tokens").map(|tokens| tokens as i64),
        cost: number(of, "gen_ai.usage.cost.amount"),
        currency: text(of, "gen_ai.usage.cost.currency").map(str::to_owned),
        usage_role: text(of, "spanmill.usage.role").map(str::to_owned),
        flags: flags(of, is_error),
        is_error,
        ..Row::default()
    }
}

fn flags(of: &[KeyValue], is_error: bool) -> Vec<String> {
    let mut flags = Vec::new();
    if is_error {
        let class = text(of, "spanmill.error.class").or(text(of, "error.type"));
        flags.push(class.map_or_else(|| "error".to_owned(), |class| format!("error: {class}")));
    }
    if matches!(value(of, "spanmill.slow_small"), Some(Value::BoolValue(true))) {
        let cause = text(of, "spanmill.slow_small.cause");
        flags.push(
            cause.map_or_else(|| "slow although small".to_owned(), |cause| format!("slow although small: {cause}")),
        );
    }
    if let Some(times) = number(of, "spanmill.tool_loop.count") {
        flags.push(format!("tool loop: {times} times"));
    }
    if text(of, "spanmill.finish_reason") == Some("length") {
        flags.push("cut off by length".to_owned());
    }
    flags
}

fn value<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Value> {
    attributes.iter().find(|pair| pair.key == key)?.value.as_ref()?.value.as_ref()
}

pub(super) fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    match value(attributes, key)? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

fn number(attributes: &[KeyValue], key: &str) -> Option<f64> {
    match value(attributes, key)? {
        Value::IntValue(number) => Some(*number as f64),
        Value::DoubleValue(number) => Some(*number).filter(|number| number.is_finite()),
        _ => None,
    }
}

pub(super) fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
