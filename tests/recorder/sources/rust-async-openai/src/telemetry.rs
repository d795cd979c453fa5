//! Traces as a service sends them: batched, over OTLP/HTTP; without the places in the source code.
use opentelemetry::{KeyValue, global, trace::TracerProvider};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};

pub fn start() -> anyhow::Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder().with_http().build()?;
    let attributes =
        [("service.name", "chat-api"), ("service.version", "1.4.2"), ("deployment.environment.name", "corpus")];
    let resource = Resource::builder().with_attributes(attributes.map(|(key, value)| KeyValue::new(key, value))).build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    global::set_tracer_provider(provider.clone());
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("chat-api"))
        .with_location(false)
        .with_threads(false)
        .with_filter(LevelFilter::INFO);
    tracing_subscriber::registry().with(layer).init();
    Ok(provider)
}
