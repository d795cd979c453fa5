use std::io;

use spanmill_config::{ConfigError, SetFlagError, UriError};
use spanmill_console::ConsoleError;
use spanmill_pipeline::{StartError, StopError};
use thiserror::Error;

/// Why the demo failed.
#[derive(Debug, Error)]
pub(crate) enum DemoError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Uri(#[from] UriError),
    #[error(transparent)]
    Set(#[from] SetFlagError),
    #[error("cannot start the pipeline: {0}")]
    Start(#[from] StartError),
    #[error("cannot stop the pipeline: {0}")]
    Stop(#[from] StopError),
    #[error("the pipeline cannot be reached: {0}")]
    Connect(#[from] tonic::transport::Error),
    #[error("the pipeline refused spans of {service}: {message}")]
    Refused { service: &'static str, message: String },
    #[error("the pipeline gave no answer for {0} s")]
    Silent(u64),
    #[error("cannot write the result as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the store gives no answer: {0}")]
    Store(#[from] ConsoleError),
    #[error("{what}: {source}")]
    Io { what: &'static str, source: io::Error },
}
