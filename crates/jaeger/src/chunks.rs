//! Traces in messages that are small enough for gRPC.

use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, TracesData};
use prost::Message;

/// Go's gRPC takes messages of 4 MiB unless told otherwise.
const LARGEST: usize = 2 << 20;

/// One trace in as many messages as it needs, none of them empty and none larger than 2 MiB unless a single span is.
pub(crate) fn chunks(resource_spans: Vec<ResourceSpans>) -> Vec<TracesData> {
    let mut chunks = Vec::new();
    let mut current = TracesData::default();
    let mut bytes = 0;
    for group in resource_spans {
        let ResourceSpans { resource, scope_spans, schema_url } = group;
        let empty_resource = ResourceSpans { resource, scope_spans: Vec::new(), schema_url };
        let mut open_resource = false;
        for ScopeSpans { scope, spans, schema_url } in scope_spans {
            let empty_scope = ScopeSpans { scope, spans: Vec::new(), schema_url };
            let mut open_scope = false;
            for span in spans {
                let size = span.encoded_len();
                if bytes > 0 && bytes + size > LARGEST {
                    chunks.push(std::mem::take(&mut current));
                    (bytes, open_resource, open_scope) = (0, false, false);
                }
                if !open_resource {
                    bytes += empty_resource.encoded_len();
                    current.resource_spans.push(empty_resource.clone());
                    (open_resource, open_scope) = (true, false);
                }
                let Some(resource) = current.resource_spans.last_mut() else { continue };
                if !open_scope {
                    bytes += empty_scope.encoded_len();
                    resource.scope_spans.push(empty_scope.clone());
                    open_scope = true;
                }
                bytes += size;
                if let Some(scope) = resource.scope_spans.last_mut() {
                    scope.spans.push(span);
                }
            }
        }
    }
    if !current.resource_spans.is_empty() {
        chunks.push(current);
    }
    chunks
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::resource::v1::Resource;
    use opentelemetry_proto::tonic::trace::v1::Span;

    use super::*;

    /// Scenario: a trace of two scopes with spans of 600 kB.
    /// Guarantees: messages stay small, each names resource and scope, and all spans are there in order.
    #[test]
    fn large_traces_take_several_messages() {
        let span = |number: u8| Span { span_id: vec![number; 8], name: "x".repeat(600_000), ..Span::default() };
        let scope = |spans: Vec<Span>| ScopeSpans { spans, schema_url: "s".into(), ..ScopeSpans::default() };
        let scope_spans = vec![scope((0..4).map(span).collect()), scope((4..9).map(span).collect())];
        let resource = Some(Resource { dropped_attributes_count: 7, ..Resource::default() });
        let chunks = chunks(vec![ResourceSpans { resource: resource.clone(), scope_spans, schema_url: String::new() }]);
        assert_eq!(chunks.len(), 3);
        let groups: Vec<&ResourceSpans> = chunks.iter().flat_map(|chunk| &chunk.resource_spans).collect();
        assert!(groups.iter().all(|group| group.resource == resource));
        assert!(chunks.iter().all(|chunk| chunk.encoded_len() < LARGEST + 1000));
        let scopes: Vec<&ScopeSpans> = groups.iter().flat_map(|group| &group.scope_spans).collect();
        assert!(scopes.iter().all(|scope| scope.schema_url == "s" && !scope.spans.is_empty()));
        let ids: Vec<u8> = scopes.iter().flat_map(|scope| &scope.spans).map(|span| span.span_id[0]).collect();
        assert_eq!(ids, (0..9).collect::<Vec<u8>>());
    }
}
