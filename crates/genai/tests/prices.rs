//! What is paid for beside plain tokens: audio and images by their tokens, searches and images by the piece.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "what tests do when they fail")]

mod support;

use serde_json::{Value as Json, json};
use spanmill_genai::{Engine, Options, PriceOverride, Pricing};
use spanmill_otlp::Traces;
use support::{Sample, assert_has, engine, normalise, pass, request, sample};

fn call(provider: &str, model: &str, more: &Json) -> Json {
    let mut attributes = json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": provider, "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": 1_000, "gen_ai.usage.output_tokens": 100,
    });
    attributes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    attributes
}

/// The cost of each, in nano-dollars. Every one is a request of its own: they are not spans of one call.
fn costs(samples: &[Sample]) -> Vec<Option<i64>> {
    let cost = |(at, sample): (usize, &Sample)| {
        let seen = normalise(std::slice::from_ref(sample));
        seen[&(at as u8 + 1)].get("gen_ai.usage.cost.amount").and_then(Json::as_f64).map(nano)
    };
    samples.iter().enumerate().map(cost).collect()
}

fn nano(dollars: f64) -> i64 {
    (dollars * 1e9).round() as i64
}

fn answer(parts: &Json) -> String {
    json!([{ "role": "assistant", "parts": parts, "finish_reason": "stop" }]).to_string()
}

/// Scenario: calls with images and audio among their tokens, in the words of the conventions, of Gemini, of OpenAI's Images and Realtime APIs and of
/// Pydantic AI; a part of them read from a cache.
/// Guarantees: each part is charged at its own rate, to the nano-dollar.
#[test]
fn tokens_of_images_and_audio() {
    let gemini = json!({ "usageMetadata": {
        "promptTokenCount": 1_000, "candidatesTokenCount": 1_390,
        "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": 742 }, { "modality": "AUDIO", "tokenCount": 258 }],
        "candidatesTokensDetails": [{ "modality": "TEXT", "tokenCount": 100 }, { "modality": "IMAGE", "tokenCount": 1_290 }],
    } });
    let images = json!({ "created": 1, "usage": {
        "input_tokens": 350, "output_tokens": 1_056, "input_tokens_details": { "text_tokens": 50, "image_tokens": 300 },
    } });
    let realtime = json!({
        "input_tokens": 1_000, "output_tokens": 200, "output_token_details": { "audio_tokens": 150 },
        "input_token_details": {
            "text_tokens": 200, "audio_tokens": 800, "cached_tokens": 500, "cached_tokens_details": { "text_tokens": 100, "audio_tokens": 400 },
        },
    });
    let model = |model: &str, output: &Json| json!({ "openinference.span.kind": "LLM", "llm.model_name": model, "output.value": output.to_string() });
    let conventions = json!({ "gen_ai.usage.image.input_tokens": 300, "gen_ai.usage.image.output_tokens": 0 });
    let found = costs(&[
        sample(1, "openinference.instrumentation.google_genai", &model("gemini-2.5-flash-image", &gemini)),
        sample(2, "openinference.instrumentation.openai", &model("gpt-image-1", &images)),
        sample(
            3,
            "logfire.openai",
            &json!({
                "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-realtime", "gen_ai.usage.raw": realtime.to_string(),
            }),
        ),
        sample(4, "any", &call("openai", "gpt-image-1.5", &conventions)),
        sample(
            5,
            "pydantic-ai",
            &call("gcp.gemini", "gemini-3-pro-image", &json!({ "gen_ai.usage.details.image_candidates_tokens": 60 })),
        ),
        sample(6, "any", &call("openai", "gpt-audio", &json!({ "gen_ai.usage.audio.input_tokens": 400 }))),
    ]);
    assert_eq!(
        found,
        [
            Some(nano((742.0 * 0.3 + 258.0 * 1.0 + 100.0 * 2.5 + 1_290.0 * 30.0) / 1e6)),
            Some(nano((50.0 * 5.0 + 300.0 * 10.0 + 1_056.0 * 40.0) / 1e6)),
            Some(nano((100.0 * 4.0 + 400.0 * 32.0 + 100.0 * 0.4 + 400.0 * 0.4 + 50.0 * 16.0 + 150.0 * 64.0) / 1e6)),
            Some(nano((700.0 * 5.0 + 300.0 * 8.0 + 100.0 * 10.0) / 1e6)),
            Some(nano((1_000.0 * 2.0 + 40.0 * 12.0 + 60.0 * 120.0) / 1e6)),
            Some(nano((600.0 * 2.5 + 400.0 * 32.0 + 100.0 * 10.0) / 1e6)),
        ]
    );
}

/// Scenario: a model that draws, of whose output nobody says how much is an image.
/// Guarantees: it has no cost: what it would be is a guess by a factor of twelve.
#[test]
fn an_image_of_unknown_size_is_not_guessed() {
    assert_eq!(costs(&[sample(1, "any", &call("gcp.gemini", "gemini-2.5-flash-image", &json!({})))]), [None]);
}

/// Scenario: searches that the provider made: counted by Anthropic, listed by OpenAI among what the answer is made of, with a page that was opened and a
/// search that failed; marked by Pydantic AI; and Gemini's, which are paid by the prompt or by the search.
/// Guarantees: each search is in the sum once, at the model's price; pages and failures are not; a number beats what the answer shows.
#[test]
fn searches() {
    let anthropic = json!({ "id": "msg_1", "usage": { "input_tokens": 1_000, "output_tokens": 100, "server_tool_use": { "web_search_requests": 2 } } });
    let anthropic = json!({
        "openinference.span.kind": "LLM", "llm.provider": "anthropic", "llm.model_name": "claude-sonnet-4-5", "output.value": anthropic.to_string(),
    });
    let searched = |action: &str, status: &str| json!({ "type": "web_search_call", "id": "ws", "status": status, "action": { "type": action, "query": "x" } });
    let openai = json!([
        searched("search", "completed"), searched("search", "completed"), searched("open_page", "completed"), searched("search", "failed"),
        { "type": "file_search_call", "id": "fs", "status": "completed", "queries": ["x"] },
        { "type": "message", "role": "assistant", "content": [{ "type": "output_text", "text": "Found." }] },
    ]);
    let shown = answer(&json!([
        { "type": "server_tool_call", "id": "1", "name": "web_search", "server_tool_call": { "type": "web_search" } },
        { "type": "server_tool_call_response", "id": "1", "server_tool_call_response": { "type": "web_search", "content": { "type": "web_search_tool_result_error" } } },
        { "type": "server_tool_call", "id": "2", "name": "web_search", "server_tool_call": { "type": "web_search" } },
    ]));
    let pydantic = answer(
        &json!([{ "type": "tool_call", "id": "1", "name": "web_search", "builtin": true }, { "type": "text", "content": "Found." }]),
    );
    let google = |more: i64| json!({ "gen_ai.usage.details.web_search_requests": more });
    let counted = json!({ "gen_ai.usage.server_tool_use.web_search_requests": 3, "gen_ai.output.messages": shown });
    let samples = [
        sample(1, "openinference.instrumentation.anthropic", &anthropic),
        sample(2, "any", &call("openai", "gpt-5", &json!({ "gen_ai.output.messages": openai.to_string() }))),
        sample(3, "any", &call("anthropic", "claude-sonnet-4-5", &json!({ "gen_ai.output.messages": shown }))),
        sample(4, "any", &call("anthropic", "claude-sonnet-4-5", &counted)),
        sample(5, "pydantic-ai", &call("openai", "gpt-5", &json!({ "gen_ai.output.messages": pydantic }))),
        sample(6, "pydantic-ai", &call("gcp.gemini", "gemini-2.5-flash", &google(3))),
        sample(
            7,
            "pydantic-ai",
            &call(
                "gcp.gemini",
                "gemini-3-pro-image",
                &json!({
                    "gen_ai.usage.details.web_search_requests": 3, "gen_ai.usage.image.output_tokens": 0,
                }),
            ),
        ),
        sample(8, "any", &call("openai", "gpt-5", &json!({ "gen_ai.usage.web_search_requests": 0 }))),
    ];
    let (claude, gpt) = ((1_000.0 * 3.0 + 100.0 * 15.0) / 1e6, (1_000.0 * 1.25 + 100.0 * 10.0) / 1e6);
    let expected = [
        claude + 0.02,
        gpt + 0.02 + 0.0025,
        claude + 0.01,
        claude + 0.03,
        gpt + 0.01,
        0.0003 + 0.00025 + 0.035,
        0.002 + 0.0012 + 0.042,
        gpt,
    ];
    assert_eq!(costs(&samples), expected.map(|cost| Some(nano(cost))));
    assert_has(
        &normalise(&samples)[&5],
        &json!({ "spanmill.finish_reason": "stop", "spanmill.tool_calls.count": null }),
        "run by the provider",
    );
}

/// Scenario: images that are paid by the piece, of a call without tokens; an image in the answer of a model that is paid by tokens.
/// Guarantees: the first costs its images; the second its tokens, and nothing more.
#[test]
fn images_by_the_piece() {
    let image = json!({ "type": "uri", "modality": "image", "mime_type": "image/png", "uri": "https://x/1.png" });
    let drawn = json!({
        "gen_ai.operation.name": "image", "gen_ai.provider.name": "aws.bedrock", "gen_ai.request.model": "amazon.nova-canvas-v1:0",
        "gen_ai.output.messages": answer(&json!([image, image])),
    });
    let shown = json!({ "gen_ai.output.messages": answer(&json!([image])) });
    assert_eq!(
        costs(&[sample(1, "any", &drawn), sample(2, "any", &call("openai", "gpt-4o", &shown))]),
        [Some(nano(0.12)), Some(nano(0.0035))]
    );
    let mut untold = drawn;
    untold["gen_ai.request.model"] = json!("gpt-4o");
    untold["gen_ai.provider.name"] = json!("openai");
    assert_eq!(costs(&[sample(1, "any", &untold)]), [None], "charged by tokens that nobody counted");
}

/// Scenario: a search by a model whose price the table does not have; the same with a price of the user's.
/// Guarantees: no cost rather than one that is too low; and the user's price, in the explanation as well.
#[test]
fn searches_without_a_price() {
    let searched = call("openai", "gpt-4o", &json!({ "gen_ai.usage.web_search_requests": 2 }));
    assert_eq!(costs(&[sample(1, "any", &searched)]), [None]);
    let price = PriceOverride {
        model: "gpt-4o".to_owned(),
        input: 2.5,
        output: 10.0,
        web_search: Some(0.025),
        ..PriceOverride::default()
    };
    let pricing = Pricing { overrides: vec![price], ..Pricing::default() };
    let options = Options { pricing, ..Options::default() };
    let seen = pass(&engine(&options), &[sample(1, "any", &searched)]);
    assert_eq!(seen[&1]["gen_ai.usage.cost.amount"], json!(0.0535));
    let lines = |options: &Options| {
        let mut traces = Traces::parse(request(&[sample(1, "any", &searched)]).into()).unwrap();
        Engine::new(options).unwrap().explain(&mut traces).swap_remove(0).price.unwrap().lines
    };
    assert_eq!(lines(&options), ["1000 input x 2.5", "100 output x 10", "2 web search x 0.025 each"]);
    let known = lines(&Options::default());
    assert_eq!(known.last().unwrap(), "2 web search, of which the price is not known");
}
