//! Who owns the usage of a call.

mod support;

use serde_json::json;
use spanmill_genai::Options;
use support::{Sample, Seen, assert_has, engine, normalise, pass, sample};

const SDK: &str = "com.anthropic.sdk.python";
const UTIL: &str = "opentelemetry.util.genai.handler";
const HAND: &str = "chat-api.llm";

fn chat(id: u8, scope: &'static str, input: i64, output: i64) -> Sample {
    let attributes = json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": input, "gen_ai.usage.output_tokens": output,
    });
    sample(id, scope, &attributes)
}

fn with_response(mut sample: Sample, id: &str) -> Sample {
    let extra = self::sample(0, "", &json!({ "gen_ai.response.id": id }));
    sample.span.attributes.extend(extra.span.attributes);
    sample
}

fn role(seen: &Seen, id: u8) -> &str {
    seen[&id].get("spanmill.usage.role").and_then(|role| role.as_str()).unwrap_or("none")
}

/// Scenario: a hand-written wrapper around an SDK that traces itself, as in the article; the wrapper copies tokens without
/// the cache and alone knows the time to first token.
/// Guarantees: the SDK's span owns, the wrapper is a duplicate, and the time reaches the owner in seconds.
#[test]
fn a_wrapper_around_a_native_sdk() {
    let wrapper = sample(
        1,
        HAND,
        &json!({
            "gen_ai.system": "anthropic", "gen_ai.request.model": "claude-opus-4-7",
            "gen_ai.usage.input_tokens": 19, "gen_ai.usage.output_tokens": 71, "gen_ai.time_to_first_token_ms": 400,
        }),
    );
    let native = sample(
        2,
        SDK,
        &json!({
            "gen_ai.provider.name": "anthropic", "gen_ai.operation.name": "chat", "gen_ai.response.id": "msg_1",
            "gen_ai.usage.input_tokens": 5231, "gen_ai.usage.output_tokens": 71, "gen_ai.usage.cache_write.input_tokens": 5212,
            "anthropic.message.stop_reason": "end_turn",
        }),
    );
    let seen = normalise(&[native.below(1), wrapper]);
    assert_eq!((role(&seen, 1), role(&seen, 2)), ("duplicate", "owner"));
    assert_has(
        &seen[&2],
        &json!({
            "gen_ai.usage.input_tokens": 5231, "gen_ai.response.time_to_first_chunk": 0.4,
            "gen_ai.request.model": "claude-opus-4-7", "spanmill.finish_reason": "stop",
        }),
        "owner",
    );
}

/// Scenario: an agent span that sums two calls below it, with a plain span between.
/// Guarantees: the calls own, the agent is a roll-up.
#[test]
fn an_agent_sums_its_calls() {
    let agent = sample(
        1,
        UTIL,
        &json!({
            "gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 30, "gen_ai.usage.output_tokens": 3,
        }),
    );
    let step = sample(2, "app", &json!({ "step": 1 })).below(1);
    let seen = normalise(&[chat(3, UTIL, 10, 1).below(2), chat(4, UTIL, 20, 2).below(1), step, agent]);
    assert_eq!((role(&seen, 1), role(&seen, 3), role(&seen, 4)), ("rollup", "owner", "owner"));
    assert!(seen[&2].len() == 1, "spans that are none of GenAI stay as they are");
}

/// Scenario: an agent without any call below it, such as a remote one.
/// Guarantees: it owns its usage.
#[test]
fn an_agent_alone_owns() {
    let agent = json!({ "gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 3 });
    assert_eq!(role(&normalise(&[sample(1, UTIL, &agent)]), 1), "owner");
}

/// Scenario: a server's span below the client's, with the same counts.
/// Guarantees: the client owns.
#[test]
fn a_server_below_its_client() {
    let seen = normalise(&[chat(2, "vllm.engine", 10, 5).kind(2).below(1), chat(1, UTIL, 10, 5)]);
    assert_eq!((role(&seen, 1), role(&seen, 2)), ("owner", "duplicate"));
}

/// Scenario: two instrumentations of one call in traces of their own, joined by the response id; the outer one is longer by
/// a millisecond.
/// Guarantees: one owner, the inner one.
#[test]
fn two_traces_with_one_response() {
    let outer = with_response(chat(1, UTIL, 10, 6), "resp-1").at(0, 1001);
    let inner = with_response(chat(2, SDK, 10, 5), "resp-1").at(0, 1000).trace(9);
    let seen = normalise(&[outer, inner]);
    assert_eq!((role(&seen, 1), role(&seen, 2)), ("duplicate", "owner"));
}

/// Scenario: a second span of no length carries the usage, beside the one that took the time; both have the response id.
/// Guarantees: the long one owns, and has the usage.
#[test]
fn usage_on_a_second_span() {
    let call = sample(
        1,
        UTIL,
        &json!({
            "gen_ai.operation.name": "chat", "gen_ai.response.id": "resp-1", "gen_ai.usage.output_tokens": 5,
        }),
    );
    let usage = with_response(chat(2, UTIL, 10, 5), "resp-1").at(1000, 1000);
    let seen = normalise(&[call.at(0, 6000), usage]);
    assert_eq!((role(&seen, 1), role(&seen, 2)), ("owner", "duplicate"));
    assert_has(&seen[&1], &json!({ "gen_ai.usage.input_tokens": 10, "spanmill.slow_small": true }), "owner");
}

/// Scenario: two calls of a loop with the same counts, and after each a span that only records them, as AG2 writes; then a record that has no call. In
/// one request, and each span in a request of its own.
/// Guarantees: a record is the duplicate of the call that ended before it, and owns where there is none.
#[test]
fn records_of_usage_are_no_calls() {
    let record = |id, at, input| {
        let counts = json!({ "gen_ai.provider.name": "openai", "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.usage.input_tokens": input, "gen_ai.usage.output_tokens": 3 });
        sample(id, "somebody.else", &counts).name("record_usage").below(9).at(at, at)
    };
    let spans = [
        chat(1, "somebody.else", 5, 3).below(9).at(0, 100),
        record(2, 100, 5),
        chat(3, "somebody.else", 5, 3).below(9).at(110, 200),
        record(4, 201, 5),
        record(5, 300, 8),
    ];
    let expected = ["owner", "duplicate", "owner", "duplicate", "owner"];
    let seen = normalise(&spans);
    assert_eq!([1, 2, 3, 4, 5].map(|id| role(&seen, id)), expected);
    let engine = engine(&Options::default());
    let apart = spans.map(|span| pass(&engine, &[span]));
    for (at, (seen, expected)) in apart.iter().zip(expected).enumerate() {
        assert_eq!(role(seen, at as u8 + 1), expected, "span {}", at + 1);
    }
}

/// Scenario: sibling calls with the same counts, each with a response id of its own.
/// Guarantees: both own: equal counts alone join nothing.
#[test]
fn equal_calls_are_not_one() {
    let first = with_response(chat(1, UTIL, 10, 5), "resp-1");
    let second = with_response(chat(2, UTIL, 10, 5), "resp-2");
    let seen = normalise(&[first, second]);
    assert_eq!((role(&seen, 1), role(&seen, 2)), ("owner", "owner"));
}

/// Scenario: the call ends first and is exported first; wrapper, agent and a gateway's copy arrive in later requests.
/// Guarantees: there is one owner over all requests, and a span that is sent again keeps its role.
#[test]
fn spans_of_one_call_in_different_requests() {
    let engine = engine(&Options::default());
    let call = with_response(chat(3, SDK, 10, 5), "resp-1").below(2).at(10, 900);
    let wrapper = chat(2, HAND, 10, 5).below(1).at(5, 905);
    let agent = sample(
        1,
        UTIL,
        &json!({
            "gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 5,
        }),
    );
    let gateway = with_response(chat(4, "litellm", 10, 5), "resp-1").trace(9);
    assert_eq!(role(&pass(&engine, std::slice::from_ref(&call)), 3), "owner");
    assert_eq!(role(&pass(&engine, &[wrapper]), 2), "duplicate");
    assert_eq!(role(&pass(&engine, &[agent]), 1), "rollup");
    assert_eq!(role(&pass(&engine, &[gateway]), 4), "duplicate");
    assert_eq!(role(&pass(&engine, &[call]), 3), "owner");
}

/// Scenario: a framework's span without response id beside the SDK's own in another trace, with equal counts and times.
/// Guarantees: they are one call; the one with the response id owns.
#[test]
fn joined_by_time() {
    let framework = chat(1, "openinference.instrumentation.langchain", 417, 88).at(0, 2322);
    let native = with_response(chat(2, SDK, 417, 88), "msg_1").at(5, 2318).trace(9);
    let seen = normalise(&[native, framework]);
    assert_eq!((role(&seen, 1), role(&seen, 2)), ("duplicate", "owner"));
}

/// Scenario: the same, where the framework copies the input that Anthropic counts without the cache, and leaves the cache out.
/// Guarantees: they are one call all the same, and its input includes the cache.
#[test]
fn joined_by_time_without_the_cache() {
    let framework = chat(1, "openinference.instrumentation.langchain", 19, 71).at(0, 322);
    let said = json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.response.id": "msg_1", "gen_ai.usage.input_tokens": 5231,
        "gen_ai.usage.output_tokens": 71, "gen_ai.usage.cache_creation.input_tokens": 5212,
    });
    let native = sample(2, SDK, &said).at(5, 318).trace(9);
    let seen = normalise(&[native, framework]);
    assert_eq!((role(&seen, 1), role(&seen, 2)), ("duplicate", "owner"));
    assert_eq!(seen[&2]["gen_ai.usage.input_tokens"], json!(5231));
}

/// Scenario: a call of Gemini that says it stopped, without content; a tool runs inside of its span, as in the ADK for JavaScript. And one
/// without a tool.
/// Guarantees: the first called the tool.
#[test]
fn a_tool_inside_of_the_call() {
    let said = json!({
        "gen_ai.system": "gcp.vertex.agent", "gen_ai.request.model": "gemini-2.5-flash", "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 6, "gen_ai.response.finish_reasons": ["stop"],
    });
    let tool = json!({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look" });
    let seen = normalise(&[
        sample(2, "gcp.vertex.agent", &tool).below(1).at(80, 90),
        sample(1, "gcp.vertex.agent", &said).below(9).at(0, 100),
        sample(3, "gcp.vertex.agent", &said).below(9).at(110, 200),
    ]);
    assert_eq!(seen[&1]["spanmill.finish_reason"], json!("tool_call"));
    assert_eq!(seen[&3]["spanmill.finish_reason"], json!("stop"));
}

/// Scenario: ten thousand spans that all have one trace, one id and one parent, which is the id itself.
/// Guarantees: the engine finishes, in time that does not grow with the square.
#[test]
fn hostile_ids_end() {
    let loops: Vec<Sample> = (0..10_000).map(|_| chat(1, UTIL, 10, 5).below(1)).collect();
    let mut traces = spanmill_otlp::Traces::parse(support::request(&loops).into()).unwrap();
    let tally = engine(&Options::default()).process(&mut traces);
    assert_eq!(tally.owners + tally.duplicates + tally.rollups, 10_000);
}

/// Scenario: a tool loop of Spring AI, whose calls give running totals; and calls after it that have nothing to do with each other.
/// Guarantees: each call has its own counts, so that the sum over owners is what was used.
#[test]
fn running_totals_are_taken_apart() {
    let scope = "org.springframework.boot";
    let call = |id, input: i64, output: i64, from, finish| {
        let said = json!({
            "gen_ai.operation.name": "chat", "gen_ai.system": "openai", "spring.ai.kind": "chat", "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.finish_reasons": format!("[\"{finish}\"]"),
            "gen_ai.usage.input_tokens": input.to_string(), "gen_ai.usage.output_tokens": output.to_string(),
        });
        sample(id, scope, &said).below(9).at(from, from + 50)
    };
    let seen = normalise(&[
        call(3, 4080, 57, 200, "STOP"),
        call(1, 1301, 18, 0, "TOOL_CALLS"),
        call(2, 2661, 37, 100, "TOOL_CALLS"),
        call(4, 5000, 60, 300, "STOP"),
    ]);
    let count = |id: u8, key: &str| seen[&id][key].as_i64().unwrap();
    let counts = |id| (count(id, "gen_ai.usage.input_tokens"), count(id, "gen_ai.usage.output_tokens"));
    assert_eq!([1, 2, 3, 4].map(counts), [(1301, 18), (1360, 19), (1419, 20), (5000, 60)]);
}

/// A call that tells no usage.
fn silent(id: u8, scope: &'static str, failed: bool) -> Sample {
    let call = sample(id, scope, &json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}));
    if failed { call.failed("429") } else { call }
}

/// Scenario: a framework's span and the provider's library's below it: both without usage, both failed, the outer with usage alone, the
/// outer failed at the answer alone; two failed attempts below one span.
/// Guarantees: what is one call is counted once: the innermost stands for it, or the one with usage; a failure of its own is none of another
/// span's.
#[test]
fn calls_without_usage_stand_once() {
    let roles = |spans: &[Sample]| {
        let seen = normalise(spans);
        (1..=spans.len() as u8).map(|id| role(&seen, id).to_owned()).collect::<Vec<_>>()
    };
    let pair = |outer: Sample, inner: Sample| roles(&[outer, inner.below(1)]);
    assert_eq!(pair(silent(1, HAND, false), silent(2, UTIL, false)), ["duplicate", "none"]);
    assert_eq!(pair(silent(1, HAND, true), silent(2, UTIL, true)), ["duplicate", "none"]);
    assert_eq!(pair(silent(1, HAND, false), chat(2, UTIL, 5, 6)), ["duplicate", "owner"]);
    assert_eq!(pair(chat(1, HAND, 5, 6), silent(2, UTIL, false)), ["owner", "duplicate"]);
    assert_eq!(pair(silent(1, HAND, true), chat(2, UTIL, 5, 6)), ["none", "owner"]);
    assert_eq!(pair(chat(1, HAND, 5, 6), silent(2, UTIL, true)), ["owner", "none"]);
    let attempts = [silent(1, HAND, true), silent(2, UTIL, true).below(1), silent(3, UTIL, true).below(1)];
    assert_eq!(roles(&attempts), ["rollup", "none", "none"]);
}

/// Scenario: calls that say they stopped before a tool runs beside them: of Ollama, of any model through Google's ADK, and of OpenAI.
/// Guarantees: the first two called the tool; OpenAI's word is believed.
#[test]
fn a_tool_right_after_the_call() {
    let tool = json!({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look" });
    for (scope, provider, expected) in
        [(UTIL, "ollama", "tool_call"), ("gcp.vertex.agent", "openai", "tool_call"), (UTIL, "openai", "stop")]
    {
        let said = json!({
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": provider, "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 5,
            "gen_ai.usage.output_tokens": 6, "gen_ai.response.finish_reasons": ["stop"],
        });
        let seen = normalise(&[
            sample(1, scope, &said).below(9).at(0, 100),
            sample(2, scope, &tool).below(9).at(110, 120),
            sample(3, scope, &said).below(9).at(130, 200),
        ]);
        assert_eq!(seen[&1]["spanmill.finish_reason"], json!(expected), "{scope} {provider}");
        assert_eq!(seen[&3]["spanmill.finish_reason"], json!("stop"));
    }
}
