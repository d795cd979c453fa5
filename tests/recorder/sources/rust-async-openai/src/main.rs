//! async-openai as applications trace it: it has no spans of its own, so they write `tracing` spans with GenAI fields around its calls.
mod telemetry;

use std::env;

use anyhow::{Result, anyhow};
use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use futures::StreamExt;
use serde_json::{Value, json};
use tracing::{Instrument, Span, field, info_span, instrument};

#[tokio::main]
async fn main() -> Result<()> {
    let provider = telemetry::start()?;
    let case = Case { name: env::var("CASE")?, scenario: env::var("SCENARIO")? };
    if let Err(error) = case.ask().await {
        println!("client exception: async_openai.OpenAIError\n{error:?}");
    }
    tokio::task::spawn_blocking(move || provider.shutdown()).await??;
    Ok(())
}

struct Case {
    name: String,
    scenario: String,
}

impl Case {
    async fn ask(&self) -> Result<()> {
        let client = Client::with_config(OpenAIConfig::default());
        let document = "This is the contract between the landlord and the tenant. ".repeat(40);
        match self.scenario.as_str() {
            "embeddings" => embed(&client, "text-embedding-3-small", "a text").await,
            "cache" => {
                for question in ["When does it end?", "What is the notice period?"] {
                    chat(&client, self.request(json!([user(&format!("{document}\n{question}"))]))).await?;
                }
                Ok(())
            }
            scenario if scenario.contains("tool") => self.agent(&client, "What is the weather in Paris?").await,
            _ if self.name.contains("stream") => stream(&client, self.request(json!([user("What is the capital of France?")]))).await,
            _ => chat(&client, self.request(json!([user("What is the capital of France?")]))).await.map(drop),
        }
    }

    #[instrument(name = "invoke_agent weather", skip_all, fields(gen_ai.operation.name = "invoke_agent", gen_ai.agent.name = "weather"))]
    async fn agent(&self, client: &Client<OpenAIConfig>, question: &str) -> Result<()> {
        let mut messages = vec![user(question)];
        loop {
            let message = chat(client, self.request(json!(messages))).await?;
            let Some(calls) = message["tool_calls"].as_array().filter(|calls| !calls.is_empty()).cloned() else { return Ok(()) };
            messages.push(message);
            for call in calls {
                let (id, name) = (text(&call["id"]), text(&call["function"]["name"]));
                let result = run_tool(name, id, text(&call["function"]["arguments"])).await;
                messages.push(json!({"role": "tool", "tool_call_id": id, "content": result}));
            }
        }
    }

    fn request(&self, messages: Value) -> Value {
        let mut request = json!({"model": "gpt-4o", "messages": messages, "temperature": 0.2});
        match self.scenario.as_str() {
            "reasoning" => request = json!({"model": "o4-mini", "messages": request["messages"], "max_completion_tokens": 2048}),
            "max_tokens" => request["max_tokens"] = json!(16),
            scenario if scenario.contains("tool") => request["tools"] = tools(),
            _ => {}
        }
        request
    }
}

fn chat_span(request: &Value) -> Span {
    let model = text(&request["model"]);
    info_span!(
        "chat",
        otel.name = format!("chat {model}"),
        otel.kind = "client",
        otel.status_code = field::Empty,
        otel.status_description = field::Empty,
        gen_ai.operation.name = "chat",
        gen_ai.system = "openai",
        gen_ai.request.model = model,
        gen_ai.request.temperature = request["temperature"].as_f64(),
        gen_ai.request.max_tokens = request["max_tokens"].as_i64(),
        gen_ai.prompt = %request["messages"],
        gen_ai.completion = field::Empty,
        gen_ai.response.id = field::Empty,
        gen_ai.response.model = field::Empty,
        gen_ai.response.finish_reasons = field::Empty,
        gen_ai.usage.input_tokens = field::Empty,
        gen_ai.usage.output_tokens = field::Empty,
        gen_ai.usage.cached_tokens = field::Empty,
        gen_ai.usage.reasoning_tokens = field::Empty,
        error.r#type = field::Empty,
    )
}

/// One completion; gives the answer's message.
async fn chat(client: &Client<OpenAIConfig>, request: Value) -> Result<Value> {
    let span = chat_span(&request);
    let answer: Result<Value, OpenAIError> = client.chat().create_byot(request).instrument(span.clone()).await;
    let answer = answer.map_err(|error| failed(&span, error))?;
    record(&span, &answer, &answer["usage"]);
    let choice = &answer["choices"][0];
    span.record("gen_ai.response.finish_reasons", field::debug([text(&choice["finish_reason"])]));
    span.record("gen_ai.completion", field::display(&choice["message"]));
    Ok(choice["message"].clone())
}

/// The same in pieces, of which only the last has the usage.
async fn stream(client: &Client<OpenAIConfig>, mut request: Value) -> Result<()> {
    let span = chat_span(&request);
    request["stream"] = json!(true);
    request["stream_options"] = json!({"include_usage": true});
    let started = std::time::Instant::now();
    let chunks = client.chat().create_stream_byot(request).instrument(span.clone()).await;
    let mut chunks = chunks.map_err(|error| failed(&span, error))?;
    let mut whole = String::new();
    while let Some(chunk) = chunks.next().await {
        let chunk: Value = chunk.map_err(|error| failed(&span, error))?;
        if let Some(piece) = chunk["choices"][0]["delta"]["content"].as_str().filter(|piece| !piece.is_empty()) {
            if whole.is_empty() {
                span.in_scope(|| tracing::info!(ttft_ms = started.elapsed().as_millis() as u64, "first token"));
            }
            whole.push_str(piece);
        }
        if let Some(reason) = chunk["choices"][0]["finish_reason"].as_str() {
            span.record("gen_ai.response.finish_reasons", field::debug([reason]));
        }
        if chunk["usage"].is_object() {
            record(&span, &chunk, &chunk["usage"]);
        }
    }
    span.record("gen_ai.completion", whole);
    Ok(())
}

#[instrument(name = "embeddings", skip(client, input), fields(otel.kind = "client", gen_ai.operation.name = "embeddings", gen_ai.system = "openai",
    gen_ai.request.model = model, gen_ai.usage.input_tokens))]
async fn embed(client: &Client<OpenAIConfig>, model: &str, input: &str) -> Result<()> {
    let answer: Value = client.embeddings().create_byot(json!({"model": model, "input": input})).await?;
    Span::current().record("gen_ai.usage.input_tokens", answer["usage"]["prompt_tokens"].as_i64());
    Ok(())
}

#[instrument(name = "execute_tool", fields(gen_ai.operation.name = "execute_tool", gen_ai.tool.name = name, gen_ai.tool.call.id = id), skip_all)]
async fn run_tool(name: &str, id: &str, arguments: &str) -> String {
    let arguments: Value = serde_json::from_str(arguments).unwrap_or_default();
    match arguments["location"].as_str() {
        Some(location) => format!("18 degrees and sunny in {location}"),
        None => format!("Nothing found for {}", arguments["query"]),
    }
}

fn record(span: &Span, answer: &Value, usage: &Value) {
    span.record("gen_ai.response.id", text(&answer["id"]));
    span.record("gen_ai.response.model", text(&answer["model"]));
    span.record("gen_ai.usage.input_tokens", usage["prompt_tokens"].as_i64());
    span.record("gen_ai.usage.output_tokens", usage["completion_tokens"].as_i64());
    span.record("gen_ai.usage.cached_tokens", usage["prompt_tokens_details"]["cached_tokens"].as_i64());
    span.record("gen_ai.usage.reasoning_tokens", usage["completion_tokens_details"]["reasoning_tokens"].as_i64());
}

fn failed(span: &Span, error: OpenAIError) -> anyhow::Error {
    span.record("otel.status_code", "ERROR");
    span.record("otel.status_description", error.to_string());
    span.record("error.type", "OpenAIError");
    anyhow!(error)
}

fn user(content: &str) -> Value {
    json!({"role": "user", "content": content})
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn tools() -> Value {
    [("get_weather", "Get the current weather at a location.", "location"), ("search_docs", "Search the company's documents.", "query")]
        .map(|(name, description, argument)| {
            let schema = json!({"type": "object", "properties": {argument: {"type": "string"}}, "required": [argument]});
            json!({"type": "function", "function": {"name": name, "description": description, "parameters": schema}})
        })
        .to_vec()
        .into()
}
