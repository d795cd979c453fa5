//! `nop`: receives nothing.

use std::sync::Arc;

use serde::Deserialize;
use spanmill_config::ConfigError;
use spanmill_pipeline::{Component, Context, Kind, Outputs, ReceiverFactory, Signal, Stability};

/// Makes `nop` receivers.
pub const FACTORY: ReceiverFactory = ReceiverFactory {
    kind: Kind {
        name: "nop",
        aliases: &[],
        stability: Stability::Stable,
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
    },
    create,
};

/// It has no options.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {}

struct Nop;

impl Component for Nop {}

fn create(context: Context<'_>, _outputs: Outputs) -> Result<Arc<dyn Component>, ConfigError> {
    context.section.parse::<Config>()?;
    Ok(Arc::new(Nop))
}
