use std::sync::Arc;

use bytes::Bytes;
use spanmill_config::{ComponentId, Section};
use spanmill_otlp::{Signal, SpanIx, Traces, Value};
use spanmill_pipeline::{Batch, Context, Node, Telemetry};

use super::super::testing::Sink;
use super::FACTORY;

/// The sample configuration of the Collector's documentation.
const SAMPLE: &str = r"
overwrite_schema_url: false # #49619; default keeps an existing ScopeSpans.schema_url
sources:                    # required, >=1, LIST, applied in the order given
  - name: openinference     # built-in
    remove_originals: false
    overwrite: false        # true = replace an existing target
  - name: openllmetry       # built-in
  - name: my_vendor         # any other name = user-defined source
    mappings: {my_vendor.model: gen_ai.request.model}
    value_mappings: {gen_ai.operation.name: {chat_completion: chat}}  # keyed by post-rename target; exact match
";

fn make(yaml: &str, signal: Signal, next: Arc<Sink>) -> Result<Arc<dyn Node>, String> {
    let id = ComponentId::new("gen_ai_normalizer", "").unwrap();
    let section = Section::from_yaml("processors::gen_ai_normalizer", yaml).unwrap();
    let context = Context { id: &id, section: &section, telemetry: &Telemetry::default() };
    (FACTORY.create)(context, signal, next).map_err(|error| error.to_string())
}

fn refusal(yaml: &str) -> String {
    make(yaml, Signal::Traces, Arc::default()).err().unwrap_or_default()
}

/// A span with that attribute, as it leaves the processor.
async fn pass(yaml: &str, key: &str, value: &str) -> Traces {
    let sink = Arc::new(Sink::default());
    let node = make(yaml, Signal::Traces, Arc::clone(&sink)).unwrap();
    let mut traces = Traces::parse(Bytes::from_static(b"\x0a\x04\x12\x02\x12\x00")).unwrap();
    traces.set_attribute(SpanIx::default(), key, Value::Str(value));
    node.consume(Batch::from(traces)).await.unwrap();
    let taken = sink.0.lock().unwrap();
    Traces::parse(taken[0].encode()).unwrap()
}

fn text<'t>(traces: &'t Traces, key: &str) -> Option<&'t str> {
    traces.spans().next().unwrap().attribute(key)?.as_str()
}

/// Scenario: the sample configuration of the Collector's documentation, and spans of each of its sources.
/// Guarantees: it is accepted under both names of the component, and each source's attribute gets its standard name.
#[tokio::test]
async fn the_sample_configuration_works() {
    assert_eq!((FACTORY.kind.name, FACTORY.kind.aliases), ("gen_ai_normalizer", ["genainormalizer"].as_slice()));
    for key in ["llm.model_name", "llm.request.model", "my_vendor.model"] {
        let traces = pass(SAMPLE, key, "m").await;
        assert_eq!(text(&traces, "gen_ai.request.model"), Some("m"), "{key}");
        assert_eq!(text(&traces, key), Some("m"), "{key}");
        assert_eq!(traces.scopes().next().unwrap().schema_url(), b"https://opentelemetry.io/schemas/1.40.0");
    }
}

/// Scenario: mappings of the user's own in an order that is not that of the alphabet, and what their values become.
/// Guarantees: they are kept in the order of the file, values match as they are written, and other keys may be empty.
#[tokio::test]
async fn a_source_of_ones_own_is_read() {
    let yaml = r"
overwrite_schema_url:
sources:
  - name: acme
    remove_originals: true
    overwrite:
    mappings: {z.kind: gen_ai.operation.name, a.kind: gen_ai.operation.name}
    value_mappings: {gen_ai.operation.name: {Chat_Completion: chat}}
";
    for (value, operation) in [("Chat_Completion", "chat"), ("chat_completion", "chat_completion")] {
        let traces = pass(yaml, "z.kind", value).await;
        assert_eq!(text(&traces, "gen_ai.operation.name"), Some(operation));
        assert_eq!(text(&traces, "z.kind"), None);
    }
}

/// Scenario: configurations that make no sense, as the Collector refuses them.
/// Guarantees: each is refused in its words, with the line and the path.
#[test]
fn mistakes_are_refused_with_their_place() {
    let own =
        "requires non-empty \"mappings\" (built-in sources, which do not require mappings: openinference, openllmetry)";
    for (yaml, place, message) in [
        ("{}", "", "sources: at least one source must be specified"),
        ("sources:", "", "sources: at least one source must be specified"),
        ("\nsources: []", ":2", "sources: at least one source must be specified"),
        ("sources:\n  - remove_originals: true", ":2", "sources[0]: \"name\" must be set"),
        (
            "sources:\n  - name: openllmetry\n  - name: openllmetry",
            ":3",
            "sources[1]: duplicate source \"openllmetry\"",
        ),
        ("sources:\n  - name: openllllmetry", ":2", own),
        ("sources:\n  - name: acme\n    mappings: {}", ":2", own),
        (
            "sources:\n  - name: openinference\n    mappings: {a: b}",
            ":3",
            "\"mappings\" is not valid on built-in source \"openinference\"",
        ),
        (
            "sources:\n  - name: openinference\n    value_mappings: {a: {b: c}}",
            ":3",
            "\"value_mappings\" is not valid on built-in source \"openinference\"",
        ),
        (
            "sources:\n  - name: acme\n    mappings: {'': b}",
            ":3",
            "sources[0]::mappings: source attribute name must be non-empty",
        ),
        ("sources:\n  - name: acme\n    mappings:\n      a: ''", ":4", "target for \"a\" must be non-empty"),
        ("sources:\n  - name: acme\n    mappings:\n      a: a", ":4", "source and target are identical (\"a\")"),
        ("sources: {openinference: {}}", ":1", "sources"),
        ("sources:\n  - name: openinference\n    removeOriginals: true", ":3", "removeOriginals"),
        ("semconv_version: 1.40.0", ":1", "semconv_version"),
    ] {
        let refusal = refusal(yaml);
        assert!(refusal.contains("processors::gen_ai_normalizer"), "{yaml}: {refusal:?}");
        assert!(refusal.contains(place) && refusal.contains(message), "{yaml}: {refusal:?}");
    }
}

/// Scenario: pipelines of metrics and of logs name the processor.
/// Guarantees: it is refused.
#[test]
fn it_works_on_spans_only() {
    for signal in [Signal::Metrics, Signal::Logs] {
        let made = make(SAMPLE, signal, Arc::default());
        assert!(made.err().is_some_and(|message| message.contains("traces pipelines only")));
    }
}
