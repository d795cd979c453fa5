use spanmill_config::Section;
use spanmill_otlp::Traces;
use spanmill_pipeline::Telemetry;

use super::super::testing_pipelines::{Pipelines, request};
use super::*;

const NAMES: [&str; 4] = ["traces/a", "traces/b", "traces/c", "traces/default"];

struct Setup {
    routing: Arc<dyn Node>,
    pipelines: Pipelines,
    telemetry: Telemetry,
}

fn setup(yaml: &str) -> Result<Setup, ConfigError> {
    let (pipelines, telemetry) = (Pipelines::new(&NAMES), Telemetry::default());
    let id = ComponentId::new("routing", "").unwrap();
    let section = Section::from_yaml("connectors::routing", yaml).unwrap();
    let context = Context { id: &id, section: &section, telemetry: &telemetry };
    let routing = create(context, pipelines.outputs())?;
    Ok(Setup { routing, pipelines, telemetry })
}

fn refusal(yaml: &str) -> String {
    setup(yaml).err().map_or_else(|| "accepted".to_owned(), |error| error.to_string())
}

fn spans() -> Traces {
    request(&[
        ("prod", &[("p1", "http"), ("p2", "db"), ("p3", "-")]),
        ("dev", &[("d1", "http"), ("d2", "db")]),
        ("other", &[("o1", "-")]),
    ])
}

/// What each pipeline gets of the spans.
async fn routed(yaml: &str) -> Vec<String> {
    let setup = setup(yaml).unwrap();
    setup.routing.consume(spans().into()).await.unwrap();
    setup.pipelines.names()
}

fn table(items: &[&str]) -> String {
    format!("{{default_pipelines: [traces/default], table: [{}]}}", items.join(", "))
}

/// Scenario: conditions in every context, given and inferred, as conditions and as statements.
/// Guarantees: each span goes to the first route that it meets, what meets none to the default pipelines.
#[tokio::test]
async fn contexts() {
    let prod = r#"{condition: 'attributes["env"] == "prod"', pipelines: [traces/a]}"#;
    assert_eq!(routed(&table(&[prod])).await, ["p1 p2 p3", "", "", "d1 d2 o1"]);
    let http = r#"{context: span, condition: 'attributes["kind"] == "http"', pipelines: [traces/b]}"#;
    assert_eq!(routed(&table(&[prod, http])).await, ["p1 p2 p3", "d1", "", "d2 o1"]);
    assert_eq!(routed(&table(&[http, prod])).await, ["p2 p3", "p1 d1", "", "d2 o1"]);

    let inferred = r#"{condition: 'span.attributes["kind"] == "db" and resource.attributes["env"] == "dev"', pipelines: [traces/c]}"#;
    assert_eq!(routed(&table(&[inferred])).await, ["", "", "d2", "p1 p2 p3 d1 o1"]);
    let statement = r#"{statement: 'route() where resource.attributes["env"] == "dev"', pipelines: [traces/c]}"#;
    assert_eq!(routed(&table(&[statement])).await, ["", "", "d1 d2", "p1 p2 p3 o1"]);
    let always = "{statement: route(), pipelines: [traces/b]}";
    assert_eq!(routed(&table(&[always, prod])).await, ["", "p1 p2 p3 d1 d2 o1", "", ""]);
    let reached = r#"{context: span, condition: 'resource.attributes["env"] == "dev"', pipelines: [traces/a]}"#;
    assert_eq!(routed(&table(&[reached])).await, ["d1 d2", "", "", "p1 p2 p3 o1"]);
}

/// Scenario: a route that copies before one that moves, and alone.
/// Guarantees: what is copied is seen by later routes, and goes to the default pipelines where none moves it; twice the same pipeline gets it twice.
#[tokio::test]
async fn copies() {
    let copy = r#"{context: span, action: copy, condition: 'attributes["kind"] == "http"', pipelines: [traces/a]}"#;
    let prod = r#"{condition: 'attributes["env"] == "prod"', pipelines: [traces/b]}"#;
    assert_eq!(routed(&table(&[copy, prod])).await, ["p1 d1", "p1 p2 p3", "", "d1 d2 o1"]);
    let again = r#"{action: copy, condition: 'attributes["env"] == "prod"', pipelines: [traces/a]}"#;
    assert_eq!(routed(&table(&[copy, again])).await, ["p1 p2 p3 d1 p1", "", "", "p1 p2 p3 d1 d2 o1"]);
}

/// Scenario: a route to two pipelines, another to one of them, and a condition that is there twice.
/// Guarantees: both get the spans; the repeated condition is passed over.
#[tokio::test]
async fn several_pipelines() {
    let two = r#"{condition: 'attributes["env"] == "prod"', pipelines: [traces/a, traces/b]}"#;
    let one = r#"{condition: 'attributes["env"] == "dev"', pipelines: [traces/b]}"#;
    let repeated =
        r#"{context: resource, statement: 'route() where attributes["env"] == "dev"', pipelines: [traces/c]}"#;
    assert_eq!(routed(&table(&[two, one, repeated])).await, ["p1 p2 p3", "p1 p2 p3 d1 d2", "", "o1"]);
}

/// Scenario: no default pipelines.
/// Guarantees: what no route takes is dropped with success, and counted.
#[tokio::test]
async fn unrouted() {
    let yaml = r#"{table: [{condition: 'attributes["env"] == "prod"', pipelines: [traces/a]}]}"#;
    let setup = setup(yaml).unwrap();
    setup.routing.consume(spans().into()).await.unwrap();
    assert_eq!(setup.pipelines.names(), ["p1 p2 p3", "", "", ""]);
    let dropped = setup.telemetry.counter("spanmill_connector_routing_dropped_spans", "", &[("connector", "routing")]);
    assert_eq!(dropped.get(), 3);
}

/// Scenario: conditions that cannot be evaluated, in each mode.
/// Guarantees: by default they count as not met; to propagate refuses the request for good, and nothing is sent.
#[tokio::test]
async fn error_modes() {
    let item = r#"{context: span, condition: 'HasPrefix(attributes["kind"], "h")', pipelines: [traces/a]}"#;
    for mode in ["", "error_mode: ignore, ", "error_mode: silent, "] {
        let yaml = format!("{{{mode}default_pipelines: [traces/default], table: [{item}]}}");
        assert_eq!(routed(&yaml).await, ["p1 d1", "", "", "p2 p3 d2 o1"], "{mode}");
    }
    let setup = setup(&format!("{{error_mode: propagate, table: [{item}]}}")).unwrap();
    let error = setup.routing.consume(spans().into()).await.unwrap_err();
    assert!(!error.retryable && error.message.contains("expected string but got nil"), "{error}");
    assert_eq!(setup.pipelines.names(), [""; 4]);
}

/// Scenario: statements that remove attributes of spans and resources.
/// Guarantees: they are removed from what takes the route, and from nothing else.
#[tokio::test]
async fn deletions() {
    let span = r#"{context: span, statement: 'delete_matching_keys(attributes, "^x") where attributes["kind"] == "db"', pipelines: [traces/a]}"#;
    let resource = r#"{statement: 'delete_key(resource.attributes, "env") where resource.attributes["env"] == "dev"', pipelines: [traces/b]}"#;
    let setup = setup(&table(&[span, resource])).unwrap();
    setup.routing.consume(spans().into()).await.unwrap();
    let keys = |name: &str| {
        let taken = setup.pipelines.sink(name).taken.lock().unwrap().clone();
        let traces = Traces::parse(taken[0].encode()).unwrap();
        let text = |key: &[u8]| String::from_utf8(key.to_vec()).unwrap();
        let resource = traces.resources().next().unwrap();
        let span = traces.spans().next().unwrap();
        let keys = resource.attributes().chain(span.attributes()).map(|attribute| text(attribute.key));
        keys.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(keys("traces/a"), "env x.env kind");
    assert_eq!(keys("traces/b"), "x.env kind x.kind");
    assert_eq!(keys("traces/default"), "env x.env kind x.kind");
    assert_eq!(setup.pipelines.names(), ["p2 d2", "d1", "", "p1 p3 o1"]);
}

/// Scenario: a condition on the request, from a client that is known and from none.
/// Guarantees: the request goes where its header says.
#[tokio::test]
async fn requests() {
    let yaml = table(&[r#"{context: request, condition: 'request["X-Tenant"] == "acme"', pipelines: [traces/a]}"#]);
    let setup = setup(&yaml).unwrap();
    let headers = http::HeaderMap::from_iter([(http::HeaderName::from_static("x-tenant"), "acme".parse().unwrap())]);
    let client = Client { headers: Some(headers), ..Client::default() };
    client.scope(setup.routing.consume(spans().into())).await.unwrap();
    assert_eq!(setup.pipelines.names(), ["p1 p2 p3 d1 d2 o1", "", "", ""]);
    setup.routing.consume(spans().into()).await.unwrap();
    assert_eq!(setup.pipelines.names(), ["", "", "", "p1 p2 p3 d1 d2 o1"]);
}

/// Scenario: everything goes one way; and in several ways.
/// Guarantees: the one way gets the very bytes that came.
#[tokio::test]
async fn untouched_bytes() {
    let setup = setup(&table(&["{statement: route(), pipelines: [traces/b]}"])).unwrap();
    let traces = spans();
    setup.routing.consume(traces.clone().into()).await.unwrap();
    let taken = setup.pipelines.sink("traces/b").taken.lock().unwrap().clone();
    assert_eq!(taken[0].encode().as_ptr(), traces.encode().as_ptr());
}

/// Scenario: one of two pipelines refuses.
/// Guarantees: the other has its spans, and the sender hears of the refusal.
#[tokio::test]
async fn refusals_are_told() {
    let setup = setup(&table(&[r#"{condition: 'attributes["env"] == "prod"', pipelines: [traces/a]}"#])).unwrap();
    setup.pipelines.sink("traces/a").refuses(Some(ConsumeError::retryable("full")));
    let error = setup.routing.consume(spans().into()).await.unwrap_err();
    assert!(error.retryable && &*error.message == "full");
    assert_eq!(setup.pipelines.names(), ["", "", "", "d1 d2 o1"]);
}

/// Scenario: configurations with mistakes.
/// Guarantees: the option and the mistake are named, with the Collector's words where it has some.
#[test]
fn mistakes() {
    let pipelines = "pipelines: [traces/a]";
    let one = |item: &str| refusal(&format!("{{table: [{{{item}}}]}}"));
    for (refused, expected) in [
        (refusal("{}"), "table: invalid routing table: the routing table is empty"),
        (refusal("{match_once: true, table: []}"), "match_once: was removed"),
        (one(pipelines), "table[0]: invalid route: no condition or statement provided"),
        (one(&format!("condition: 'true', statement: route(), {pipelines}")), "both condition and statement provided"),
        (one("condition: 'true'"), "table[0]::pipelines: invalid route: no pipelines defined"),
        (one("condition: 'true', pipelines: [traces/z]"), "pipeline not found: missing consumer: \"traces/z\""),
        (one("condition: 'true', pipelines: [logs/a]"), "missing consumer: \"logs/a\""),
        (one(&format!("context: spam, condition: 'true', {pipelines}")), "table[0]::context: invalid context: spam"),
        (one(&format!("context: scope, condition: 'true', {pipelines}")), "invalid context: scope"),
        (one(&format!("context: log, condition: 'true', {pipelines}")), "only spans can be routed"),
        (one(&format!("condition: 'span.nam == 1', {pipelines}")), "span has no \"nam\", did you mean \"name\"?"),
        (one(&format!("condition: 'nam == 1', {pipelines}")), "resource has no \"nam\""),
        (one(&format!("condition: 'scope.name == \"x\"', {pipelines}")), "nothing can be routed by scope"),
        (one(&format!("condition: 'true ==', {pipelines}")), "table[0]::condition: cannot parse OTTL"),
        (one(&format!("statement: 'set(attributes[\"a\"], 1)', {pipelines}")), "undefined function \"set\""),
        (one(&format!("statement: 'route(1)', {pipelines}")), "route takes no arguments"),
        (one(&format!("context: request, statement: route(), {pipelines}")), "context requires a 'condition'"),
        (one(&format!("context: request, condition: 'x', {pipelines}")), "does not contain a valid comparator"),
        (one(&format!("action: drop, condition: 'true', {pipelines}")), "table[0]::action"),
        (refusal("{error_mode: loud, table: []}"), "unknown error mode \"loud\""),
        (
            refusal(&format!("{{default_pipelines: [traces/y], table: [{{condition: 'true', {pipelines}}}]}}")),
            "default_pipelines: pipeline not found",
        ),
        (one(&format!("condition: 'true', value: x, {pipelines}")), "unknown key \"value\""),
    ] {
        assert!(refused.contains(expected), "{expected}: {refused}");
    }
}
