//! `genai`: brings GenAI spans of every instrumentation to the GenAI semantic conventions, makes token counts
//! comparable, finds the span that owns the usage of each call, and marks slow small calls.

mod config;
mod content;
mod core;
mod flags;
mod held;
mod metrics;
mod store;
mod worker;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use spanmill_config::{ConfigError, Section};
use spanmill_genai::{Engine, Options};
use spanmill_otlp::Traces;
use spanmill_pipeline::{
    Batch, Component, ComponentError, ConsumeError, Consumer, Context, Host, Kind, Node, ProcessorFactory, Signal,
    Stability,
};

use self::core::Core;
use super::background::Background;
use config::{Config, Hold};
use content::ThenContent;
use held::Held;
use metrics::Metrics;
use worker::Worker;

/// Makes `genai` processors.
pub const FACTORY: ProcessorFactory = ProcessorFactory {
    kind: Kind { name: "genai", aliases: &[], stability: Stability::Beta, signals: &[Signal::Traces] },
    create,
};

/// Processes each request as it comes.
struct GenAiProcessor {
    core: Arc<Core>,
    next: Arc<dyn Consumer>,
    files: Vec<PathBuf>,
}

/// Holds traces before it processes them.
struct HoldingProcessor {
    background: Background<Traces>,
    next: Arc<dyn Consumer>,
    files: Vec<PathBuf>,
}

fn create(context: Context<'_>, signal: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    if signal != Signal::Traces {
        return Err(context.section.error("", "genai works on spans: it can be used in traces pipelines only"));
    }
    let Config { options, flags, content, hold, files } = Config::read(context.section)?;
    let engine = Engine::new(&options).map_err(|error| context.section.error("", error))?;
    let id = context.id.to_string();
    let content = content.read(&engine, context.section, context.telemetry, &id)?;
    let metrics = Metrics::new(context.telemetry, &id, engine.source_names());
    let core = Arc::new(Core { engine, flags, metrics });
    let next: Arc<dyn Consumer> = match content {
        Some(content) => Arc::new(ThenContent { content, next }),
        None => next,
    };
    Ok(match hold {
        None => Arc::new(GenAiProcessor { core, next, files }),
        Some(hold) => Arc::new(HoldingProcessor::new(&hold, core, next, files)),
    })
}

/// The options of the engine that a section asks for.
pub fn options(section: &Section) -> Result<Options, ConfigError> {
    Config::read(section).map(|config| config.options)
}

// === impl GenAiProcessor ===

#[async_trait]
impl Component for GenAiProcessor {
    fn files(&self) -> Vec<PathBuf> {
        self.files.clone()
    }
}

#[async_trait]
impl Consumer for GenAiProcessor {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let batch = match batch {
            Batch::Traces(traces) => Batch::Traces(self.core.process(traces)),
            other @ Batch::Opaque(_) => other,
        };
        self.next.consume(batch).await
    }
}

// === impl HoldingProcessor ===

impl HoldingProcessor {
    fn new(hold: &Hold, core: Arc<Core>, next: Arc<dyn Consumer>, files: Vec<PathBuf>) -> Self {
        let (held, after) = (Held::new(hold.wait, hold.most_bytes), Arc::clone(&next));
        let work = |input, stop| Worker { held, core, input, stop, next: after }.run();
        Self { background: Background::new("genai", work), next, files }
    }
}

#[async_trait]
impl Component for HoldingProcessor {
    async fn start(&self, _host: &Host) -> Result<(), ComponentError> {
        self.background.start();
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        self.background.shutdown().await
    }

    fn files(&self) -> Vec<PathBuf> {
        self.files.clone()
    }
}

#[async_trait]
impl Consumer for HoldingProcessor {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        match batch {
            Batch::Traces(traces) => self.background.send(traces).await,
            other @ Batch::Opaque(_) => self.next.consume(other).await,
        }
    }
}
