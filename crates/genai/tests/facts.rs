//! Facts that stand where one does not look for them first.

mod support;

use serde_json::{Value as Json, json};
use spanmill_genai::Options;
use support::{Sample, assert_has, engine, normalise, pass, sample};

const LANGFUSE: &str = "langfuse-sdk";

fn generation(id: u8, more: &Json) -> Sample {
    let mut attributes = json!({
        "langfuse.observation.type": "generation", "langfuse.observation.usage_details": "{\"input\": 5, \"output\": 6}",
    });
    if let (Some(attributes), Some(more)) = (attributes.as_object_mut(), more.as_object()) {
        attributes.extend(more.clone());
    }
    sample(id, LANGFUSE, &attributes)
}

/// Scenario: an attribute that holds the model that was asked for, until the one that answered is written over it.
/// Guarantees: a dated name is what answered, and is not said to have been asked for; a name without a date was asked for, and
/// answered only where its answers have no date either; a call that failed has no answer.
#[test]
fn a_model_that_nobody_says_which_one_it_is() {
    let both = |name: &str| json!({ "gen_ai.request.model": name, "gen_ai.response.model": name });
    let cases = [
        ("gpt-4o-2024-08-06", json!({ "gen_ai.request.model": null, "gen_ai.response.model": "gpt-4o-2024-08-06" })),
        ("gpt-4-0613", json!({ "gen_ai.request.model": null, "gen_ai.response.model": "gpt-4-0613" })),
        ("gpt-4o", json!({ "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": null })),
        ("claude-sonnet-4-5", json!({ "gen_ai.request.model": "claude-sonnet-4-5", "gen_ai.response.model": null })),
        ("text-embedding-3-small", both("text-embedding-3-small")),
        ("gemini-2.5-flash", both("gemini-2.5-flash")),
        ("claude-3-5-sonnet@20240620", json!({ "gen_ai.request.model": "claude-3-5-sonnet@20240620" })),
    ];
    for (name, expected) in cases {
        let seen = normalise(&[generation(1, &json!({ "langfuse.observation.model.name": name }))]);
        assert_has(&seen[&1], &expected, name);
    }
    let failed = generation(1, &json!({ "langfuse.observation.model.name": "gpt-4o-2024-08-06" })).failed("429");
    let expected = json!({ "gen_ai.request.model": "gpt-4o-2024-08-06", "gen_ai.response.model": null });
    assert_has(&normalise(&[failed])[&1], &expected, "failed");
}

/// Scenario: the same, with originals removed.
/// Guarantees: the original goes, since what it says stands under a standard name.
#[test]
fn a_placed_model_is_not_kept_twice() {
    let engine = engine(&Options { remove_originals: true, ..Options::default() });
    let seen = pass(&engine, &[generation(1, &json!({ "langfuse.observation.model.name": "gpt-4o-2024-08-06" }))]);
    let expected = json!({ "langfuse.observation.model.name": null, "gen_ai.response.model": "gpt-4o-2024-08-06" });
    assert_has(&seen[&1], &expected, "removed");
}

/// Scenario: a framework's generation around a client's, in a node of a graph that knows the response.
/// Guarantees: the client's span owns the call and has the model that was asked for from the one above, and the response from the
/// node above that.
#[test]
fn a_node_around_two_spans_of_a_call() {
    let model = json!({ "langfuse.observation.model.name": "gpt-4o-2024-08-06" });
    let outer = json!({
        "langfuse.observation.model.name": "gpt-4o-2024-08-06", "langfuse.observation.metadata.ls_model_name": "\"gpt-4o\"",
    });
    let node = json!({
        "langfuse.observation.type": "chain",
        "langfuse.observation.output": "[{\"update\": {\"messages\": [{\"response_metadata\": {\"id\": \"chatcmpl-1\", \"finish_reason\": \"length\"}}]}}]",
    });
    let seen = normalise(&[generation(1, &model).below(2), generation(2, &outer).below(3), sample(3, LANGFUSE, &node)]);
    let expected = json!({
        "spanmill.usage.role": "owner", "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.response.id": "chatcmpl-1", "spanmill.finish_reason": "length",
    });
    assert_has(&seen[&1], &expected, "owner");
}

/// Scenario: a parser that is given the message of the call before it, in a chain; a step further on is given another one.
/// Guarantees: the call has the response that the parser was given; the parser itself does not claim it.
#[test]
fn a_parser_echoes_the_call_before_it() {
    let message = |id: &str| {
        let metadata =
            json!({ "response_metadata": { "id": id, "model_name": "gpt-4o-2024-08-06", "finish_reason": "stop" } });
        json!({ "langfuse.observation.type": "chain", "langfuse.observation.input": metadata.to_string() })
    };
    let call = generation(1, &json!({ "langfuse.observation.model.name": "gpt-4o" })).below(9).at(0, 100);
    let parser = sample(2, LANGFUSE, &message("chatcmpl-1")).below(9).at(110, 120);
    let later = sample(3, LANGFUSE, &message("chatcmpl-2")).below(9).at(130, 140);
    let seen = normalise(&[call, parser, later]);
    let expected = json!({
        "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.response.id": "chatcmpl-1",
        "spanmill.finish_reason": "stop",
    });
    assert_has(&seen[&1], &expected, "call");
    assert_has(&seen[&2], &json!({ "gen_ai.response.id": null, "spanmill.finish_reason": null }), "parser");
}

/// Scenario: a gateway's span with an id that it made, around the raw request with the provider's, with the same counts.
/// Guarantees: they are one call, and what only the gateway's span says reaches the raw one.
#[test]
fn a_gateway_with_an_id_of_its_own() {
    let gateway = json!({
        "gen_ai.operation.name": "chat", "gen_ai.system": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5",
        "gen_ai.response.id": "chatcmpl-made-up", "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6,
    });
    let raw = json!({
        "llm.anthropic.id": "msg_01", "llm.anthropic.model": "claude-sonnet-4-5-20250929", "llm.anthropic.stop_reason": "end_turn",
        "llm.anthropic.usage": "{'input_tokens': 5, 'output_tokens': 6}",
    });
    let raw = sample(2, "litellm", &raw).below(1).name("raw_gen_ai_request");
    let gateway = sample(1, "litellm", &gateway).name("litellm_request");
    let seen = normalise(&[raw.clone(), gateway.clone()]);
    let expected = json!({
        "spanmill.usage.role": "owner", "gen_ai.response.id": "msg_01", "gen_ai.request.model": "claude-sonnet-4-5",
        "gen_ai.response.model": "claude-sonnet-4-5-20250929",
    });
    assert_has(&seen[&2], &expected, "raw");
    assert_has(&seen[&1], &json!({ "spanmill.usage.role": "duplicate" }), "gateway");
    // In requests of their own, the one that comes first owns.
    for order in [[&raw, &gateway], [&gateway, &raw]] {
        let engine = engine(&Options::default());
        let roles = order.map(|sample| {
            let seen = pass(&engine, std::slice::from_ref(sample));
            seen[&sample.span.span_id[0]]["spanmill.usage.role"].clone()
        });
        assert_eq!(roles, ["owner", "duplicate"]);
    }
}

/// Scenario: a model of Google's called a function, which its messages alone show, in Google's own form; and one that did not.
/// Guarantees: the finish reason says so; where nothing tells, none is made up.
#[test]
fn a_function_call_in_the_messages() {
    let call = |messages: &str| {
        let attributes = json!({
            "gen_ai.operation.name": "llm_call", "gen_ai.request.model": "gemini-x", "gen_ai.output.messages": messages,
            "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6,
        });
        normalise(&[sample(1, "gemini-cli", &attributes)]).remove(&1).unwrap()
    };
    let called = call("[{\"parts\":[{\"functionCall\":{\"name\":\"f\",\"args\":{}}}],\"role\":\"model\"}]");
    assert_has(&called, &json!({ "spanmill.finish_reason": "tool_call" }), "called");
    let spoke = call("[{\"parts\":[{\"text\":\"use \\\"functionCall\\\":{}\"}],\"role\":\"model\"}]");
    assert_has(&spoke, &json!({ "spanmill.finish_reason": null }), "spoke");
}

/// Scenario: a stream whose first chunks only say that a response was begun.
/// Guarantees: the time to first token is that of the first chunk after them.
#[test]
fn chunks_that_open_a_stream() {
    let chunk = |kind: &str| json!({ "mlflow.chunk.value": format!("{{\"type\": \"{kind}\"}}") });
    let span = sample(1, "mlflow.tracing.provider", &json!({ "mlflow.spanType": "\"CHAT_MODEL\"" }))
        .event(10, "mlflow.chunk.item.0", &chunk("response.created"))
        .event(20, "mlflow.chunk.item.1", &chunk("response.in_progress"))
        .event(250, "mlflow.chunk.item.2", &chunk("response.output_item.added"));
    assert_has(&normalise(&[span])[&1], &json!({ "gen_ai.response.time_to_first_chunk": 0.25 }), "stream");
}

/// Scenario: a stream whose chunks are kept as events, and of which the span itself says neither model nor end.
/// Guarantees: the last chunks tell both.
#[test]
fn chunks_that_end_a_stream() {
    let chunk = |info: &str| json!({ "token": "", "chunk": format!("{{\"generation_info\": {{{info}}}}}") });
    let last = "\"finish_reason\": \"length\", \"model_name\": \"gpt-4o-2024-08-06\"";
    let span = sample(
        1,
        "mlflow.tracing.provider",
        &json!({ "mlflow.spanType": "\"CHAT_MODEL\"", "mlflow.llm.model": "\"gpt-4o\"" }),
    )
    .event(250, "new_token", &chunk(""))
    .event(300, "new_token", &chunk(last))
    .event(310, "new_token", &chunk(""));
    let expected = json!({
        "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06", "spanmill.finish_reason": "length",
        "gen_ai.response.time_to_first_chunk": 0.25,
    });
    assert_has(&normalise(&[span])[&1], &expected, "stream");
}

/// Scenario: an instrumentation puts the answer of a stream together and loses the tool call, which a chunk still shows.
/// Guarantees: the call is one of a tool.
#[test]
fn a_tool_call_that_only_a_chunk_shows() {
    let attributes = json!({
        "mlflow.spanType": "\"CHAT_MODEL\"", "mlflow.spanOutputs": "{\"choices\": [{\"finish_reason\": \"stop\"}]}",
    });
    let chunk = json!({ "mlflow.chunk.value": "{\"choices\": [{\"finish_reason\": \"tool_calls\"}]}" });
    let span = sample(1, "mlflow.tracing.provider", &attributes).event(250, "mlflow.chunk.item.7", &chunk);
    assert_has(&normalise(&[span])[&1], &json!({ "spanmill.finish_reason": "tool_call" }), "stream");
}

/// Scenario: spans that name the provider as the model, list the messages of an answer as calls, and end before the stream begins.
/// Guarantees: the first is no model, the second no calls, and the time to first token is that of the stream.
#[test]
fn what_cannot_be_meant() {
    let attributes = json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "anthropic",
        "gen_ai.response.model": "claude-x", "gen_ai.response.finish_reasons": ["in_progress", "completed"],
        "gen_ai.response.tool_calls": "[{\"id\":\"m\",\"type\":\"message\",\"content\":[]}]", "gen_ai.request.stream": true,
        "gen_ai.server.time_to_first_token": 1.6,
    });
    let mut span = sample(1, "openlit.instrumentation.x", &attributes);
    span.span.end_time_unix_nano = span.span.start_time_unix_nano + 400_000;
    let expected = json!({
        "gen_ai.request.model": null, "gen_ai.response.model": "claude-x", "spanmill.finish_reason": "stop",
        "gen_ai.response.time_to_first_chunk": 1.6,
    });
    assert_has(&normalise(&[span])[&1], &expected, "span");
    let meant =
        json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "ollama", "gen_ai.request.model": "mistral" });
    let seen = normalise(&[sample(1, "openlit.instrumentation.x", &meant)]);
    assert_has(&seen[&1], &json!({ "gen_ai.request.model": "mistral" }), "model");
}

/// Scenario: a call whose span repeats the model that was asked for as the one that answered, in a step that knows the answer.
/// Guarantees: the dated name of that model is taken from the step; that of another one is not, and the copy is not believed.
#[test]
fn a_step_knows_the_snapshot() {
    let call = json!({
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6,
    });
    for (model, expected) in [("gpt-4o-2024-08-06", json!("gpt-4o-2024-08-06")), ("gpt-4o-mini-2024-07-18", Json::Null)]
    {
        let message = json!({ "kwargs": { "id": "chatcmpl-1", "response_metadata": { "model_name": model } } });
        let output = json!({ "output": [{ "update": { "messages": [message] } }] }).to_string();
        let node = json!({ "traceloop.span.kind": "workflow", "traceloop.entity.output": output });
        let scope = "@traceloop/instrumentation-langchain";
        let seen = normalise(&[sample(1, scope, &call).below(2), sample(2, scope, &node)]);
        let expected = json!({ "gen_ai.response.id": "chatcmpl-1", "gen_ai.response.model": expected });
        assert_has(&seen[&1], &expected, model);
    }
}

/// Scenario: a gateway's raw answer of the Responses API, and one of an embedding, whose keys have no provider.
/// Guarantees: the first has the provider's id, model and end; the second has no output.
#[test]
fn a_raw_answer_without_a_provider() {
    let raw = |more: &Json| sample(1, "litellm", more).name("raw_gen_ai_request");
    let response = raw(&json!({
        "llm.None.id": "resp_1", "llm.None.model": "gpt-4o-2024-08-06", "llm.None.status": "completed",
        "llm.None.usage": "{'input_tokens': 5, 'output_tokens': 6}", "llm.None.output": "[{'type': 'message', 'role': 'assistant', \
            'content': [{'type': 'output_text', 'text': 'Hi'}]}]",
    }));
    let expected = json!({
        "gen_ai.response.id": "resp_1", "gen_ai.response.model": "gpt-4o-2024-08-06", "spanmill.finish_reason": "stop",
        "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6,
        "gen_ai.output.messages": "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"Hi\"}],\"finish_reason\":\"stop\"}]",
    });
    assert_has(&normalise(&[response])[&1], &expected, "response");
    let usage = "{'completion_tokens': 0, 'prompt_tokens': 17, 'total_tokens': 17}";
    let embedding = raw(&json!({ "llm.None.model": "text-embedding-3-small", "llm.None.usage": usage }));
    let expected = json!({ "gen_ai.usage.input_tokens": 17, "gen_ai.usage.output_tokens": null });
    assert_has(&normalise(&[embedding])[&1], &expected, "embedding");
}

/// Scenario: a call that failed without a word, above the HTTP requests that were made for it; one that says why; one that did not fail.
/// Guarantees: the first has the error of the last request; the others keep what they say.
#[test]
fn an_error_that_only_the_request_below_shows() {
    let chat = json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "m" });
    let request = |id: u8, parent: u8, status: u16| {
        sample(id, "http", &json!({ "http.response.status_code": status })).below(parent).failed("")
    };
    let said = sample(2, "x", &chat).failed("context_length_exceeded");
    let fine = sample(3, "x", &chat);
    let below = [request(11, 1, 500), request(12, 1, 429), request(13, 2, 400), request(14, 3, 503)];
    let seen = normalise(&[vec![sample(1, "x", &chat).failed(""), said, fine], below.to_vec()].concat());
    for (id, class) in [(1, json!("rate_limit")), (2, json!("context_length")), (3, Json::Null), (12, Json::Null)] {
        assert_has(&seen[&id], &json!({ "spanmill.error.class": class }), "call");
    }
}

/// Scenario: OpenLLMetry's span of a LangChain call, whose standard attribute holds a copy of the answer's name, or `unknown`; and a span
/// beside it that is no call of a model.
/// Guarantees: what LangChain was asked for counts, with its provider and parameters where nothing else says them.
#[test]
fn what_langchain_was_asked_for() {
    let scope = "opentelemetry.instrumentation.langchain";
    let call = |model: &str| {
        json!({
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "langchain", "gen_ai.request.model": model,
            "gen_ai.response.model": "gpt-4o-2024-08-06", "traceloop.association.properties.ls_provider": "azure",
            "traceloop.association.properties.ls_model_name": "gpt-4o", "traceloop.association.properties.ls_temperature": 0.5,
            "traceloop.association.properties.ls_max_tokens": 100, "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6,
        })
    };
    let tool =
        json!({ "gen_ai.operation.name": "execute_tool", "traceloop.association.properties.ls_model_name": "gpt-4o" });
    let seen = normalise(&[
        sample(1, scope, &call("gpt-4o-2024-08-06")),
        sample(2, scope, &call("unknown")).trace(8),
        sample(3, scope, &tool).trace(9),
    ]);
    let asked = json!({
        "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.provider.name": "azure.ai.openai",
        "gen_ai.request.temperature": 0.5, "gen_ai.request.max_tokens": 100,
    });
    assert_has(&seen[&1], &asked, "a copy");
    assert_has(&seen[&2], &asked, "unknown");
    assert_has(&seen[&3], &json!({ "gen_ai.request.model": null }), "a tool");
}

/// Scenario: a call that says `chat` under the standard name and `completion` under another one, of LiteLLM and of a scope that nobody
/// knows; LiteLLM's word alone; and OpenLLMetry's span of Anthropic's Messages API.
/// Guarantees: the standard name counts, although some sources put it behind names of their own; all are chats.
#[test]
fn a_standard_operation_counts() {
    let chat = json!({ "gen_ai.operation.name": "chat" });
    let said = json!({ "llm.request.type": "completion", "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 5 });
    for scope in ["litellm", "somebody.else"] {
        assert_has(&normalise(&[sample(1, scope, &said)])[&1], &chat, scope);
    }
    let word = json!({ "llm.request.type": "completion", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 5 });
    assert_has(&normalise(&[sample(1, "litellm", &word)])[&1], &chat, "LiteLLM's word");
    let messages = sample(1, "opentelemetry.instrumentation.anthropic", &word).name("anthropic.chat");
    assert_has(&normalise(&[messages])[&1], &chat, "messages");
}

/// Scenario: how an answer ended, where only LangChain's metadata tells, in the span of a call, in a node of a graph around it, as several
/// instrumentations write it, and in the step of a chain. A call of a tool that is known says more than the node's `stop`.
/// Guarantees: the words of Bedrock, Ollama and the Responses API are read in all of them; no response id is needed where one call stands
/// below; a node around two calls, or one that speaks of another model, tells nothing.
#[test]
fn langchain_tells_how_an_answer_ended() {
    let finish = |seen: &support::Seen, id: u8| seen[&id].get("spanmill.finish_reason").cloned().unwrap_or(Json::Null);
    for (key, word) in [("stopReason", "end_turn"), ("done_reason", "stop"), ("status", "completed")] {
        let metadata = json!({ key: word, "model_name": "m" });
        let result = json!({ "generations": [[{ "message": { "kwargs": { "response_metadata": metadata,
            "usage_metadata": { "input_tokens": 9, "output_tokens": 6, "input_token_details": { "cache_creation": 3 } } } } }]] });
        let own =
            json!({ "openinference.span.kind": "LLM", "llm.model_name": "m", "output.value": result.to_string() });
        let seen = normalise(&[sample(1, "openinference.instrumentation.langchain", &own)]);
        assert_eq!(finish(&seen, 1), "stop", "{key}");
        assert_eq!(seen[&1]["gen_ai.usage.cache_creation.input_tokens"], 3);

        let message = json!({ "response_metadata": metadata });
        let update = json!([{ "update": { "messages": [message] } }]).to_string();
        let kwargs = json!({ "outputs": [{ "update": { "messages": [{ "kwargs": message }] } }] }).to_string();
        let generation = |id, more: &Json| generation(id, more).below(1);
        let plain = json!({ "langfuse.observation.model.name": "m" });
        let node = |output: &str| {
            sample(1, LANGFUSE, &json!({ "langfuse.observation.type": "chain", "langfuse.observation.output": output }))
        };
        for output in [&update, &json!({ "messages": [message] }).to_string(), &message.to_string()] {
            assert_eq!(finish(&normalise(&[node(output), generation(2, &plain)]), 2), "stop", "{key}: {output}");
        }
        let two = normalise(&[node(&update), generation(2, &plain), generation(3, &plain)]);
        assert_eq!((finish(&two, 2), finish(&two, 3)), (Json::Null, Json::Null));
        let other = json!({ "langfuse.observation.model.name": "n" });
        assert_eq!(finish(&normalise(&[node(&update), generation(2, &other)]), 2), Json::Null);
        let called = json!({ "langfuse.observation.model.name": "m", "langfuse.observation.output": "{\"tool_calls\": [{\"name\": \"f\"}]}" });
        assert_eq!(finish(&normalise(&[node(&update), generation(2, &called)]), 2), "tool_call");

        let scope = "opentelemetry.instrumentation.langchain";
        let task = json!({ "traceloop.span.kind": "task", "gen_ai.operation.name": "execute_task", "traceloop.entity.output": kwargs });
        let call = json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6 });
        let seen = normalise(&[sample(1, scope, &task), sample(2, scope, &call).below(1)]);
        assert_eq!(finish(&seen, 2), "stop", "{key}");
        assert_eq!(seen[&1]["gen_ai.operation.name"], "execute_task");
    }
}

/// Scenario: what OpenLLMetry says answered where a maker stands before the name that was asked for, and where another model answered.
/// Guarantees: the maker is put back; another model stays.
#[test]
fn a_maker_that_was_cut_off() {
    for (answered, expected) in
        [("Llama-3.3-70B", "meta-llama/Llama-3.3-70B"), ("Llama-3.1-70B", "Llama-3.1-70B"), ("70B", "70B")]
    {
        let call = json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "meta-llama/Llama-3.3-70B", "gen_ai.response.model": answered });
        let seen = normalise(&[sample(1, "opentelemetry.instrumentation.openai.v1", &call)]);
        assert_eq!(seen[&1]["gen_ai.response.model"], expected);
    }
}
