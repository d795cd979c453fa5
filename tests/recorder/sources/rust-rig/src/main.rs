//! Rig's models as applications use them. Cases anthropic_*: that provider, otherwise OpenAI.
use std::env;

use futures::StreamExt;
use opentelemetry::{KeyValue, global, trace::TracerProvider};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use rig_core::completion::{CompletionRequest, Message, ToolDefinition};
use rig_core::message::ToolResultContent;
use rig_core::operation::Completion;
use rig_core::providers::{anthropic::Anthropic, openai::OpenAI};
use rig_core::{DynModel, ProviderError};
use serde_json::{Map, Value, json};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let provider = telemetry()?;
    if let Err(error) = ask().await {
        println!("client exception: rig_core.ProviderError\n{error:?}");
    }
    tokio::task::spawn_blocking(move || provider.shutdown()).await??;
    Ok(())
}

/// Traces as a service sends them: batched, over OTLP/HTTP; without the places in the source code.
fn telemetry() -> anyhow::Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder().with_http().build()?;
    let attributes =
        [("service.name", "chat-api"), ("service.version", "1.4.2"), ("deployment.environment.name", "corpus")];
    let resource = Resource::builder().with_attributes(attributes.map(|(key, value)| KeyValue::new(key, value))).build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    global::set_tracer_provider(provider.clone());
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("rig"))
        .with_location(false)
        .with_threads(false)
        .with_filter(LevelFilter::INFO);
    tracing_subscriber::registry().with(layer).init();
    Ok(provider)
}

struct Case {
    name: String,
    scenario: String,
}

impl Case {
    fn questions(&self) -> Vec<String> {
        let document = "This is the contract between the landlord and the tenant. ".repeat(40);
        match self.scenario.as_str() {
            "cache" => ["When does it end?", "What is the notice period?"].map(|question| format!("{document}\n{question}")).into(),
            scenario if scenario.contains("tool") => vec!["What is the weather in Paris?".into()],
            _ => vec!["What is the capital of France?".into()],
        }
    }
}

async fn ask() -> anyhow::Result<()> {
    let case = Case { name: env::var("CASE")?, scenario: env::var("SCENARIO")? };
    let model: DynModel<Completion> = if case.name.starts_with("anthropic") {
        Anthropic::from_env()?.completion("claude-sonnet-4-5").into()
    } else {
        OpenAI::from_env()?.completion(if case.scenario == "reasoning" { "o4-mini" } else { "gpt-4o" }).into()
    };
    for question in case.questions() {
        talk(&model, &case, Message::user(question)).await?;
    }
    Ok(())
}

async fn talk(model: &DynModel<Completion>, case: &Case, mut prompt: Message) -> Result<(), ProviderError> {
    let mut history = Vec::new();
    loop {
        let mut request = CompletionRequest::new(prompt.clone())
            .messages(history.clone())
            .preamble("You are helpful")
            .max_tokens(1024)
            .record_content_telemetry(true);
        if case.scenario.contains("tool") {
            request = request.tools(tools());
        }
        if case.name.contains("stream") {
            let mut events = model.stream(request)?;
            while let Some(event) = events.next().await {
                event?;
            }
            return Ok(());
        }
        let response = model.call(request).await?;
        let results: Vec<_> = response
            .tool_calls()
            .map(|call| call.result(vec![ToolResultContent::text(run(&call.function.arguments))]))
            .collect();
        let Some(answer) = response.message().filter(|_| !results.is_empty()) else { return Ok(()) };
        history.extend([prompt, answer]);
        prompt = Message::tool_results(results);
    }
}

fn tools() -> Vec<ToolDefinition> {
    [("get_weather", "Get the current weather at a location.", "location"), ("search_docs", "Search the company's documents.", "query")]
        .map(|(name, description, argument)| {
            let schema = json!({"type": "object", "properties": {argument: {"type": "string"}}, "required": [argument]});
            ToolDefinition::new(name.try_into().expect("a tool's name"), description, schema)
        })
        .into()
}

fn run(arguments: &Map<String, Value>) -> String {
    match arguments.get("location") {
        Some(location) => format!("18 degrees and sunny in {location}"),
        None => format!("Nothing found for {:?}", arguments.get("query")),
    }
}
