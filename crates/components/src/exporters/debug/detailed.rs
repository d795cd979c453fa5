//! Verbosity `detailed`: every field of spans and log records.

use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};

use super::detailed_metrics;
use super::request::Request;
use super::text::{id, time, typed};

/// Gathers lines.
#[derive(Debug, Default)]
pub(super) struct Lines(String);

/// The whole batch.
pub(super) fn text(request: &Request) -> String {
    let mut lines = Lines::default();
    match request {
        Request::Traces(request) => {
            for (at, resource) in request.resource_spans.iter().enumerate() {
                lines.resource("ResourceSpans", at, &resource.schema_url, resource.resource.as_ref());
                for (at, scope) in resource.scope_spans.iter().enumerate() {
                    lines.scope("ScopeSpans", at, &scope.schema_url, scope.scope.as_ref());
                    for (at, span) in scope.spans.iter().enumerate() {
                        lines.add(format!("Span #{at}"));
                        lines.span(span);
                    }
                }
            }
        }
        Request::Metrics(request) => {
            for (at, resource) in request.resource_metrics.iter().enumerate() {
                lines.resource("ResourceMetrics", at, &resource.schema_url, resource.resource.as_ref());
                for (at, scope) in resource.scope_metrics.iter().enumerate() {
                    lines.scope("ScopeMetrics", at, &scope.schema_url, scope.scope.as_ref());
                    for (at, metric) in scope.metrics.iter().enumerate() {
                        lines.add(format!("Metric #{at}"));
                        detailed_metrics::add(&mut lines, metric);
                    }
                }
            }
        }
        Request::Logs(request) => {
            for (at, resource) in request.resource_logs.iter().enumerate() {
                lines.resource("ResourceLog", at, &resource.schema_url, resource.resource.as_ref());
                for (at, scope) in resource.scope_logs.iter().enumerate() {
                    lines.scope("ScopeLogs", at, &scope.schema_url, scope.scope.as_ref());
                    for (at, record) in scope.log_records.iter().enumerate() {
                        lines.add(format!("LogRecord #{at}"));
                        lines.record(record);
                    }
                }
            }
        }
    }
    lines.0
}

// === impl Lines ===

impl Lines {
    pub(super) fn add(&mut self, line: impl AsRef<str>) {
        self.0.push_str(line.as_ref());
        self.0.push('\n');
    }

    /// Attributes under a title; those of a title that is itself an item are set further in.
    pub(super) fn attributes(&mut self, title: &str, attributes: &[KeyValue]) {
        if attributes.is_empty() {
            return;
        }
        self.add(format!("{title}:"));
        let indent = title.split_once("->").map_or("", |(indent, _)| indent);
        for pair in attributes {
            self.add(format!("{indent}     -> {}: {}", pair.key, typed(pair.value.as_ref())));
        }
    }

    fn resource(&mut self, title: &str, at: usize, schema_url: &str, resource: Option<&Resource>) {
        self.add(format!("{title} #{at}"));
        self.add(format!("Resource SchemaURL: {schema_url}"));
        let Some(resource) = resource else { return };
        self.attributes("Resource attributes", &resource.attributes);
        if resource.entity_refs.is_empty() {
            return;
        }
        self.add("Resource entity refs:");
        for (at, entity) in resource.entity_refs.iter().enumerate() {
            self.add(format!("     -> Entity ref #{at}:"));
            self.add(format!("          -> Type: {}", entity.r#type));
            if !entity.schema_url.is_empty() {
                self.add(format!("          -> Schema URL: {}", entity.schema_url));
            }
            self.keys("ID keys", &entity.id_keys);
            self.keys("Description keys", &entity.description_keys);
        }
    }

    fn keys(&mut self, title: &str, keys: &[String]) {
        if !keys.is_empty() {
            self.add(format!("          -> {title}:"));
        }
        for key in keys {
            self.add(format!("               -> {key}"));
        }
    }

    fn scope(&mut self, title: &str, at: usize, schema_url: &str, scope: Option<&InstrumentationScope>) {
        self.add(format!("{title} #{at}"));
        self.add(format!("{title} SchemaURL: {schema_url}"));
        let none = InstrumentationScope::default();
        let scope = scope.unwrap_or(&none);
        self.add(format!("InstrumentationScope {} {}", scope.name, scope.version));
        self.attributes("InstrumentationScope attributes", &scope.attributes);
    }

    fn field(&mut self, name: &str, value: impl AsRef<str>) {
        self.add(format!("    {name:<15}: {}", value.as_ref()));
    }

    fn span(&mut self, span: &Span) {
        self.field("Trace ID", id(&span.trace_id));
        self.field("Parent ID", id(&span.parent_span_id));
        self.field("ID", id(&span.span_id));
        self.field("Name", &span.name);
        let kinds = ["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"];
        self.field("Kind", name_of(&kinds, span.kind));
        if !span.trace_state.is_empty() {
            self.field("TraceState", &span.trace_state);
        }
        self.field("Start time", time(span.start_time_unix_nano));
        self.field("End time", time(span.end_time_unix_nano));
        let (code, message) = span.status.as_ref().map_or((0, ""), |status| (status.code, status.message.as_str()));
        self.field("Status code", name_of(&["Unset", "Ok", "Error"], code));
        self.field("Status message", message);
        self.field("DroppedAttributesCount", span.dropped_attributes_count.to_string());
        self.field("DroppedEventsCount", span.dropped_events_count.to_string());
        self.field("DroppedLinksCount", span.dropped_links_count.to_string());
        self.attributes("Attributes", &span.attributes);
        if !span.events.is_empty() {
            self.add("Events:");
        }
        for (at, event) in span.events.iter().enumerate() {
            self.add(format!("SpanEvent #{at}"));
            self.event(event);
        }
        if !span.links.is_empty() {
            self.add("Links:");
        }
        for (at, link) in span.links.iter().enumerate() {
            self.add(format!("SpanLink #{at}"));
            self.link(link);
        }
    }

    fn event(&mut self, event: &Event) {
        self.add(format!("     -> Name: {}", event.name));
        self.add(format!("     -> Timestamp: {}", time(event.time_unix_nano)));
        self.add(format!("     -> DroppedAttributesCount: {}", event.dropped_attributes_count));
        self.attributes("     -> Attributes:", &event.attributes);
    }

    fn link(&mut self, link: &Link) {
        self.add(format!("     -> Trace ID: {}", id(&link.trace_id)));
        self.add(format!("     -> ID: {}", id(&link.span_id)));
        self.add(format!("     -> TraceState: {}", link.trace_state));
        self.add(format!("     -> DroppedAttributesCount: {}", link.dropped_attributes_count));
        self.attributes("     -> Attributes:", &link.attributes);
    }

    fn record(&mut self, record: &LogRecord) {
        self.add(format!("ObservedTimestamp: {}", time(record.observed_time_unix_nano)));
        self.add(format!("Timestamp: {}", time(record.time_unix_nano)));
        self.add(format!("SeverityText: {}", record.severity_text));
        self.add(format!("SeverityNumber: {}({})", severity(record.severity_number), record.severity_number));
        if !record.event_name.is_empty() {
            self.add(format!("EventName: {}", record.event_name));
        }
        self.add(format!("Body: {}", typed(record.body.as_ref())));
        self.attributes("Attributes", &record.attributes);
        self.add(format!("Trace ID: {}", id(&record.trace_id)));
        self.add(format!("Span ID: {}", id(&record.span_id)));
        self.add(format!("Flags: {}", record.flags));
    }
}

/// The name of a number in an enumeration; nothing where it has none.
pub(super) fn name_of<'n>(names: &[&'n str], number: i32) -> &'n str {
    usize::try_from(number).ok().and_then(|number| names.get(number)).copied().unwrap_or("")
}

fn severity(number: i32) -> String {
    let level = name_of(&["Trace", "Debug", "Info", "Warn", "Error", "Fatal"], (number - 1).div_euclid(4));
    match (number, (number - 1).rem_euclid(4)) {
        (0, _) => "Unspecified".into(),
        (_, 0) => level.into(),
        _ if level.is_empty() => String::new(),
        (_, step) => format!("{level}{}", step + 1),
    }
}
