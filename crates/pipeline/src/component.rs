use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use spanmill_config::ConfigError;
use thiserror::Error;

use crate::consume::Consumer;
use crate::host::Host;

/// Something with a life cycle. Creating a component checks its configuration and touches nothing outside; `start` opens
/// ports and files; `shutdown` finishes what was taken over and releases them.
#[async_trait]
pub trait Component: Send + Sync {
    /// Starts work. Ports are bound when it returns.
    async fn start(&self, _host: &Host) -> Result<(), ComponentError> {
        Ok(())
    }

    /// Stops work: receivers refuse what is new, processors flush, exporters drain. The caller limits the time.
    async fn shutdown(&self) -> Result<(), ComponentError> {
        Ok(())
    }

    /// Tells an extension whether all pipelines run: told after the last receiver has started, and before the first one stops. One that
    /// joins pipelines that run is told so before it starts.
    fn pipelines_ready(&self, _ready: bool) {}

    /// Whether it owns something that no two can have at a time, such as a locked folder. When the configuration changes, it stops before
    /// one that takes its place starts; others stop after that.
    fn is_exclusive(&self) -> bool {
        false
    }

    /// The files that were read when it was created. With another content it is created anew, though its configuration is the same.
    fn files(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// What an extension offers to other components, to be downcast by them.
    fn capability(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        None
    }
}

/// A component that takes batches: processors, connectors and exporters.
pub trait Node: Component + Consumer {}

impl<T: Component + Consumer> Node for T {}

/// A component could not be created, started or stopped.
#[derive(Debug, Error)]
pub enum ComponentError {
    /// Its configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It could not do what it had to, such as bind a port.
    #[error("{context}: {source}")]
    Io {
        /// What it tried.
        context: String,
        /// Why that failed.
        source: std::io::Error,
    },
    /// Anything else.
    #[error("{0}")]
    Other(String),
}
