//! What is told of what became of a span.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what tests do when they fail")]

mod support;

use serde_json::json;
use spanmill_genai::{Engine, Options, SpanExplanation};
use spanmill_otlp::Traces;
use support::{Sample, request, sample};

fn explain(samples: &[Sample]) -> Vec<SpanExplanation> {
    let engine = Engine::new(&Options::default()).unwrap();
    let (mut explained, mut processed) =
        (Traces::parse(request(samples).into()).unwrap(), Traces::parse(request(samples).into()).unwrap());
    let told = engine.explain(&mut explained);
    // An engine of its own: the first one remembers the spans.
    Engine::new(&Options::default()).unwrap().process(&mut processed);
    assert_eq!(explained.encode(), processed.encode(), "explaining changes nothing");
    told
}

/// Scenario: a wrapper around a call that an SDK traces itself, with a cached prompt that the wrapper counts apart; and a span of a database.
/// Guarantees: what told the source, which attribute each value is from, who owns the usage and by which span, what was added to a count, how the
/// price came about; and that nothing was made of the last one.
#[test]
fn everything_is_told() {
    let wrapper = json!({
        "gen_ai.system": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5", "gen_ai.latency_ms": 900,
        "gen_ai.usage.input_tokens": 19, "gen_ai.usage.cache_read_input_tokens": 5212, "gen_ai.usage.output_tokens": 7,
    });
    let native = json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5",
        "gen_ai.response.id": "msg_1", "gen_ai.usage.input_tokens": 5231, "gen_ai.usage.cache_read.input_tokens": 5212,
        "gen_ai.usage.output_tokens": 7,
    });
    let told = explain(&[
        sample(1, "my.app", &wrapper),
        sample(2, "com.anthropic.sdk.python", &native).below(1),
        sample(3, "db", &json!({ "db.system": "sqlite" })),
    ]);
    let [wrapper, native, database] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(
        (wrapper.source.as_deref(), wrapper.recognised_by.as_str()),
        (Some("handwritten"), "its attribute gen_ai.latency_ms")
    );
    assert_eq!((wrapper.role.as_deref(), wrapper.owner.as_deref()), (Some("duplicate"), Some("0202020202020202")));
    assert_eq!(wrapper.accounting, ["input 19 + 5212 for the cache, which this source counts apart"]);
    let from = |span: &SpanExplanation, key: &str| {
        span.attributes
            .iter()
            .find(|attribute| attribute.key == key)
            .map(|attribute| attribute.from.clone())
            .unwrap_or_default()
    };
    assert_eq!(from(wrapper, "gen_ai.provider.name"), "gen_ai.system");
    assert_eq!(from(wrapper, "gen_ai.usage.cache_read.input_tokens"), "gen_ai.usage.cache_read_input_tokens");
    assert_eq!(from(wrapper, "gen_ai.request.model"), "as it was");
    let input = wrapper.attributes.iter().find(|attribute| attribute.key == "gen_ai.usage.input_tokens").unwrap();
    assert_eq!((&input.value, &input.before), (&json!(5231), &Some(json!(19))));

    assert_eq!(
        (native.source.as_deref(), native.recognised_by.as_str()),
        (Some("anthropic-sdk-native"), "the name of its scope")
    );
    assert_eq!(native.role.as_deref(), Some("owner"));
    let price = native.price.as_ref().unwrap();
    assert!(price.summary.starts_with("claude-sonnet-4-5 of anthropic"), "{}", price.summary);
    assert_eq!(price.lines, ["19 input x 3", "5212 cache read x 0.3", "7 output x 15"]);
    assert_eq!(from(native, "gen_ai.usage.cost.amount"), "the table of prices");

    assert_eq!((database.source.as_deref(), database.attributes.len()), (None, 0));
}
