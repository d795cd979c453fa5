//! Counts, times, finish reasons and errors.

mod support;

use serde_json::{Value as Json, json};
use spanmill_genai::{Conventions, Options, SchemaUrl, SlowSmall};
use spanmill_otlp::Traces;
use std::time::Duration;
use support::{assert_has, engine, normalise, pass, request, sample};

/// Scenario: token counts as the providers and instrumentations give them.
/// Guarantees: input includes the cache and output the reasoning, once; what is no count disappears; absent stays absent.
#[test]
fn counts_mean_the_same_everywhere() {
    let bedrock = "opentelemetry.instrumentation.botocore.bedrock-runtime";
    let openlit = "openlit.instrumentation.anthropic";
    let cases: &[(&str, &'static str, Json, Json)] = &[
        (
            "inclusive stays",
            "com.anthropic.sdk.python",
            json!({ "gen_ai.usage.input_tokens": 5231, "gen_ai.usage.cache_read.input_tokens": 5212, "gen_ai.usage.output_tokens": 1 }),
            json!({ "gen_ai.usage.input_tokens": 5231, "gen_ai.usage.cache_read.input_tokens": 5212 }),
        ),
        (
            "bedrock counts the cache apart",
            bedrock,
            json!({ "gen_ai.usage.input_tokens": 19, "gen_ai.usage.cache_creation.input_tokens": 10, "gen_ai.usage.output_tokens": 1 }),
            json!({ "gen_ai.usage.input_tokens": 29, "gen_ai.usage.cache_creation.input_tokens": 10 }),
        ),
        (
            "more cached than input proves it",
            "some.scope",
            json!({ "gen_ai.usage.input_tokens": 19, "gen_ai.usage.cache_read_input_tokens": 100, "gen_ai.usage.output_tokens": 1 }),
            json!({ "gen_ai.usage.input_tokens": 119, "gen_ai.usage.cache_read.input_tokens": 100 }),
        ),
        (
            "the total of all four proves it",
            "some.scope",
            json!({ "gen_ai.usage.input_tokens": 5000, "gen_ai.usage.cache_read_input_tokens": 1000, "gen_ai.usage.output_tokens": 100, "gen_ai.usage.total_tokens": 6100 }),
            json!({ "gen_ai.usage.input_tokens": 6000 }),
        ),
        (
            "the total of two hints at inclusive",
            "some.scope",
            json!({ "gen_ai.system": "anthropic", "gen_ai.usage.input_tokens": 5000, "gen_ai.usage.cache_read_input_tokens": 1000, "gen_ai.usage.output_tokens": 100, "gen_ai.usage.total_tokens": 5100 }),
            json!({ "gen_ai.usage.input_tokens": 5000 }),
        ),
        (
            "raw names of anthropic count apart",
            "some.scope",
            json!({ "gen_ai.system": "anthropic", "gen_ai.usage.input_tokens": 5000, "gen_ai.usage.cache_read_input_tokens": 1000, "gen_ai.usage.output_tokens": 100 }),
            json!({ "gen_ai.usage.input_tokens": 6000 }),
        ),
        (
            "input that is little more than what was cached includes it",
            "some.scope",
            json!({ "gen_ai.system": "anthropic", "gen_ai.usage.input_tokens": 5231, "gen_ai.usage.cache_write_input_tokens": 5212, "gen_ai.usage.output_tokens": 71 }),
            json!({ "gen_ai.usage.input_tokens": 5231, "gen_ai.usage.cache_creation.input_tokens": 5212 }),
        ),
        (
            "a total that proves nothing",
            openlit,
            json!({ "gen_ai.provider.name": "anthropic", "gen_ai.usage.input_tokens": 5000, "gen_ai.usage.cache_read.input_tokens": 1000, "gen_ai.usage.output_tokens": 100, "gen_ai.usage.total_tokens": 5100 }),
            json!({ "gen_ai.usage.input_tokens": 6000 }),
        ),
        (
            "reasoning outside the output",
            "langfuse-sdk",
            json!({ "langfuse.observation.usage_details": r#"{"input":10,"output":20,"output_reasoning":30,"total":60}"# }),
            json!({ "gen_ai.usage.output_tokens": 50, "gen_ai.usage.reasoning.output_tokens": 30 }),
        ),
        (
            "numbers in text, and doubles",
            "some.scope",
            json!({ "gen_ai.usage.input_tokens": "12", "gen_ai.usage.output_tokens": 7.0 }),
            json!({ "gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": 7 }),
        ),
        (
            "no numbers",
            "some.scope",
            json!({ "gen_ai.usage.input_tokens": "NaN!", "gen_ai.usage.output_tokens": -3, "gen_ai.request.temperature": "Infinity!" }),
            json!({ "gen_ai.usage.input_tokens": null, "gen_ai.usage.output_tokens": null, "gen_ai.request.temperature": null, "spanmill.usage.role": null }),
        ),
        (
            "zero for unknown",
            "some.scope",
            json!({ "gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 0 }),
            json!({ "gen_ai.usage.input_tokens": null, "gen_ai.usage.output_tokens": null, "spanmill.usage.role": null }),
        ),
        (
            "embeddings have no output",
            "some.scope",
            json!({ "gen_ai.operation.name": "embedding", "gen_ai.usage.input_tokens": 9, "gen_ai.usage.output_tokens": 0 }),
            json!({ "gen_ai.operation.name": "embeddings", "gen_ai.usage.input_tokens": 9, "gen_ai.usage.output_tokens": null }),
        ),
        (
            "a right value is not overwritten",
            "some.scope",
            json!({ "gen_ai.usage.prompt_tokens": 5, "gen_ai.usage.input_tokens": 6, "gen_ai.usage.output_tokens": 1 }),
            json!({ "gen_ai.usage.input_tokens": 6, "gen_ai.usage.prompt_tokens": 5 }),
        ),
    ];
    for (what, scope, attributes, expected) in cases {
        assert_has(&normalise(&[sample(1, scope, attributes)])[&1], expected, what);
    }
}

/// Scenario: the time to first token in seconds, milliseconds, nanoseconds, as an instant and as an event.
/// Guarantees: it is in seconds, as a double, and lies within the span.
#[test]
fn times_to_first_token() {
    let key = "gen_ai.response.time_to_first_chunk";
    for (attributes, expected) in [
        (json!({ key: 0.25 }), json!({ key: 0.25 })),
        (json!({ key: 250 }), json!({ key: 0.25 })),
        (json!({ "gen_ai.response.time_to_first_token": 250_000_000 }), json!({ key: 0.25 })),
        (json!({ "gen_ai.time_to_first_token_ms": "250" }), json!({ key: 0.25 })),
        (
            json!({ "langfuse.observation.type": "generation", "langfuse.observation.completion_start_time": "\"2026-09-21T14:13:20.250Z\"" }),
            json!({ key: 0.25 }),
        ),
        (json!({ key: "NaN!" }), json!({ key: null })),
        (json!({ key: -1.0 }), json!({ key: null })),
        (json!({ "gen_ai.operation.name": "chat" }), json!({ key: null })),
    ] {
        assert_has(&normalise(&[sample(1, "some.scope", &attributes)])[&1], &expected, &attributes.to_string());
    }
    let streamed = sample(1, "openinference.instrumentation.openai", &json!({ "openinference.span.kind": "LLM" }));
    let seen = normalise(&[streamed.event(250, "First Token Stream Event", &json!({}))]);
    assert_has(&seen[&1], &json!({ key: 0.25 }), "event");
}

/// Scenario: finish reasons in every spelling and place.
/// Guarantees: one canonical word beside the provider's own, which is an array.
#[test]
fn finish_reasons() {
    for (attributes, word) in [
        (json!({ "gen_ai.response.finish_reasons": ["end_turn"] }), "stop"),
        (json!({ "gen_ai.response.finish_reasons": "[\"tool_calls\"]" }), "tool_call"),
        (json!({ "gen_ai.response.finish_reason": "FinishReason.MAX_TOKENS" }), "length"),
        (json!({ "gen_ai.response.stop_reason": "refusal" }), "content_filter"),
        (
            json!({ "gen_ai.output.messages": "[{\"role\":\"assistant\",\"parts\":[],\"finish_reason\":\"stop\"}]" }),
            "stop",
        ),
        (
            json!({
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.output.messages": "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"tool_call\",\"name\":\"x\"}]}]",
            }),
            "tool_call",
        ),
    ] {
        let mut attributes = attributes;
        attributes["gen_ai.operation.name"] = json!("chat");
        let seen = normalise(&[sample(1, "some.scope", &attributes)]);
        assert_has(&seen[&1], &json!({ "spanmill.finish_reason": word }), &attributes.to_string());
        assert!(seen[&1]["gen_ai.response.finish_reasons"].is_array());
    }
}

/// Scenario: errors as SDKs, exceptions, statuses and messages tell them.
/// Guarantees: each has its class; a number in a text is no status code.
#[test]
fn error_classes() {
    let chat = |more: Json| {
        let mut attributes = json!({ "gen_ai.operation.name": "chat" });
        attributes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        sample(1, "some.scope", &attributes)
    };
    for (sample, class) in [
        (chat(json!({ "error.type": "anthropic.RateLimitError" })).failed(""), "rate_limit"),
        (chat(json!({ "error.type": "429" })).failed(""), "rate_limit"),
        (chat(json!({ "error.type": "RateLimitError" })).failed("insufficient_quota"), "quota"),
        (chat(json!({ "http.response.status_code": 529 })).failed(""), "overloaded"),
        (chat(json!({})).failed("Error code: 401 - no"), "auth"),
        (chat(json!({})).failed("Error code: 400 - prompt is too long: 9 tokens"), "context_length"),
        (chat(json!({})).failed("request req_429abc failed after 1429 tokens"), "other"),
        (chat(json!({ "error.type": "APITimeoutError" })).failed(""), "timeout"),
        (chat(json!({})).event(5, "exception", &json!({ "exception.type": "openai.NotFoundError" })), "not_found"),
        (chat(json!({})).failed("An error occurred (ThrottlingException) when calling"), "rate_limit"),
    ] {
        let what = format!("{:?}", sample.span.status);
        assert_has(&normalise(&[sample])[&1], &json!({ "spanmill.error.class": class }), &what);
    }
    assert_has(&normalise(&[chat(json!({}))])[&1], &json!({ "spanmill.error.class": null }), "no error");
}

/// Scenario: calls around the limits of a slow small call.
/// Guarantees: the flag is true or absent, on the owner, with its cause.
#[test]
fn slow_small_calls() {
    let call = |input: i64, finish: &str, ttft: Option<f64>| {
        let mut attributes = json!({
            "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": input, "gen_ai.usage.output_tokens": 10,
            "gen_ai.response.finish_reasons": [finish],
        });
        if let Some(ttft) = ttft {
            attributes["gen_ai.response.time_to_first_chunk"] = json!(ttft);
        }
        sample(1, "some.scope", &attributes)
    };
    let flag = |flag: Json, cause: Json| json!({ "spanmill.slow_small": flag, "spanmill.slow_small.cause": cause });
    for (what, sample, expected) in [
        ("slow start", call(1999, "stop", Some(4.0)).at(0, 5000), flag(json!(true), json!("slow_start"))),
        ("slow finish", call(1999, "stop", Some(0.5)).at(0, 5000), flag(json!(true), json!("slow_finish"))),
        ("nothing known", call(10, "end_turn", None).at(0, 9000), flag(json!(true), json!("unknown"))),
        ("too fast", call(10, "stop", None).at(0, 4999), flag(Json::Null, Json::Null)),
        ("too large", call(2000, "stop", None).at(0, 9000), flag(Json::Null, Json::Null)),
        ("cut off", call(10, "length", None).at(0, 9000), flag(Json::Null, Json::Null)),
    ] {
        assert_has(&normalise(&[sample])[&1], &expected, what);
    }
    let slow_small = SlowSmall { min_duration: Duration::from_millis(100), ..SlowSmall::default() };
    let seen = pass(&engine(&Options { slow_small, ..Options::default() }), &[call(10, "stop", None).at(0, 100)]);
    assert_has(&seen[&1], &flag(json!(true), json!("unknown")), "other limits");
}

/// Scenario: an agent calls one tool three times with the same arguments, written differently, and another one once.
/// Guarantees: the three and the agent are marked, with the count; the other tool is not.
#[test]
fn tool_loops() {
    let tool = |id, name: &str, arguments: &str| {
        sample(id, "some.scope", &json!({
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name, "gen_ai.tool.call.arguments": arguments,
        }))
        .below(1)
    };
    let seen = normalise(&[
        tool(2, "search", r#"{"a": 1, "b": 2}"#),
        tool(3, "search", r#"{"b":2,"a":1}"#),
        tool(4, "search", r#"{"a":1,"b":2}"#),
        tool(5, "fetch", r#"{"a":1,"b":2}"#),
        sample(1, "some.scope", &json!({ "gen_ai.operation.name": "invoke_agent" })),
    ]);
    for id in 1..5 {
        assert_has(&seen[&id], &json!({ "spanmill.tool_loop": true, "spanmill.tool_loop.count": 3 }), "loop");
    }
    assert_has(&seen[&5], &json!({ "spanmill.tool_loop": null }), "another tool");
}

/// Scenario: two calls of a tool over MCP, each seen by the framework, by the client and by the server.
/// Guarantees: that is no loop.
#[test]
fn a_tool_that_is_told_thrice_is_no_loop() {
    let tool = json!({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look", "gen_ai.tool.call.arguments": "{\"a\": 1}" });
    let call = |first: u8| {
        [
            sample(first, "a", &tool),
            sample(first + 1, "b", &tool).below(first),
            sample(first + 2, "c", &tool).below(first + 1),
        ]
    };
    let seen = normalise(&[call(1), call(4)].concat());
    for id in 1..=6 {
        assert_has(&seen[&id], &json!({ "spanmill.tool_loop": null }), "told thrice");
    }
}

/// Scenario: a streamed call of two seconds.
/// Guarantees: derived values are doubles, also when whole, and the bucket is a word.
#[test]
fn derived_values() {
    let seen = normalise(&[sample(
        1,
        "some.scope",
        &json!({
            "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 2500, "gen_ai.usage.output_tokens": 101,
            "gen_ai.response.time_to_first_chunk": 1.0,
        }),
    )
    .at(0, 2000)]);
    assert_has(
        &seen[&1],
        &json!({
            "spanmill.total_tokens": 2601, "spanmill.tokens_per_second": 50.5,
            "spanmill.generation.tokens_per_second": 101.0, "spanmill.time_per_output_token": 0.01,
            "spanmill.input_tokens.bucket": "2k-8k",
        }),
        "derived",
    );
}

/// Scenario: a call with cached input, the same with priority, one whose source says the cost, one of a model without a price, and an agent
/// above a call.
/// Guarantees: the first two have the cost that the table gives, the third keeps its own, the fourth has none, and of agent and call only the
/// call has one.
#[test]
fn costs() {
    let call = |more: serde_json::Value| {
        let mut attributes = json!({
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100,
            "gen_ai.usage.cache_read.input_tokens": 400,
        });
        attributes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        attributes
    };
    let agent = json!({
        "gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100,
    });
    let seen = normalise(&[
        sample(1, "some.scope", &call(json!({}))),
        sample(2, "some.scope", &call(json!({ "openai.response.service_tier": "priority" }))),
        sample(3, "some.scope", &call(json!({ "gen_ai.usage.cost.amount": 0.5 }))),
        sample(4, "some.scope", &call(json!({ "gen_ai.request.model": "house-model-7" }))),
        sample(5, "some.scope", &agent).at(0, 2000),
        sample(6, "some.scope", &call(json!({ "gen_ai.response.id": "r6" }))).at(100, 1900).below(5),
    ]);
    // What answered has no price, so what was asked for counts: of each call by itself.
    let aliased = |model: &str| call(json!({ "gen_ai.response.model": "alias", "gen_ai.request.model": model }));
    let by_request = normalise(&[
        sample(1, "some.scope", &aliased("gpt-4o")),
        sample(2, "some.scope", &aliased("gpt-4o-mini")),
        sample(3, "some.scope", &aliased("house-model-7")),
    ]);
    let amounts: Vec<_> = (1..4).map(|span| by_request[&span].get("gen_ai.usage.cost.amount").cloned()).collect();
    assert_eq!(amounts, [Some(json!(0.003)), Some(json!(0.00018)), None]);
    let cost = |span: u8| seen[&span].get("gen_ai.usage.cost.amount").cloned();
    assert_has(
        &seen[&1],
        &json!({
            "gen_ai.usage.cost.amount": 0.003, "gen_ai.usage.cost.currency": "USD",
            "gen_ai.usage.cost.source": "estimated",
        }),
        "by the table",
    );
    assert_eq!(cost(2), Some(json!(0.0051)));
    assert_eq!((cost(3), seen[&3].get("gen_ai.usage.cost.source")), (Some(json!(0.5)), None));
    assert_eq!((cost(4), cost(5), cost(6)), (None, None, Some(json!(0.003))));
}

/// Scenario: a span with a hundred thousand bad numbers, repeated counts and events.
/// Guarantees: the engine ends in time that does not grow with the square.
#[test]
fn hostile_spans_end() {
    let mut hostile =
        sample(1, "com.anthropic.sdk.python", &json!({ "gen_ai.usage.input_tokens": 5, "gen_ai.x": "NaN!" }));
    let attributes = hostile.span.attributes.clone();
    for _ in 0..100_000 {
        hostile.span.attributes.extend(attributes.iter().cloned());
        hostile.span.events.push(opentelemetry_proto::tonic::trace::v1::span::Event::default());
    }
    let mut traces = spanmill_otlp::Traces::parse(support::request(&[hostile]).into()).unwrap();
    let begin = std::time::Instant::now();
    assert_eq!(engine(&Options::default()).process(&mut traces).owners, 1);
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
}

/// Scenario: OpenLLMetry's LangChain, which writes the model of the request where it does not know which one answered: of a model that snapshots answer for,
/// of one that answers under its own name, and of a snapshot; the same from another instrumentation.
/// Guarantees: only the first is not believed.
#[test]
fn a_copy_of_the_request_is_no_answer() {
    let call = |model: &str| json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": model, "gen_ai.response.model": model });
    let scope = "@traceloop/instrumentation-langchain";
    for (scope, model, answered) in [
        (scope, "gpt-4o", Json::Null),
        (scope, "mistral-small", json!("mistral-small")),
        (scope, "gpt-4o-2024-08-06", json!("gpt-4o-2024-08-06")),
        ("@traceloop/instrumentation-openai", "gpt-4o", json!("gpt-4o")),
    ] {
        let expected = json!({ "gen_ai.request.model": model, "gen_ai.response.model": answered });
        assert_has(&normalise(&[sample(1, scope, &call(model))])[&1], &expected, scope);
    }
}

/// Scenario: a span carries a standard key twice.
/// Guarantees: it has it once afterwards, with the first value.
#[test]
fn a_repeated_key_stands_once() {
    let mut twice = sample(1, "com.anthropic.sdk.python", &json!({ "gen_ai.usage.input_tokens": 5 }));
    let again = sample(1, "", &json!({ "gen_ai.usage.input_tokens": 7 }));
    twice.span.attributes.extend(again.span.attributes);
    assert_has(&normalise(&[twice])[&1], &json!({ "gen_ai.usage.input_tokens": 5 }), "twice");
}

/// Scenario: cache writes under the name of either version of the conventions, written in either version; and the number of documents that a
/// retrieval asks for.
/// Guarantees: the name is that of the version which is written, and stands once.
#[test]
fn the_version_that_is_written_can_be_chosen() {
    let (old, new) = ("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_write.input_tokens");
    for (conventions, wanted) in [(Conventions::V1_41, old), (Conventions::Main, new)] {
        let engine = engine(&Options { conventions, remove_originals: true, ..Options::default() });
        for given in [old, new] {
            let seen = pass(
                &engine,
                &[sample(
                    1,
                    "any",
                    &json!({ given: 3, "gen_ai.usage.input_tokens": 9, "gen_ai.operation.name": "chat" }),
                )],
            );
            assert_eq!(seen[&1].get(wanted), Some(&json!(3)), "{given} written as {conventions:?}");
            assert_eq!(seen[&1].keys().filter(|key| [old, new].contains(&key.as_str())).count(), 1);
        }
    }
    let engine = engine(&Options { conventions: Conventions::Main, ..Options::default() });
    let seen = pass(
        &engine,
        &[sample(1, "any", &json!({ "gen_ai.operation.name": "retrieval", "gen_ai.request.top_k": 4.0 }))],
    );
    assert_eq!(seen[&1].get("gen_ai.retrieval.top_k"), Some(&json!(4)));
}

/// Scenario: scopes with GenAI spans and without, with a schema URL and without.
/// Guarantees: the URL of the conventions is set where there is none and GenAI spans are; `Overwrite` replaces others, `Keep` sets none.
#[test]
fn the_schema_url_tells_the_version() {
    let url = "https://opentelemetry.io/schemas/1.41.1";
    for (schema_url, wanted) in [
        (SchemaUrl::Fill, [url, "old", ""]),
        (SchemaUrl::Overwrite, [url, url, ""]),
        (SchemaUrl::Keep, ["", "old", ""]),
    ] {
        let engine = engine(&Options { schema_url, ..Options::default() });
        let genai = json!({ "gen_ai.request.model": "m" });
        let samples = [sample(1, "a", &genai), sample(2, "b", &genai), sample(3, "c", &json!({ "http.route": "/" }))];
        let mut traces = Traces::parse(request(&samples).into()).unwrap();
        let second = traces.scopes().nth(1).unwrap().ix();
        traces.set_schema_url(second, "old");
        let mut traces = Traces::parse(traces.encode()).unwrap();
        engine.process(&mut traces);
        let traces = Traces::parse(traces.encode()).unwrap();
        let urls: Vec<&str> = traces.scopes().map(|scope| std::str::from_utf8(scope.schema_url()).unwrap()).collect();
        assert_eq!(urls, wanted, "{schema_url:?}");
    }
}

/// Scenario: a call of a known model with a cached prompt, whose answer asks for tools.
/// Guarantees: shares of the cache and of the context window, output to input, the tools and the sizes of the messages.
#[test]
fn shares_and_tools_are_derived() {
    let input = r#"[{"role":"user","parts":[{"type":"text","content":"Hot?"}]}]"#;
    let call = |id, name| json!({ "type": "tool_call", "id": id, "name": name, "arguments": {} });
    let output = json!([{ "role": "assistant", "parts": [call("1", "look"), call("2", "ask"), call("3", "look")], "finish_reason": "tool_call" }]);
    let seen = normalise(&[sample(
        1,
        "any",
        &json!({
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.response.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 32_000, "gen_ai.usage.cache_read.input_tokens": 8_000, "gen_ai.usage.output_tokens": 320,
            "gen_ai.input.messages": input, "gen_ai.output.messages": output.to_string(),
        }),
    )]);
    assert_has(
        &seen[&1],
        &json!({
            "spanmill.output_input_ratio": 0.01, "spanmill.cache.hit_ratio": 0.25, "spanmill.context.used": 0.25,
            "spanmill.tool_calls.count": 3, "spanmill.tool_calls.names": ["ask", "look"],
            "spanmill.content.input_bytes": input.len(), "spanmill.content.output_bytes": output.to_string().len(),
        }),
        "derived",
    );
}

/// Scenario: a call of Claude Code that keeps a part of its cache for an hour, and a call with audio as its provider counted it.
/// Guarantees: both parts are charged at their own rates; no audio is not worth an attribute.
#[test]
fn parts_with_prices_of_their_own() {
    let claude = json!({
        "gen_ai.operation.name": "chat", "model": "claude-sonnet-4-5", "input_tokens": 10, "output_tokens": 0,
        "cache_creation_tokens": 3_000, "cache_creation_1h_tokens": 1_000,
    });
    let seen = normalise(&[sample(1, "com.anthropic.claude_code.tracing", &claude)]);
    let expected = (10.0 * 3.0 + 2_000.0 * 3.75 + 1_000.0 * 6.0) / 1e6;
    assert_has(&seen[&1], &json!({ "gen_ai.usage.cost.amount": expected }), "an hour");
    let usage = |audio: i64| json!({ "prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": { "audio_tokens": audio } });
    let call = |audio| json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.raw": usage(audio).to_string() });
    let seen = normalise(&[sample(1, "logfire.openai", &call(60)), sample(2, "logfire.openai", &call(0))]);
    assert_eq!(seen[&1].get("gen_ai.usage.audio.input_tokens"), Some(&json!(60)));
    assert_eq!(seen[&2].get("gen_ai.usage.audio.input_tokens"), None);
}

/// Scenario: reasoning of models that Google's ADK calls, its own and one through LiteLLM, under the standard names.
/// Guarantees: what LiteLLM counts in the output already is counted once.
#[test]
fn reasoning_that_was_added_twice() {
    for (provider, model, expected) in [("openai", "openai/o4-mini", 1187), ("gcp.gemini", "gemini-2.5-flash", 2211)] {
        let call = json!({
            "gen_ai.operation.name": "generate_content", "gen_ai.provider.name": provider, "gen_ai.request.model": model,
            "gen_ai.usage.input_tokens": 129, "gen_ai.usage.output_tokens": 2211, "gen_ai.usage.reasoning.output_tokens": 1024,
        });
        let seen = normalise(&[sample(1, "gcp.vertex.agent", &call)]);
        assert_eq!(seen[&1]["gen_ai.usage.output_tokens"], json!(expected), "{provider}");
    }
}
