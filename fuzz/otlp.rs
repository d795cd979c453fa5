//! What the targets `scan` and `json` do with their input; a test of `spanmill-otlp` does the same with mutated seeds.

#![allow(dead_code, reason = "each target uses its part")]

use spanmill_otlp::{AnyValue, Limits, Opaque, Part, Patch, Signal, SplitLimit, Traces, Value, json};

/// Takes the input for a protobuf request: reads all of it, edits, encodes, joins and splits.
pub(crate) fn scan(data: &[u8]) {
    for signal in [Signal::Metrics, Signal::Logs] {
        if let Ok(opaque) = Opaque::parse(signal, data.to_vec().into()) {
            let parts = opaque.clone().split(SplitLimit::Items(1));
            let items: usize = parts.iter().map(Opaque::item_count).sum();
            assert_eq!(items, opaque.item_count(), "splitting loses nothing");
            write_json(signal, data);
        }
    }
    match Traces::parse(data.to_vec().into()) {
        Err(error) => assert!(error.offset <= data.len(), "{error}"),
        Ok(traces) => valid(&traces, data),
    }
}

/// Takes the input for OTLP/JSON: what is read must be a valid request, and written must be read as the same again.
pub(crate) fn json(data: &[u8]) {
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        let Ok(encoded) = json::to_protobuf(signal, data, &Limits::default()) else { continue };
        match signal {
            Signal::Traces => drop(Traces::parse(encoded.clone().into()).expect("what was read is valid")),
            _ => drop(Opaque::parse(signal, encoded.clone().into()).expect("what was read is valid")),
        }
        let text = write_json(signal, &encoded).expect("what was read can be written");
        let again = json::to_protobuf(signal, &text, &Limits::default()).expect("what was written can be read");
        assert_eq!(write_json(signal, &again), Some(text), "writing and reading changes nothing");
    }
}

fn valid(traces: &Traces, data: &[u8]) {
    assert_eq!(&traces.encode()[..], data, "unedited bytes are passed on");
    read(traces);
    // Writing JSON looks into entity references too, which the scan does not.
    write_json(Signal::Traces, data);

    let mut edited = traces.clone();
    for (at, ix) in traces.span_ixs().enumerate() {
        match at % 4 {
            0 => edited.drop_span(ix),
            1 => edited.set_attribute(ix, "k", Value::Strs(&["a", "b"])),
            2 => {
                edited.set_name(ix, "name");
                edited.set_status(ix, 2, "bad");
            }
            _ => cut_all(&mut edited, ix),
        }
    }
    for resource in traces.resources() {
        edited.set_attribute(resource.ix(), "k", Value::Int(-1));
    }
    for scope in traces.scopes() {
        edited.remove_attribute(scope.ix(), "k");
        edited.set_schema_url(scope.ix(), "url");
    }
    read(&edited);
    let encoded = edited.encode();
    assert_eq!(encoded.len(), edited.encoded_len(), "the length is foretold");
    let parsed = Traces::parse(encoded).expect("what is encoded is valid");
    assert_eq!(parsed.span_count(), edited.span_count());
    assert_eq!(edited.clone().freeze().span_count(), edited.span_count());

    let whole = Traces::concat([traces.clone(), edited.clone()]).expect("inputs are small");
    assert_eq!(whole.span_count(), traces.span_count() + edited.span_count(), "joining loses nothing");
    for limit in [SplitLimit::Items(2), SplitLimit::Bytes(64)] {
        let parts = whole.clone().split(limit);
        let spans: usize = parts.iter().map(Traces::span_count).sum();
        assert_eq!(spans, whole.span_count(), "splitting loses nothing");
    }
}

/// Replaces the first attribute and cuts everything else.
fn cut_all(traces: &mut Traces, ix: spanmill_otlp::SpanIx) {
    let mut patch = Patch::new(Part::Span);
    let Some(span) = traces.span(ix) else { return };
    for (at, field) in span.fields().enumerate() {
        if at == 0 { patch.replace(field.pos, "first", Value::Bool(true)) } else { patch.cut(field.pos) }
    }
    patch.append("last", Value::Double(0.5));
    traces.apply(ix, &patch);
    traces.remove_attribute(ix, "first");
}

/// Reads everything that views give.
fn read(traces: &Traces) {
    for span in traces.spans() {
        assert!([0, 16].contains(&span.trace_id().len()) && [0, 8].contains(&span.span_id().len()));
        for attribute in span.attributes() {
            let value = attribute.value;
            let nested = value.elements().chain(value.entries().map(|(_, entry)| entry));
            assert!(nested.filter(|element| !is_nan(element.get())).all(|element| element.get() == element.get()));
        }
        for event in span.events() {
            assert!(event.attributes().count() <= event.message().fields().count());
        }
        let _ = (span.name(), span.kind(), span.status(), span.links().count(), span.scope().name());
        let _ = (span.resource().attributes().count(), span.scope().schema_url(), span.end_time_unix_nano());
    }
}

fn is_nan(value: AnyValue<'_>) -> bool {
    matches!(value, AnyValue::Double(number) if number.is_nan())
}

fn write_json(signal: Signal, encoded: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match json::from_protobuf(signal, encoded, &mut out) {
        Ok(()) => Some(out),
        Err(error) => {
            assert!(error.offset <= encoded.len(), "{error}");
            None
        }
    }
}
