//! Requests put together of parts of another.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use spanmill_otlp::{ResourceParts, ScopeParts, Traces, Value};

fn span(name: &str) -> Span {
    Span { trace_id: vec![1; 16], span_id: vec![2; 8], name: name.to_owned(), ..Span::default() }
}

fn request() -> ExportTraceServiceRequest {
    let scope = |name: &str, spans: Vec<Span>| ScopeSpans {
        scope: Some(InstrumentationScope { name: name.to_owned(), ..InstrumentationScope::default() }),
        spans,
        schema_url: format!("https://example/{name}"),
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { dropped_attributes_count: 3, ..Resource::default() }),
            scope_spans: vec![scope("a", vec![span("1"), span("2")]), scope("b", vec![span("3")])],
            schema_url: "https://example/resource".to_owned(),
        }],
    }
}

/// Scenario: a request is edited, taken apart, and put together with one of its spans left out.
/// Guarantees: headers keep their schema URLs, edits are in the result, and what is too large is refused.
#[test]
fn parts_are_put_together() {
    let mut traces = Traces::parse(request().encode_to_vec().into()).unwrap();
    let (first, resource) = (traces.spans().next().unwrap().ix(), traces.resources().next().unwrap().ix());
    traces.set_attribute(first, "key", Value::Int(7));
    traces.set_attribute(resource, "service.name", Value::Str("shop"));
    let last = traces.scopes().last().unwrap().ix();
    traces.set_schema_url(last, "https://example/other");
    let resource = traces.resources().next().unwrap();
    let header = resource.header();
    let scopes: Vec<_> = resource.scopes().map(|scope| (scope.header(), scope)).collect();
    let parts = ResourceParts {
        header: &header,
        scopes: scopes
            .iter()
            .map(|(header, scope)| ScopeParts {
                header,
                spans: scope.spans().take(1).map(|span| span.message()).collect(),
            })
            .collect(),
    };
    let composed = Traces::compose(std::slice::from_ref(&parts), usize::MAX).unwrap();
    let decoded = ExportTraceServiceRequest::decode(composed.encode()).unwrap();

    let mut expected = traces.clone();
    expected.drop_span(traces.span_ixs().nth(1).unwrap());
    assert_eq!(decoded, ExportTraceServiceRequest::decode(expected.encode()).unwrap());
    assert_eq!(composed.span_count(), 2);
    let len = composed.encode().len();
    assert!(Traces::compose(std::slice::from_ref(&parts), len).is_ok());
    assert!(Traces::compose(std::slice::from_ref(&parts), len - 1).is_err());
}
