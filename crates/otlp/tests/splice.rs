//! The splice against the oracle: for any request, in any encoding, and any edits, it equals decode, edit, encode.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may fail by panicking")]

mod common;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ScopeSpans, Span, Status};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use spanmill_otlp::{Part, Patch, ResourceIx, ScopeIx, SpanIx, SplitLimit, Traces, Value};

use common::mangle::{Kind, mangle};
use common::{any_value, key, request, text};

/// An edit; the number says to which of the resources, scopes or spans, counted around.
#[derive(Debug, Clone)]
enum Edit {
    Set(Place, usize, String, AnyValue),
    Remove(Place, usize, String),
    /// A patch of several changes at once: these keys are cut, those appended.
    Patch(usize, Vec<String>, Vec<(String, AnyValue)>),
    Name(usize, String),
    Status(usize, i32, String),
    SchemaUrl(usize, String),
    Drop(usize),
    /// Writes the edits so far into new bytes; spans are numbered anew.
    Freeze,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Resource,
    Scope,
    Span,
}

fn edit() -> impl Strategy<Value = Edit> {
    let place = || prop::sample::select(vec![Place::Resource, Place::Scope, Place::Span, Place::Span]);
    prop_oneof![
        4 => (place(), any::<usize>(), key(), any_value()).prop_map(|(at, n, key, value)| Edit::Set(at, n, key, value)),
        3 => (place(), any::<usize>(), key()).prop_map(|(at, n, key)| Edit::Remove(at, n, key)),
        3 => (any::<usize>(), vec(key(), 0..3), vec((key(), any_value()), 0..4))
            .prop_map(|(n, cut, append)| Edit::Patch(n, cut, append)),
        2 => (any::<usize>(), text()).prop_map(|(n, name)| Edit::Name(n, name)),
        2 => (any::<usize>(), 0..3, text()).prop_map(|(n, code, text)| Edit::Status(n, code, text)),
        2 => (any::<usize>(), text()).prop_map(|(n, url)| Edit::SchemaUrl(n, url)),
        2 => any::<usize>().prop_map(Edit::Drop),
        1 => Just(Edit::Freeze),
    ]
}

/// The oracle: a decoded request, with dropped spans marked until the end.
struct Decoded {
    request: ExportTraceServiceRequest,
    dropped: Vec<bool>,
}

impl Decoded {
    fn new(bytes: &[u8]) -> Self {
        let request = ExportTraceServiceRequest::decode(bytes).unwrap();
        let spans = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
        let dropped = vec![false; spans.map(|scope| scope.spans.len()).sum()];
        Self { request, dropped }
    }

    fn scopes(&mut self) -> Vec<&mut ScopeSpans> {
        self.request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans).collect()
    }

    fn spans(&mut self) -> Vec<&mut Span> {
        self.scopes().into_iter().flat_map(|scope| &mut scope.spans).collect()
    }

    /// Drops what is marked, and what is left empty by that.
    fn settle(&mut self) {
        let mut marks = std::mem::take(&mut self.dropped).into_iter();
        for resource in &mut self.request.resource_spans {
            let before = resource.scope_spans.len();
            resource.scope_spans.retain_mut(|scope| {
                let before = scope.spans.len();
                scope.spans.retain(|_| !marks.next().unwrap());
                before == 0 || !scope.spans.is_empty()
            });
            if before > 0 && resource.scope_spans.is_empty() {
                resource.schema_url = "gone".into();
                resource.resource = None;
            }
        }
        self.request.resource_spans.retain(|resource| {
            !(resource.schema_url == "gone" && resource.resource.is_none() && resource.scope_spans.is_empty())
        });
        let left = self.spans().len();
        self.dropped = vec![false; left];
    }

    fn attributes(&mut self, place: Place, at: usize, create: bool) -> Option<&mut Vec<KeyValue>> {
        match place {
            Place::Resource => {
                let count = self.request.resource_spans.len();
                let resource = &mut self.request.resource_spans.get_mut(at.checked_rem(count)?)?.resource;
                if create {
                    resource.get_or_insert_default();
                }
                Some(&mut resource.as_mut()?.attributes)
            }
            Place::Scope => {
                let mut scopes = self.scopes();
                let at = at.checked_rem(scopes.len())?;
                let scope = &mut scopes.swap_remove(at).scope;
                if create {
                    scope.get_or_insert_default();
                }
                Some(&mut scope.as_mut()?.attributes)
            }
            Place::Span => {
                let mut spans = self.spans();
                let at = at.checked_rem(spans.len())?;
                Some(&mut spans.swap_remove(at).attributes)
            }
        }
    }

    fn apply(&mut self, edit: &Edit) {
        match edit {
            Edit::Set(place, at, key, value) => {
                let Some(attributes) = self.attributes(*place, *at, true) else { return };
                let new = KeyValue { key: key.clone(), value: Some(value.clone()), ..Default::default() };
                match attributes.iter().position(|known| known.key == *key) {
                    Some(first) => {
                        attributes[first] = new;
                        let mut index = 0;
                        attributes.retain(|known| {
                            index += 1;
                            index <= first + 1 || known.key != *key
                        });
                    }
                    None => attributes.push(new),
                }
            }
            Edit::Remove(place, at, key) => {
                let Some(attributes) = self.attributes(*place, *at, false) else { return };
                attributes.retain(|known| known.key != *key);
            }
            Edit::Patch(at, cut, append) => {
                let Some(attributes) = self.attributes(Place::Span, *at, false) else { return };
                attributes.retain(|known| !cut.contains(&known.key));
                attributes.extend(append.iter().map(|(key, value)| KeyValue {
                    key: key.clone(),
                    value: Some(value.clone()),
                    ..Default::default()
                }));
            }
            Edit::Name(at, name) => {
                let mut spans = self.spans();
                let Some(at) = at.checked_rem(spans.len()) else { return };
                spans[at].name.clone_from(name);
            }
            Edit::Status(at, code, message) => {
                let mut spans = self.spans();
                let Some(at) = at.checked_rem(spans.len()) else { return };
                spans[at].status = Some(Status { message: message.clone(), code: *code });
            }
            Edit::SchemaUrl(at, url) => {
                let mut scopes = self.scopes();
                let Some(at) = at.checked_rem(scopes.len()) else { return };
                scopes[at].schema_url.clone_from(url);
            }
            Edit::Drop(at) => {
                let Some(at) = at.checked_rem(self.dropped.len()) else { return };
                self.dropped[at] = true;
            }
            Edit::Freeze => self.settle(),
        }
    }
}

fn apply(mut traces: Traces, edit: &Edit) -> Traces {
    let resources: Vec<ResourceIx> = traces.resources().map(|resource| resource.ix()).collect();
    let scopes: Vec<ScopeIx> = traces.scopes().map(|scope| scope.ix()).collect();
    let spans: Vec<SpanIx> = traces.span_ixs().collect();
    let span = |at: &usize| at.checked_rem(spans.len()).map(|at| spans[at]);
    match edit {
        Edit::Set(place, at, key, value) => {
            let encoded = value.encode_to_vec();
            let value = Value::Raw(&encoded);
            match place {
                Place::Resource if !resources.is_empty() => {
                    traces.set_attribute(resources[at % resources.len()], key, value);
                }
                Place::Scope if !scopes.is_empty() => traces.set_attribute(scopes[at % scopes.len()], key, value),
                Place::Span if !spans.is_empty() => traces.set_attribute(spans[at % spans.len()], key, value),
                _ => {}
            }
        }
        Edit::Remove(place, at, key) => {
            let _ = match place {
                Place::Resource if !resources.is_empty() => {
                    traces.remove_attribute(resources[at % resources.len()], key)
                }
                Place::Scope if !scopes.is_empty() => traces.remove_attribute(scopes[at % scopes.len()], key),
                Place::Span if !spans.is_empty() => traces.remove_attribute(spans[at % spans.len()], key),
                _ => false,
            };
        }
        Edit::Patch(at, cut, append) => {
            let Some(ix) = span(at) else { return traces };
            let Some(view) = traces.span(ix) else { return traces };
            let mut patch = Patch::new(Part::Span);
            for found in view.attributes() {
                if cut.iter().any(|key| key.as_bytes() == found.key) {
                    patch.cut(found.pos);
                }
            }
            for (key, value) in append {
                patch.append(key, Value::Raw(&value.encode_to_vec()));
            }
            traces.apply(ix, &patch);
        }
        Edit::Name(at, name) => {
            if let Some(ix) = span(at) {
                traces.set_name(ix, name);
            }
        }
        Edit::Status(at, code, message) => {
            if let Some(ix) = span(at) {
                traces.set_status(ix, *code, message);
            }
        }
        Edit::SchemaUrl(at, url) => {
            if let Some(at) = at.checked_rem(scopes.len()) {
                traces.set_schema_url(scopes[at], url);
            }
        }
        Edit::Drop(at) => {
            if let Some(ix) = span(at) {
                traces.drop_span(ix);
            }
        }
        Edit::Freeze => return traces.freeze(),
    }
    traces
}

/// A span, the attributes of its resource, the name and the schema URL of its scope.
type Seen = (Span, Vec<KeyValue>, Vec<u8>, Vec<u8>);

/// What the views say, in the form of the oracle.
fn view(traces: &Traces) -> Vec<Seen> {
    let attribute = |key: &[u8], raw: &[u8]| KeyValue {
        key: String::from_utf8(key.to_vec()).unwrap(),
        value: Some(AnyValue::decode(raw).unwrap()),
        ..Default::default()
    };
    traces
        .spans()
        .map(|span| {
            let read = Span {
                trace_id: span.trace_id().to_vec(),
                span_id: span.span_id().to_vec(),
                trace_state: String::from_utf8(span.trace_state().to_vec()).unwrap(),
                parent_span_id: span.parent_span_id().to_vec(),
                flags: span.flags(),
                name: String::from_utf8(span.name().to_vec()).unwrap(),
                kind: span.kind(),
                start_time_unix_nano: span.start_time_unix_nano(),
                end_time_unix_nano: span.end_time_unix_nano(),
                attributes: span.attributes().map(|found| attribute(found.key, found.value.raw())).collect(),
                dropped_attributes_count: span.dropped_attributes_count(),
                events: span.events().map(|event| Message::decode(&event.message().to_vec()[..]).unwrap()).collect(),
                dropped_events_count: span.dropped_events_count(),
                links: span.links().map(|link| Message::decode(&link.message().to_vec()[..]).unwrap()).collect(),
                dropped_links_count: span.dropped_links_count(),
                status: Some(Status {
                    message: String::from_utf8(span.status().message.to_vec()).unwrap(),
                    code: span.status().code,
                }),
            };
            let resource = span.resource().attributes().map(|found| attribute(found.key, found.value.raw())).collect();
            (read, resource, span.scope().name().to_vec(), span.scope().schema_url().to_vec())
        })
        .collect()
}

/// The same of the oracle.
fn expected(decoded: &Decoded) -> Vec<Seen> {
    let filled = |attributes: &[KeyValue]| -> Vec<KeyValue> {
        let value = |known: &KeyValue| Some(known.value.clone().unwrap_or_default());
        attributes.iter().map(|known| KeyValue { value: value(known), ..known.clone() }).collect()
    };
    let mut all = Vec::new();
    let mut dropped = decoded.dropped.iter();
    for resource in &decoded.request.resource_spans {
        let of_resource = resource.resource.as_ref().map(|resource| filled(&resource.attributes)).unwrap_or_default();
        for scope in &resource.scope_spans {
            let name = scope.scope.as_ref().map(|scope| scope.name.clone()).unwrap_or_default();
            for span in &scope.spans {
                if *dropped.next().unwrap() {
                    continue;
                }
                let status = Some(span.status.clone().unwrap_or_default());
                let span = Span { attributes: filled(&span.attributes), status, ..span.clone() };
                let url = scope.schema_url.clone().into_bytes();
                all.push((span, of_resource.clone(), name.clone().into_bytes(), url));
            }
        }
    }
    all
}

/// How many cases are tried of each property; `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(100)
}

fn mangled(request: &ExportTraceServiceRequest, seed: u64) -> Bytes {
    match seed % 4 {
        0 => request.encode_to_vec().into(),
        _ => mangle(&request.encode_to_vec(), Kind::Request, &mut fastrand::Rng::with_seed(seed)).into(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    /// Scenario: any request in any encoding, with any edits, one after the other.
    /// Guarantees: views and the encoded result say what decoding, editing and encoding say; the length is foretold.
    #[test]
    fn equals_decode_edit_encode(request in request(), edits in vec(edit(), 0..12), seed: u64) {
        let bytes = mangled(&request, seed);
        let mut decoded = Decoded::new(&bytes);
        prop_assert_eq!(&decoded.request, &request, "the encoding differs, not the request");
        let mut traces = Traces::parse(bytes).unwrap();
        for edit in &edits {
            decoded.apply(edit);
            traces = apply(traces, edit);
            prop_assert_eq!(view(&traces), expected(&decoded));
        }
        let encoded = traces.encode();
        prop_assert_eq!(encoded.len(), traces.encoded_len());
        prop_assert_eq!(traces.span_count(), traces.spans().count());
        decoded.settle();
        prop_assert_eq!(ExportTraceServiceRequest::decode(encoded.clone()).unwrap(), decoded.request);
        prop_assert_eq!(view(&Traces::parse(encoded).unwrap()), view(&traces.freeze()));
    }

    /// Scenario: a request that nobody edited, in any encoding.
    /// Guarantees: the very bytes are passed on, not a copy.
    #[test]
    fn unedited_is_identical(request in request(), seed: u64) {
        let bytes = mangled(&request, seed);
        let traces = Traces::parse(bytes.clone()).unwrap();
        prop_assert_eq!(traces.encode().as_ptr(), bytes.as_ptr());
        prop_assert_eq!(traces.freeze().encode(), bytes);
    }

    /// Scenario: several requests, some edited, become one.
    /// Guarantees: it holds what they held, in order, and its index is that of its bytes.
    #[test]
    fn concat_keeps_everything(requests in vec((request(), vec(edit(), 0..3), any::<u64>()), 0..5)) {
        let parts: Vec<Traces> = requests.iter().map(|(request, edits, seed)| {
            edits.iter().fold(Traces::parse(mangled(request, *seed)).unwrap(), apply)
        }).collect();
        let views: Vec<_> = parts.iter().flat_map(view).collect();
        let bytes: Vec<u8> = parts.iter().flat_map(Traces::encode).collect();
        let whole = Traces::concat(parts).unwrap();
        prop_assert_eq!(view(&whole), views);
        prop_assert_eq!(&whole.encode()[..], &bytes[..]);
        prop_assert_eq!(whole.span_count(), Traces::parse(whole.encode()).unwrap().span_count());
    }

    /// Scenario: a request is split by items and by bytes.
    /// Guarantees: no span is lost, repeated or moved, each with its resource and scope; a part is larger than the limit
    /// only where it has a single span; no two neighbours could have been one part.
    #[test]
    fn split_keeps_everything(
        request in request(),
        edits in vec(edit(), 0..4),
        seed: u64,
        limit in prop_oneof![(1usize..6).prop_map(SplitLimit::Items), (50usize..3_000).prop_map(SplitLimit::Bytes)],
    ) {
        let traces = edits.iter().fold(Traces::parse(mangled(&request, seed)).unwrap(), apply);
        let before = view(&traces);
        let unsplit = traces.encode();
        let parts = traces.split(limit);
        prop_assert_eq!(parts.iter().flat_map(view).collect::<Vec<_>>(), before);
        for part in &parts {
            let size = match limit {
                SplitLimit::Items(max) => (part.span_count(), max),
                SplitLimit::Bytes(max) => (part.encoded_len(), max),
            };
            let spans: usize = part.spans().map(|span| span.message().to_vec().len()).sum();
            let headers_outweigh = matches!(limit, SplitLimit::Bytes(max) if spans <= max / 2 && size.0 - spans > max / 2);
            let alone = part.span_count() <= 1 || headers_outweigh;
            prop_assert!(size.0 <= size.1 || alone, "{:?} of {:?}", size, limit);
            prop_assert!(parts.len() == 1 || part.span_count() > 0 || part.encoded_len() > 0);
            let again = Traces::parse(part.encode()).unwrap();
            prop_assert_eq!(view(&again), view(part));
        }
        if let ([only], SplitLimit::Items(_)) = (&parts[..], limit) {
            prop_assert_eq!(only.encode(), unsplit);
        }
        if let SplitLimit::Items(max) = limit {
            let full = parts.iter().rev().skip(1).all(|part| part.span_count() == max);
            prop_assert!(full, "all but the last part are full");
        }
    }
}

/// Scenario: a resource larger than the limit, with a thousand small spans, is split by bytes.
/// Guarantees: repeating the resource does not multiply the request.
#[test]
fn split_does_not_multiply_headers() {
    let mut request = Vec::new();
    let span = Span { name: "x".repeat(20), ..Default::default() };
    let scope = ScopeSpans { spans: vec![span; 1_000], ..Default::default() };
    let resource_spans = opentelemetry_proto::tonic::trace::v1::ResourceSpans {
        scope_spans: vec![scope],
        schema_url: "y".repeat(10_000),
        ..Default::default()
    };
    ExportTraceServiceRequest { resource_spans: vec![resource_spans] }.encode(&mut request).unwrap();
    let before = request.len();
    let parts = Traces::parse(request.into()).unwrap().split(SplitLimit::Bytes(9_000));
    assert_eq!(parts.iter().map(Traces::span_count).sum::<usize>(), 1_000);
    let after: usize = parts.iter().map(Traces::encoded_len).sum();
    assert!(after < 4 * before, "{after} of {before}");
}

/// Scenario: the value of an attribute is read in every type.
/// Guarantees: what was set is read, and a double stays a double though it is whole.
#[test]
fn values_of_every_type() {
    let request = Bytes::from_static(b"\x0a\x06\x12\x04\x12\x02\x2a\x00");
    let mut traces = Traces::parse(request).unwrap();
    let ix = traces.span_ixs().next().unwrap();
    let nested = [Value::Int(-1), Value::Strs(&["x", "y"]), Value::Empty];
    let map = [("k", Value::Array(&nested)), ("", Value::Text(b"t"))];
    for (key, value) in [
        ("str", Value::Str("s")),
        ("bool", Value::Bool(true)),
        ("int", Value::Int(i64::MIN)),
        ("double", Value::Double(3.0)),
        ("bytes", Value::Bytes(&[0, 255])),
        ("map", Value::Map(&map)),
    ] {
        traces.set_attribute(ix, key, value);
    }
    let decoded = ExportTraceServiceRequest::decode(traces.encode()).unwrap();
    let read: Vec<_> = decoded.resource_spans[0].scope_spans[0].spans[0]
        .attributes
        .iter()
        .map(|attribute| attribute.value.clone().unwrap().value.unwrap())
        .collect();
    assert_eq!(read[0], Any::StringValue("s".into()));
    assert_eq!(read[2..4], [Any::IntValue(i64::MIN), Any::DoubleValue(3.0)]);
    let Any::KvlistValue(map) = &read[5] else { panic!("a map expected") };
    let Some(Any::ArrayValue(array)) = &map.values[0].value.as_ref().unwrap().value else {
        panic!("an array expected")
    };
    assert_eq!(array.values.len(), 3);
    let value = traces.span(ix).unwrap().attribute("map").unwrap();
    let (_, first) = value.entries().next().unwrap();
    assert_eq!(first.elements().next().unwrap().as_int(), Some(-1));
}
