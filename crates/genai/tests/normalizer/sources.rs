//! Several sources and several attributes for one, and what is told about what was written.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::{Value as Json, json};
use spanmill_genai::normalizer::{Config, Normalizer, Source};
use spanmill_otlp::Traces;

use crate::support::{assert_has, request, sample, seen};
use crate::{by, normalizer, own, pass, source};

/// Scenario: a source of the user's own with value mappings, before and after a built-in one.
/// Guarantees: texts match exactly and numbers can be made of them; sources are applied in the order given, each sees what the others wrote.
#[test]
fn sources_of_ones_own_are_applied_in_order() {
    let words = |target: &str, words: &[(&str, &str)]| {
        let words = words.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
        (target.to_owned(), words)
    };
    let mut acme = own(&[("acme.op", "gen_ai.operation.name"), ("acme.size", "gen_ai.request.max_tokens")]);
    acme.value_mappings = vec![
        words("gen_ai.operation.name", &[("chat_completion", "chat")]),
        words("gen_ai.request.max_tokens", &[("small", "100")]),
    ];
    for (word, operation) in [("chat_completion", "chat"), ("Chat_Completion", "Chat_Completion"), ("other", "other")] {
        let found = by(acme.clone(), &json!({ "acme.op": word, "acme.size": "small" }));
        assert_has(&found, &json!({ "gen_ai.operation.name": operation, "gen_ai.request.max_tokens": 100 }), word);
    }
    let both = json!({ "acme.op": "summarise", "llm.request.type": "chat" });
    for (sources, operation) in [
        (vec![acme.clone(), source("openllmetry")], "summarise"),
        (vec![source("openllmetry"), acme.clone()], "chat"),
        (vec![source("openllmetry"), Source { overwrite: true, ..acme.clone() }], "summarise"),
    ] {
        let found = pass(&normalizer(sources), &both);
        assert_has(&found, &json!({ "gen_ai.operation.name": operation }), operation);
    }
    let onwards = own(&[("gen_ai.request.model", "acme.model")]);
    let found = pass(&normalizer(vec![source("openinference"), onwards]), &json!({ "llm.model_name": "m" }));
    assert_has(&found, &json!({ "acme.model": "m" }), "what the source before wrote");
}

/// Scenario: a target that stands there already, with every combination of `overwrite` and `remove_originals`.
/// Guarantees: without `overwrite` both stay as they are; with it the target is replaced, once, and where it stood.
#[test]
fn targets_that_stand_there_stay_unless_overwritten() {
    let attributes = json!({ "a": 1, "gen_ai.request.model": "old", "llm.model_name": "new", "b": 2 });
    for (overwrite, remove_originals, model, original) in [
        (false, false, "old", json!("new")),
        (false, true, "old", json!("new")),
        (true, false, "new", json!("new")),
        (true, true, "new", Json::Null),
    ] {
        let found = by(Source { overwrite, remove_originals, ..source("openinference") }, &attributes);
        assert_has(
            &found,
            &json!({ "gen_ai.request.model": model, "llm.model_name": original, "a": 1, "b": 2 }),
            model,
        );
        assert_eq!(found.keys().position(|key| key == "gen_ai.request.model"), Some(1));
    }
}

/// Scenario: spans on which a source's key and a target stand twice.
/// Guarantees: the first source counts; what is replaced stands once, and nothing is left of what is removed.
#[test]
fn keys_that_stand_twice_do_so_no_more() {
    let mut twice = sample(1, "", &json!({ "gen_ai.request.model": "old", "llm.model_name": "first" }));
    let more = sample(1, "", &json!({ "llm.model_name": "second", "gen_ai.request.model": "older" }));
    twice.span.attributes.extend(more.span.attributes);
    let normalizer = normalizer(vec![Source { overwrite: true, remove_originals: true, ..source("openinference") }]);
    let mut traces = Traces::parse(request(&[twice]).into()).unwrap();
    normalizer.process(&mut traces);
    let found = seen(&traces.encode()).remove(&1).unwrap();
    assert_eq!(Json::Object(found), json!({ "gen_ai.request.model": "first" }));
}

/// Scenario: several attributes of a source mean the same, in both orders (#48385: the order on the span decided).
/// Guarantees: the one that tells more counts; without a value of the right type, the next.
#[test]
fn conflicts_do_not_depend_on_the_order_of_attributes() {
    for (first, second, target, expected) in [
        (
            ("llm.request.type", json!("chat")),
            ("traceloop.span.kind", json!("task")),
            "gen_ai.operation.name",
            json!("chat"),
        ),
        (
            ("llm.response.finish_reason", json!("stop")),
            ("llm.response.stop_reason", json!("end_turn")),
            "gen_ai.response.finish_reasons",
            json!(["stop"]),
        ),
        (
            ("llm.usage.prompt_tokens", json!("many")),
            ("gen_ai.usage.prompt_tokens", json!(5)),
            "gen_ai.usage.input_tokens",
            json!(5),
        ),
    ] {
        for (one, other) in [(&first, &second), (&second, &first)] {
            for overwrite in [false, true] {
                for remove_originals in [false, true] {
                    let attributes = json!({ one.0: one.1, other.0: other.1 });
                    let found = by(Source { overwrite, remove_originals, ..source("openllmetry") }, &attributes);
                    assert_has(&found, &json!({ target: expected }), target);
                }
            }
        }
    }
}

/// Scenario: spans in scopes with and without a schema URL, and spans that the sources have nothing to do with.
/// Guarantees: the URL is set where something was written and none stood, or `overwrite_schema_url` asks for it; resources keep theirs,
/// and spans that nothing was written to keep their bytes.
#[test]
fn the_schema_url_tells_what_was_written() {
    const OLD: &str = "https://opentelemetry.io/schemas/1.30.0";
    const NEW: &str = "https://opentelemetry.io/schemas/1.40.0";
    let samples = [
        sample(1, "a", &json!({ "llm.model_name": "m" })),
        sample(2, "b", &json!({ "llm.model_name": "m" })),
        sample(3, "c", &json!({ "http.request.method": "GET", "gen_ai.request.model": "m" })),
        sample(4, "d", &json!({ "llm.token_count.prompt": "many" })),
    ];
    let mut given = ExportTraceServiceRequest::decode(request(&samples).as_slice()).unwrap();
    given.resource_spans[0].schema_url = OLD.to_owned();
    given.resource_spans[0].scope_spans[1].schema_url = OLD.to_owned();
    for (overwrite_schema_url, urls) in [(false, [NEW, OLD, "", ""]), (true, [NEW, NEW, "", ""])] {
        let config = Config { overwrite_schema_url, sources: vec![source("openinference")] };
        let mut traces = Traces::parse(given.encode_to_vec().into()).unwrap();
        assert_eq!(Normalizer::new(&config).unwrap().process(&mut traces), 2);
        let found = ExportTraceServiceRequest::decode(traces.encode()).unwrap();
        assert_eq!(found.resource_spans[0].schema_url, OLD);
        let scopes = &found.resource_spans[0].scope_spans;
        assert_eq!(scopes.iter().map(|scope| scope.schema_url.as_str()).collect::<Vec<_>>(), urls);
        assert_eq!(scopes[2..], given.resource_spans[0].scope_spans[2..]);
    }
    let mut untouched = Traces::parse(request(&samples[2..]).into()).unwrap();
    assert_eq!(normalizer(vec![source("openinference"), source("openllmetry")]).process(&mut untouched), 0);
    assert!(untouched.encode() == request(&samples[2..]));
}
