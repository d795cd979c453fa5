//! What the Go Collector answered (`tests/oracle/record.py` and, for converters, `tests/differential/ottl/record.py` at the top
//! ask it) against what this crate answers.

use std::collections::BTreeMap;

use base64::Engine;
use serde_json::{Value as Json, json};
use spanmill_otlp::{AnyValue, Part, Patch, Traces, ValueRef};

use crate::eval::expr::Env;
use crate::{Compiler, Condition, Context, Paths, Slots};

/// The recorded answers.
fn recorded() -> Json {
    serde_json::from_str(include_str!("../tests/oracle/recorded.json")).expect("recorded answers")
}

fn request(recorded: &Json) -> Traces {
    let encoded = recorded["request"].as_str().expect("a request");
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).expect("base 64");
    Traces::parse(bytes.into()).expect("well-formed")
}

/// Calls back with a frame at every span, and its number.
fn each_span(traces: &Traces, slots: &Slots, mut span: impl FnMut(u8, &crate::Frame<'_>)) {
    let mut frame = slots.frame();
    for found in traces.spans() {
        frame.enter_resource(found.resource());
        frame.enter_scope(found.scope());
        frame.enter_span(found);
        span(found.span_id()[7], &frame);
    }
}

/// The spans for which a condition is met; none where it is refused.
fn met(traces: &Traces, text: &str) -> Option<Vec<u8>> {
    let mut compiler = Compiler::new();
    let condition = Condition::parse(&mut compiler, Paths::Unprefixed(Context::Span), text).ok()?;
    let slots = compiler.finish();
    let mut met = Vec::new();
    each_span(traces, &slots, |number, frame| {
        if condition.eval(frame) == Ok(true) {
            met.push(number);
        }
    });
    Some(met)
}

/// What an expression gives a span, as OTLP's JSON: nothing for nil and for what no attribute can hold. Spans for which it
/// cannot be evaluated are left out.
fn values(traces: &Traces, text: &str) -> Option<BTreeMap<String, Json>> {
    let parsed = crate::parse::value(text).ok()?;
    let mut compiler = Compiler::new();
    let expr = compiler.value(Context::Span, false, &parsed).ok()?;
    let slots = compiler.finish();
    let mut values = BTreeMap::new();
    each_span(traces, &slots, |number, frame| {
        let env = Env { frame, locals: &[] };
        let Ok(value) = expr.eval(&env) else { return };
        let mut encoded = Vec::new();
        if value.encode(&mut encoded).is_err() {
            encoded.clear();
        }
        values.insert(number.to_string(), json(ValueRef::new(&encoded)));
    });
    Some(values)
}

fn json(value: ValueRef<'_>) -> Json {
    match value.get() {
        AnyValue::Empty => json!({}),
        AnyValue::Text(text) => json!({"stringValue": String::from_utf8_lossy(text)}),
        AnyValue::Bool(value) => json!({"boolValue": value}),
        AnyValue::Int(value) => json!({"intValue": value.to_string()}),
        AnyValue::Double(value) => json!({"doubleValue": double(value)}),
        AnyValue::Bytes(bytes) => json!({"bytesValue": crate::eval::json::base64(bytes)}),
        AnyValue::Array(_) => {
            let values: Vec<Json> = value.elements().map(json).collect();
            json!({"arrayValue": if values.is_empty() { json!({}) } else { json!({"values": values}) }})
        }
        AnyValue::Map(_) => {
            let entry = |(key, value)| json!({"key": String::from_utf8_lossy(key), "value": json(value)});
            let values: Vec<Json> = value.entries().map(entry).collect();
            json!({"kvlistValue": if values.is_empty() { json!({}) } else { json!({"values": values}) }})
        }
    }
}

fn double(value: f64) -> Json {
    if value.is_nan() {
        json!("NaN")
    } else if value.is_infinite() {
        json!(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        json!(value)
    }
}

/// Numbers as doubles, empty keys written out, and the entries of maps sorted: Go's order of map literals is that of its hash
/// table.
fn canonical(value: &Json) -> Json {
    match value {
        Json::Array(items) => {
            let mut items: Vec<Json> = items.iter().map(canonical).collect();
            if items.iter().all(|item| item.get("key").is_some()) {
                items.sort_by_key(|item| item["key"].to_string());
            }
            items.into()
        }
        Json::Object(entries) => {
            let mut entries: serde_json::Map<_, _> =
                entries.iter().map(|(key, value)| (key.clone(), canonical(value))).collect();
            if entries.contains_key("value") {
                entries.entry("key").or_insert(json!(""));
            }
            entries.sort_keys();
            entries.into()
        }
        Json::Number(number) => json!(number.as_f64()),
        other => other.clone(),
    }
}

fn report(failures: &[String], total: usize) {
    assert!(failures.is_empty(), "{} of {total} differ:\n{}", failures.len(), failures.join("\n"));
}

/// Scenario: every recorded expression is evaluated for every recorded span.
/// Guarantees: values, types and errors are those of the Go Collector; what it refuses is refused.
#[test]
fn expressions_give_what_go_gives() {
    expressions(&recorded());
}

/// Scenario: the same for every converter, with arguments of every type, odd texts and odd options.
/// Guarantees: the same.
#[test]
fn converters_give_what_go_gives() {
    let recorded = include_str!("../tests/oracle/functions.json");
    expressions(&serde_json::from_str(recorded).expect("recorded answers"));
}

fn expressions(recorded: &Json) {
    let traces = request(recorded);
    let rows = recorded["expressions"].as_array().expect("rows");
    let mut failures = Vec::new();
    for row in rows {
        let text = row[0].as_str().expect("a text");
        let ours = values(&traces, text).map(|values| canonical(&json!(values)));
        let theirs = (!row[1].is_null()).then(|| canonical(&row[1]));
        if ours != theirs {
            failures.push(format!("{text}\n   go:   {}\n   ours: {}", show(&theirs), show(&ours)));
        }
    }
    report(&failures, rows.len());
}

fn show(value: &Option<Json>) -> String {
    value.as_ref().map_or("refused".to_owned(), Json::to_string)
}

/// Scenario: every recorded condition is compiled and evaluated for every recorded span.
/// Guarantees: the same conditions are refused, and the same spans meet the others.
#[test]
fn conditions_hold_where_go_says_so() {
    conditions("conditions", &request(&recorded()));
}

/// Scenario: the same with spans that were edited before, so that they lie in several pieces.
/// Guarantees: the same as for spans as they were received.
#[test]
fn conditions_hold_for_edited_spans() {
    let mut traces = request(&recorded());
    let mut patch = Patch::new(Part::Span);
    // A field that nobody knows changes nothing but where the span lies.
    patch.append_bytes(40, b"unknown");
    for span in traces.span_ixs() {
        traces.apply(span, &patch);
    }
    conditions("conditions", &traces);
}

/// Scenario: values of every type are compared with literals and values of every type, by every operator.
/// Guarantees: the outcome is that of the Go Collector.
#[test]
fn comparisons_come_out_as_in_go() {
    conditions("pairs", &request(&recorded()));
}

fn conditions(part: &str, traces: &Traces) {
    let recorded = recorded();
    let rows = recorded[part].as_array().expect("rows");
    let mut failures = Vec::new();
    for row in rows {
        let text = row[0].as_str().expect("a text");
        let ours = met(traces, text).map(|met| json!(met));
        let theirs = (!row[1].is_null()).then(|| row[1].clone());
        if ours != theirs {
            failures.push(format!("{text}\n   go:   {}\n   ours: {}", show(&theirs), show(&ours)));
        }
    }
    report(&failures, rows.len());
}
