//! `genai`: brings GenAI spans of every instrumentation to the GenAI semantic conventions, makes token counts
//! comparable, finds the span that owns the usage of each call, and marks slow small calls.

mod config;
mod content;
mod flags;
mod metrics;
mod store;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use spanmill_config::ConfigError;
use spanmill_genai::Engine;
use spanmill_pipeline::{
    Batch, Component, ConsumeError, Consumer, Context, Kind, Node, ProcessorFactory, Signal, Stability,
};

use config::Config;
use content::Content;
use flags::Flags;
use metrics::Metrics;

/// Makes `genai` processors.
pub const FACTORY: ProcessorFactory = ProcessorFactory {
    kind: Kind { name: "genai", aliases: &[], stability: Stability::Beta, signals: &[Signal::Traces] },
    create,
};

struct GenAiProcessor {
    engine: Engine,
    flags: Flags,
    content: Option<Content>,
    metrics: Metrics,
    next: Arc<dyn Consumer>,
}

fn create(context: Context<'_>, signal: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    if signal != Signal::Traces {
        return Err(context.section.error("", "genai works on spans: it can be used in traces pipelines only"));
    }
    let (options, flags, content) = Config::read(context.section)?;
    let engine = Engine::new(&options).map_err(|error| context.section.error("", error))?;
    let id = context.id.to_string();
    let content = content.read(&engine, context.section, context.telemetry, &id)?;
    let metrics = Metrics::new(context.telemetry, &id, engine.source_names());
    Ok(Arc::new(GenAiProcessor { engine, flags, content, metrics, next }))
}

// === impl GenAiProcessor ===

#[async_trait]
impl Component for GenAiProcessor {}

#[async_trait]
impl Consumer for GenAiProcessor {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let batch = match batch {
            Batch::Traces(mut traces) => {
                self.metrics.count(&self.engine.process(&mut traces));
                let traces = self.flags.set(traces);
                Batch::Traces(match &self.content {
                    Some(content) => content.apply(traces).await?,
                    None => traces,
                })
            }
            other @ Batch::Opaque(_) => other,
        };
        self.next.consume(batch).await
    }
}
