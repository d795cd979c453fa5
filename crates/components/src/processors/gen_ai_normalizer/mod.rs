//! `gen_ai_normalizer`: the Collector's processor of that name. Spans of chosen instrumentations get the attributes and messages
//! of the GenAI conventions, and nothing else.

mod config;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use spanmill_config::ConfigError;
use spanmill_genai::normalizer::Normalizer;
use spanmill_pipeline::{
    Batch, Component, ConsumeError, Consumer, Context, Kind, Node, ProcessorFactory, Signal, Stability,
};

/// Makes `gen_ai_normalizer` processors.
pub const FACTORY: ProcessorFactory = ProcessorFactory {
    kind: Kind {
        name: "gen_ai_normalizer",
        aliases: &["genainormalizer"],
        stability: Stability::Beta,
        signals: &[Signal::Traces],
    },
    create,
};

struct GenAiNormalizer {
    normalizer: Normalizer,
    next: Arc<dyn Consumer>,
}

fn create(context: Context<'_>, signal: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    if signal != Signal::Traces {
        let message = "gen_ai_normalizer works on spans: it can be used in traces pipelines only";
        return Err(context.section.error("", message));
    }
    Ok(Arc::new(GenAiNormalizer { normalizer: config::read(context.section)?, next }))
}

// === impl GenAiNormalizer ===

#[async_trait]
impl Component for GenAiNormalizer {}

#[async_trait]
impl Consumer for GenAiNormalizer {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let batch = match batch {
            Batch::Traces(mut traces) => {
                self.normalizer.process(&mut traces);
                Batch::Traces(traces)
            }
            other @ Batch::Opaque(_) => other,
        };
        self.next.consume(batch).await
    }
}
