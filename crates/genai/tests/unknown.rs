//! Spans of families that nobody knows: what their names and documents tell all the same.

mod support;

use serde_json::json;
use spanmill_genai::content::{Action, ContentOptions, ContentPolicy};
use spanmill_genai::{Engine, Options};
use spanmill_otlp::Traces;
use support::{assert_has, normalise, request, sample, seen};

const NOBODY: &str = "acme.tracing";

/// Scenario: a family writes OpenInference's names below a name of its own.
/// Guarantees: they mean what they mean elsewhere, flattened messages included, and who was called with which tokens comes out.
#[test]
fn known_names_below_another() {
    let attributes = json!({
        "acme.llm.model_name": "gpt-4o", "acme.llm.provider": "openai", "acme.llm.response_id": "chatcmpl-1", "acme.span.kind": "llm",
        "acme.llm.token_count.prompt": 5, "acme.llm.token_count.completion": 6, "acme.llm.token_count.cache_read": 4,
        "acme.llm.metrics.ttft_ms": 250.0, "acme.llm.finish_reason": "length", "acme.llm.is_streaming": true,
        "acme.llm.input_messages.0.role": "user", "acme.llm.input_messages.0.content": "Hi",
        "acme.llm.input_messages.1.role": "assistant", "acme.llm.input_messages.1.tool_calls": "[{}]",
    });
    let expected = json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6, "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.response.time_to_first_chunk": 0.25, "spanmill.finish_reason": "length", "gen_ai.request.stream": true,
        "spanmill.source": "unknown", "spanmill.usage.role": "owner",
    });
    let seen = normalise(&[sample(1, NOBODY, &attributes)]);
    assert_has(&seen[&1], &expected, "below a name");
    assert!(seen[&1]["gen_ai.input.messages"].as_str().is_some_and(|text| text.contains(r#""content":"Hi""#)));
}

/// Scenario: spans with names that nobody else has, with and without dots, of which the ends are words that others use.
/// Guarantees: a model and a count of tokens together make a call; each end is read, the longest first.
#[test]
fn ends_of_names() {
    let cases = [
        json!({ "acme.metrics.unit.tokens.prompt": 5.0, "acme.metrics.unit.tokens.completion": 6.0, "acme.configuration.model": "gpt-4o" }),
        json!({ "model": "gpt-4o", "prompt_tokens": 5, "completion_tokens": "6", "provider": "openai" }),
        json!({ "acme.usage.inputTokens": 5, "acme.usage.outputTokens": 6, "acme.request.model": "gpt-4o" }),
    ];
    let expected = json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6, "spanmill.source": "unknown",
    });
    for attributes in cases {
        let seen = normalise(&[sample(1, NOBODY, &attributes)]);
        assert_has(&seen[&1], &expected, &attributes.to_string());
    }
}

/// Scenario: the same words in other manners of writing: with humps, capitals, dashes, dots, after a word that changes nothing, and in
/// several units.
/// Guarantees: they mean what they mean elsewhere, and words that change the meaning are respected.
#[test]
fn manners_of_writing() {
    let cases = [
        json!({ "acme.ModelName": "gpt-4o", "acme.PromptTokens": 5, "acme.CompletionTokens": 6, "acme.CacheReadTokens": 4,
            "acme.FinishReason": "length", "acme.TimeToFirstTokenMs": 250, "acme.ProviderName": "openai" }),
        json!({ "acme.model-name": "gpt-4o", "acme.usage_input_tokens": 5, "acme.usage.output.tokens": 6, "acme.cached.tokens": 4,
            "acme.max_output_tokens": 900, "acme.finish-reasons": "['length']", "acme.ttft": "250ms" }),
        json!({ "llm.modelName": "gpt-4o", "llm.promptTokenCount": 5, "llm.completionTokenCount": 6, "llm.cachedInputTokens": 4,
            "llm.finishReason": "length", "llm.first_token_latency": 0.25, "acme.max_input_tokens": 900 }),
    ];
    let expected = json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6, "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.response.time_to_first_chunk": 0.25, "spanmill.finish_reason": "length", "spanmill.source": "unknown",
    });
    for attributes in cases {
        let seen = normalise(&[sample(1, NOBODY, &attributes)]);
        assert_has(&seen[&1], &expected, &attributes.to_string());
    }
}

/// Scenario: names of a family that is known by an attribute, under a scope that nobody knows, beside others that it does not write.
/// Guarantees: the others are read as those of anybody.
#[test]
fn names_beside_those_of_a_known_family() {
    let attributes = json!({
        "ai.model.id": "gpt-4o", "ai.model.provider": "openai", "ai.usage.input_tokens": 5, "ai.usage.output_tokens": 6,
        "ai.usage.cached_input_tokens": 4, "ai.response.finish_reason": "length", "ai.time_to_first_token_ms": 250.0,
    });
    let expected = json!({
        "gen_ai.usage.input_tokens": 5, "gen_ai.usage.cache_read.input_tokens": 4, "spanmill.finish_reason": "length",
        "gen_ai.response.time_to_first_chunk": 0.25,
    });
    assert_has(&normalise(&[sample(1, NOBODY, &attributes)])[&1], &expected, "a family's names and others");
}

/// Scenario: a wrapper begins its span after the answer and says how long that took; and one whose span lasts as long as the call says the same
/// of all its attempts.
/// Guarantees: the first is a slow call and has a rate; the second one's own length counts.
#[test]
fn a_span_after_the_call() {
    let said = json!({ "llm.model": "gpt-4o", "llm.tokens_in": 812, "llm.tokens_out": 54, "llm.latency_ms": 5400.0, "llm.finish_reason": "stop" });
    let seen = normalise(&[sample(1, NOBODY, &said).at(0, 0), sample(2, NOBODY, &said).at(0, 1000)]);
    assert_has(
        &seen[&1],
        &json!({ "spanmill.slow_small": true, "spanmill.tokens_per_second": 10.0 }),
        "after the call",
    );
    assert_has(&seen[&2], &json!({ "spanmill.tokens_per_second": 54.0 }), "as long as the call");
    assert!(seen[&2].get("spanmill.slow_small").is_none());
}

/// Scenario: a call that counts what went in and nothing else, of a model that embeds, and of one that does not.
/// Guarantees: the first is an embedding; what the second does nobody says.
#[test]
fn an_embedding_has_no_output() {
    let of = |model: &str| json!({ "openai.model": model, "openai.usage.prompt_tokens": 5 });
    let seen = normalise(&[sample(1, NOBODY, &of("text-embedding-3-small")), sample(2, NOBODY, &of("gpt-4o"))]);
    assert_has(
        &seen[&1],
        &json!({ "gen_ai.operation.name": "embeddings", "gen_ai.usage.input_tokens": 5 }),
        "an embedding",
    );
    assert!(seen[&2].get("gen_ai.operation.name").is_none());
}

/// Scenario: a wrapper writes the model that it asked for on the span, and the answer's name and counts in an event.
/// Guarantees: the alias was asked for, and its snapshot answered.
#[test]
fn two_models() {
    let attributes = json!({ "llm.model": "gpt-4o" });
    let answer = json!({ "model": "gpt-4o-2024-08-06", "input_tokens": 5, "output_tokens": 6, "stop_reason": "stop" });
    let span = sample(1, NOBODY, &attributes).event(900, "llm.completion", &answer);
    let expected = json!({
        "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.usage.input_tokens": 5,
    });
    assert_has(&normalise(&[span])[&1], &expected, "an alias and its snapshot");
}

/// Scenario: a failed call that names nothing but its model, with the exception of a provider's client; and a span of something else that
/// failed with the same one.
/// Guarantees: the first is a call with its kind of error, the second is nobody's business.
#[test]
fn what_a_client_raised() {
    let raised = json!({ "exception.type": "openai.RateLimitError", "exception.message": "Error code: 429" });
    let call = sample(1, NOBODY, &json!({ "openai.model": "gpt-4o" })).failed("").event(900, "exception", &raised);
    let other = sample(2, NOBODY, &json!({ "route": "/chat" })).failed("").event(900, "exception", &raised);
    let seen = normalise(&[call, other]);
    assert_has(&seen[&1], &json!({ "gen_ai.request.model": "gpt-4o", "spanmill.error.class": "rate_limit" }), "a call");
    assert!(seen.get(&2).is_none_or(|span| span.get("spanmill.error.class").is_none()));
}

/// Scenario: a wrapper of a client writes what a method gave back as Python prints it, and nothing else that tells.
/// Guarantees: it is read as the answer that it is.
#[test]
fn an_answer_as_a_whole() {
    let attributes = json!({
        "function_name": "create",
        "acme.result": "ChatCompletion(id='chatcmpl-1', choices=[Choice(finish_reason='stop', index=0)], model='gpt-4o-2024-08-06', \
            usage=CompletionUsage(completion_tokens=6, prompt_tokens=5, total_tokens=11))",
    });
    let expected = json!({
        "gen_ai.provider.name": "openai", "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6, "spanmill.finish_reason": "stop",
    });
    assert_has(&normalise(&[sample(1, NOBODY, &attributes)])[&1], &expected, "an answer");
}

/// Scenario: the usage stands in an event, under the names of the conventions.
/// Guarantees: the span gets it, and the event stays as it is.
#[test]
fn usage_in_an_event() {
    let attributes =
        json!({ "gen_ai.system": "openai", "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o" });
    let usage = json!({ "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6 });
    let span = sample(1, NOBODY, &attributes).event(900, "gen_ai.usage", &usage).event(200, "stream.chunk", &json!({}));
    let expected = json!({
        "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6, "gen_ai.response.time_to_first_chunk": 0.2,
        "spanmill.usage.role": "owner",
    });
    assert_has(&normalise(&[span])[&1], &expected, "an event");
}

/// Scenario: spans of other things that have a model, or count something that they call tokens, or have the conventions' own names.
/// Guarantees: nothing is made of them.
#[test]
fn other_spans_are_left_alone() {
    let cases = [
        json!({ "device.model.name": "Pixel", "http.request.method": "GET", "session.id": "s" }),
        json!({ "parser.input_tokens": 5, "parser.output_tokens": 6 }),
        json!({ "car.model": "T", "order.prompt": "now", "response": "{\"total\": 5}" }),
        json!({ "http.model": "x", "db.prompt_tokens": 5, "url.completion_tokens": 6 }),
    ];
    for attributes in cases {
        let seen = normalise(&[sample(1, NOBODY, &attributes)]);
        assert_eq!(seen[&1], *attributes.as_object().expect("an object"), "{attributes}");
    }
}

/// Scenario: words that stand where there is nothing to be said, a framework that names itself as the provider, a URL for the server's
/// address, and the duration as the time to the first token of a call that did not stream.
/// Guarantees: none of them is taken for a fact; who serves the model follows from its name, or from the host.
#[test]
fn what_says_nothing() {
    let attributes = json!({
        "gen_ai.operation.name": "chat", "gen_ai.system": NOBODY, "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "unknown",
        "gen_ai.response.finish_reason": "<no_finish_reason_provided>", "gen_ai.response.id": "<unknown>",
        "server.address": "https://api.openai.com/v1", "gen_ai.request.stream": false, "gen_ai.server.time_to_first_token": 1.0,
        "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6,
    });
    let expected = json!({ "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o", "server.address": "api.openai.com" });
    let seen = normalise(&[sample(1, NOBODY, &attributes)]);
    assert_has(&seen[&1], &expected, "placeholders");
    for absent in [
        "gen_ai.response.model",
        "gen_ai.response.finish_reasons",
        "gen_ai.response.time_to_first_chunk",
        "spanmill.finish_reason",
    ] {
        assert!(!seen[&1].contains_key(absent), "{absent}");
    }
}

/// Scenario: an embedding whose model has a name of its own; the usage of a call as one document, under three names and in three spellings.
/// Guarantees: who embedded what comes out, and the counts.
#[test]
fn usage_as_a_document() {
    let attributes =
        json!({ "embedding_model": "text-embedding-3-small", "input_tokens": 17, "span_type": "EMBEDDING" });
    let seen = normalise(&[sample(1, NOBODY, &attributes)]);
    let expected = json!({ "gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "openai", "gen_ai.usage.input_tokens": 17 });
    assert_has(&seen[&1], &expected, "an embedding");
    let expected =
        json!({ "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6, "gen_ai.request.model": "gpt-4o" });
    for attributes in [
        json!({ "model": "gpt-4o", "token_counts": r#"{"prompt_tokens":5,"completion_tokens":6,"total_tokens":11}"# }),
        json!({ "acme.model": "gpt-4o", "acme.usage": r#"{"promptTokens":5,"completionTokens":6}"#, "acme.span_type": "llm" }),
        json!({ "acme.model": "gpt-4o", "acme.usage_metadata": r#"{"prompt_token_count":5,"candidates_token_count":6}"# }),
    ] {
        assert_has(&normalise(&[sample(1, NOBODY, &attributes)])[&1], &expected, &attributes.to_string());
    }
}

/// Scenario: LlamaIndex' own exporter under a scope that nobody uses: nothing but the events tells. And an event of something else.
/// Guarantees: the first is a call, and known; the other span is left alone.
#[test]
fn an_event_tells_the_source() {
    let event = json!({ "model_dict.model_name": "gpt-4o" });
    let seen = normalise(&[sample(1, NOBODY, &json!({ "a": 1 })).event(10, "LLMChatStartEvent", &event)]);
    assert_has(&seen[&1], &json!({ "spanmill.source": "llama-index", "gen_ai.request.model": "gpt-4o" }), "LlamaIndex");
    let seen = normalise(&[sample(1, NOBODY, &json!({ "a": 1 })).event(10, "metadata", &event)]);
    assert_eq!(seen[&1], *json!({ "a": 1 }).as_object().expect("an object"));
}

/// Scenario: Gemini's answer, which has its message as the content, in an attribute whose name only ends like others; OpenAI's as a payload.
/// Guarantees: the message, why it ended, and the call of a tool come out.
#[test]
fn answers_of_two_kinds() {
    let call = r#"{"content":{"role":"model","parts":[{"functionCall":{"name":"look","args":{"at":"Oslo"}}}]},
        "usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":6},"finishReason":"STOP"}"#;
    let seen = normalise(&[sample(1, NOBODY, &json!({ "acme.llm_response": call, "acme.model": "gemini-2.5-flash" }))]);
    let expected = json!({ "gen_ai.usage.input_tokens": 5, "gen_ai.provider.name": "gcp.gemini", "spanmill.finish_reason": "tool_call" });
    assert_has(&seen[&1], &expected, "Gemini's");

    let payload = r#"{"id":"resp_1","model":"gpt-4o-2024-08-06","status":"completed","usage":{"input_tokens":5,"output_tokens":6}}"#;
    let seen = normalise(&[sample(1, NOBODY, &json!({ "gen_ai.execution.payload": payload }))]);
    assert_has(&seen[&1], &json!({ "gen_ai.response.id": "resp_1", "gen_ai.usage.output_tokens": 6 }), "OpenAI's");
}

/// Scenario: content of a family that nobody knows, which is to be dropped.
/// Guarantees: it is dropped under the names that it came with, too.
#[test]
fn content_under_unknown_names_is_content() {
    let attributes = json!({
        "acme.llm.model_name": "gpt-4o", "acme.llm.token_count.prompt": 5, "acme.llm.token_count.completion": 6,
        "acme.llm.input_messages.0.content": "my secret", "acme.llm.output_messages.0.content": "your secret", "acme.input": "my secret",
    });
    let engine = Engine::new(&Options::default()).expect("default options");
    let policy = ContentPolicy::new(&ContentOptions { policy: Action::Drop, ..ContentOptions::default() }, &engine)
        .expect("a policy");
    let mut traces = Traces::parse(request(&[sample(1, NOBODY, &attributes)]).into()).expect("a request");
    engine.process(&mut traces);
    let left = seen(&policy.apply(traces).traces.encode());
    assert!(!left[&1].values().any(|value| value.to_string().contains("secret")), "{left:#?}");
}
