//! `otlp_grpc`: sends OTLP over gRPC.

mod config;
mod target;
mod transport;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use spanmill_config::ConfigError;
use spanmill_pipeline::{Context, ExporterFactory, Kind, Node, Signal, Stability};

use crate::exporters::sending::Sending;
pub(crate) use config::Config;
pub(crate) use transport::Grpc;

/// Makes `otlp_grpc` exporters, once called `otlp`.
pub const FACTORY: ExporterFactory = ExporterFactory {
    kind: Kind {
        name: "otlp_grpc",
        aliases: &["otlp"],
        stability: Stability::Stable,
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
    },
    create,
};

fn create(context: Context<'_>) -> Result<Arc<dyn Node>, ConfigError> {
    let config = Config::read(context.section)?;
    let transport = Grpc::new(&config, context.section)?;
    Ok(Arc::new(Sending::new(&context, transport, config.sending_queue, config.retry_on_failure)))
}
