//! `gen_ai_normalizer`: the Collector's processor of that name. Spans of chosen instrumentations get the attributes and messages
//! of the GenAI conventions, and nothing else.

mod config;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use spanmill_config::ConfigError;
use spanmill_genai::normalizer::Normalizer;
use spanmill_otlp::Traces;
use spanmill_pipeline::{Consumer, Context, Kind, Node, ProcessorFactory, Signal, Stability};

use super::changing::{Change, changing};

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

fn create(context: Context<'_>, signal: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    if signal != Signal::Traces {
        let message = "gen_ai_normalizer works on spans: it can be used in traces pipelines only";
        return Err(context.section.error("", message));
    }
    Ok(changing(config::read(context.section)?, next))
}

impl Change for Normalizer {
    fn change(&self, traces: &mut Traces) {
        self.process(traces);
    }
}
