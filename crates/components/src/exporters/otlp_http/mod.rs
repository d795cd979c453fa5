//! `otlp_http`: sends OTLP over HTTP, as protobuf or JSON.

mod config;
mod transport;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use spanmill_config::ConfigError;
use spanmill_pipeline::{Context, ExporterFactory, Kind, Node, Signal, Stability};

use crate::exporters::sending::Sending;
use config::Config;
use transport::Http;

/// Makes `otlp_http` exporters, once called `otlphttp`.
pub const FACTORY: ExporterFactory = ExporterFactory {
    kind: Kind {
        name: "otlp_http",
        aliases: &["otlphttp"],
        stability: Stability::Stable,
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
    },
    create,
};

fn create(context: Context<'_>) -> Result<Arc<dyn Node>, ConfigError> {
    let config = Config::read(context.section)?;
    let transport = Http::new(&config, context.section)?;
    Ok(Arc::new(Sending::new(&context, transport, config.sending_queue, config.retry_on_failure)))
}
