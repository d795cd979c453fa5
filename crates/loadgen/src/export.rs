use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use prost::Message;

use crate::attributes::attribute;
use crate::catalogue::Service;
use crate::dialect::Scoped;

/// What a service's SDK sends at once.
#[derive(Debug, Clone)]
pub struct Export {
    /// The sender. Its exports have to arrive in order, as one SDK sends one after the other.
    pub service: &'static str,
    /// An encoded `ExportTraceServiceRequest`.
    pub bytes: Bytes,
    /// How many spans it has.
    pub spans: usize,
    /// How many calls of models end with it.
    pub calls: usize,
}

/// A request with those spans, grouped by instrumentation in the order of their first spans, as SDKs do.
pub(crate) fn encode(service: &'static Service, instance: &str, spans: Vec<Scoped>) -> Bytes {
    let mut scopes: Vec<ScopeSpans> = Vec::new();
    for Scoped { scope, span, .. } in spans {
        let same = scopes.iter_mut().find(|known| known.scope.as_ref().is_some_and(|known| known.name == scope.name));
        if let Some(known) = same {
            known.spans.push(span);
            continue;
        }
        let named = InstrumentationScope {
            name: scope.name.to_owned(),
            version: scope.version.to_owned(),
            ..InstrumentationScope::default()
        };
        scopes.push(ScopeSpans { scope: Some(named), spans: vec![span], schema_url: scope.schema_url.to_owned() });
    }
    let resource = Resource { attributes: resource(service, instance), ..Resource::default() };
    let resource_spans = ResourceSpans { resource: Some(resource), scope_spans: scopes, schema_url: String::new() };
    ExportTraceServiceRequest { resource_spans: vec![resource_spans] }.encode_to_vec().into()
}

fn resource(service: &Service, instance: &str) -> Vec<KeyValue> {
    vec![
        attribute("telemetry.sdk.language", "python"),
        attribute("telemetry.sdk.name", "opentelemetry"),
        attribute("telemetry.sdk.version", "1.45.2"),
        attribute("service.instance.id", instance),
        attribute("service.name", service.name),
        attribute("service.version", service.version),
        attribute("deployment.environment.name", "demo"),
    ]
}
