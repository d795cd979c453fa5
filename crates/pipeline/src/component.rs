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

    /// Gives it up: `shutdown` was not done in time, and its future is gone. It ends its tasks and lets go of what it owns, such as a locked
    /// folder, before it says what became of what it had taken over.
    async fn abandon(&self) -> Abandoned {
        Abandoned::Unknown
    }

    /// Tells an extension whether all pipelines run: told after the last receiver has started, and before the first one stops. One that
    /// joins pipelines that run is told so before it starts.
    fn pipelines_ready(&self, _ready: bool) {}

    /// Whether it owns something that no two can have at a time, such as a locked folder. When the configuration changes, it stops before
    /// one that takes its place starts; others stop after that.
    fn is_exclusive(&self) -> bool {
        self.claim().is_some()
    }

    /// What it has that no two components may have, for as long as both are configured: the folder of a queue, say.
    fn claim(&self) -> Option<String> {
        None
    }

    /// Whether it may take a batch over that is in memory alone, or on disk, and has not left yet: it has a queue.
    fn queues(&self) -> bool {
        false
    }

    /// The files that were read when it was created. With another content it is created anew, though its configuration is the same.
    fn files(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Tells an extension that another configuration runs from now on, of which it is a part.
    async fn configuration_changed(&self) {}

    /// What an extension offers to other components, to be downcast by them.
    fn capability(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        None
    }
}

/// What became of what a component had taken over that was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Abandoned {
    /// It is on disk, for the next time, or there was nothing.
    Kept,
    /// So many items are lost.
    Lost(usize),
    /// Nobody knows.
    Unknown,
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

// === impl Abandoned ===

impl Abandoned {
    /// What became of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Lost(one), Self::Lost(two)) => Self::Lost(one + two),
            (Self::Lost(items), _) | (_, Self::Lost(items)) => Self::Lost(items),
            (Self::Kept, Self::Kept) => Self::Kept,
            _ => Self::Unknown,
        }
    }
}
