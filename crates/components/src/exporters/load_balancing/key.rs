//! What a span's place in the ring is computed from.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use spanmill_otlp::{AnyValue, ScopeRef, SpanRef, Traces, ValueRef};

use super::config::Key;
use super::ring::Ring;

// === impl Key ===

impl Key {
    /// The number of the backend of each span, in order; none where there is no backend.
    pub(super) fn backends(&self, traces: &Traces, ring: &Ring) -> Option<Vec<usize>> {
        match self {
            Self::TraceId => traces.spans().map(|span| ring.backend(&trace_id(span))).collect(),
            Self::Attributes(names) => {
                let scopes = traces.resources().flat_map(|resource| resource.scopes().collect::<Vec<_>>());
                let mut backends = Vec::with_capacity(traces.span_count());
                for scope in scopes {
                    // As the Collector splits requests: the first span of a trace in a scope decides for the others.
                    let mut known: HashMap<[u8; 16], usize> = HashMap::new();
                    for span in scope.spans() {
                        let id = trace_id(span);
                        let backend = match known.get(&id) {
                            Some(backend) => *backend,
                            None => ring.backend(identifier(names, scope, span).as_bytes())?,
                        };
                        known.insert(id, backend);
                        backends.push(backend);
                    }
                }
                Some(backends)
            }
        }
    }
}

/// A span without an id belongs to the trace of zeros.
fn trace_id(span: SpanRef<'_>) -> [u8; 16] {
    span.trace_id().try_into().unwrap_or_default()
}

/// `name=value|` of each attribute, from the resource, else the scope, else the span.
fn identifier(names: &[String], scope: ScopeRef<'_>, span: SpanRef<'_>) -> String {
    let mut identifier = String::new();
    for name in names {
        identifier.push_str(name);
        identifier.push('=');
        let above = scope.resource().attribute(name).or_else(|| scope.attribute(name));
        match (above, name.as_str()) {
            (Some(value), _) => identifier.push_str(&text(value)),
            (None, "span.kind") => identifier.push_str(kind(span.kind())),
            (None, "span.name") => identifier.push_str(&String::from_utf8_lossy(span.name())),
            (None, _) => identifier.push_str(&span.attribute(name).map(text).unwrap_or_default()),
        }
        identifier.push('|');
    }
    identifier
}

fn kind(kind: i32) -> &'static str {
    match kind {
        0 => "Unspecified",
        1 => "Internal",
        2 => "Server",
        3 => "Client",
        4 => "Producer",
        5 => "Consumer",
        _ => "",
    }
}

/// As the Collector turns values into text, but for lists and maps.
fn text(value: ValueRef<'_>) -> String {
    match value.get() {
        AnyValue::Empty => String::new(),
        AnyValue::Text(text) => String::from_utf8_lossy(text).into_owned(),
        AnyValue::Bool(value) => value.to_string(),
        AnyValue::Int(value) => value.to_string(),
        AnyValue::Double(value) => double(value),
        AnyValue::Bytes(bytes) | AnyValue::Array(bytes) | AnyValue::Map(bytes) => STANDARD.encode(bytes),
    }
}

fn double(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        return if text.contains("e-") { text } else { text.replace('e', "e+") };
    }
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: doubles of all sizes.
    /// Guarantees: written as the Collector does.
    #[test]
    fn doubles() {
        for (value, expected) in [
            (1.0, "1"),
            (0.5, "0.5"),
            (-3.25, "-3.25"),
            (1e21, "1e+21"),
            (1.5e-7, "1.5e-7"),
            (1e20, "100000000000000000000"),
            (0.0, "0"),
        ] {
            assert_eq!(double(value), expected);
        }
    }
}
