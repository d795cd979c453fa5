//! The life of the whole: start, reload, stop.

mod own;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use spanmill_config::{ConfigError, Document};
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::factory::Factories;
use crate::graph::{Graph, StartError, StopError};
use crate::telemetry::{LogSettings, Settings, Telemetry};

use own::Own;

/// Runs a configuration until it is told to stop.
pub struct Service {
    /// Name and version, as told by own telemetry.
    pub name: &'static str,
    /// The version.
    pub version: &'static str,
    /// What can be configured.
    pub factories: Factories,
    /// Reads the configuration, at the start and at every reload. It may block.
    pub load: Load,
    /// Sets logging up, at the start and at every reload.
    pub log: SetUpLogs,
    /// How long stopping may take.
    pub shutdown_timeout: Duration,
}

/// Reads a configuration.
pub type Load = Arc<dyn Fn() -> Result<Document, ConfigError> + Send + Sync>;

/// Logs as the settings say from now on, or says why it cannot.
pub type SetUpLogs = Arc<dyn Fn(&LogSettings) -> Result<(), String> + Send + Sync>;

/// What the service is told from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Stop, and say why. A second one ends a stop that takes long.
    Stop(&'static str),
    /// Read the configuration again, and say why.
    Reload(&'static str),
}

/// Why the service ended otherwise than by being told to.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// The configuration is wrong.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// Logs cannot be written where they should be.
    #[error("service::telemetry::logs: {0}")]
    Logs(String),
    /// Own metrics cannot be shown.
    #[error("service::telemetry::metrics: cannot listen on {endpoint}: {source}")]
    Metrics {
        /// Where.
        endpoint: String,
        /// Why.
        source: std::io::Error,
    },
    /// A component did not start.
    #[error("cannot start pipelines: {0}")]
    Start(#[from] StartError),
    /// A component can no longer do its work.
    #[error("{0}")]
    Fatal(String),
    /// Stopped, but not as it should.
    #[error("failed to shut down cleanly: {0}")]
    Stop(#[from] StopError),
    /// Told twice to stop.
    #[error("told again to stop: ended without waiting")]
    Interrupted,
}

/// A configuration with all that was made of it.
struct Running {
    document: Document,
    settings: Settings,
    own: Own,
    graph: Graph,
    fatal: mpsc::UnboundedReceiver<String>,
}

// === impl Service ===

impl Service {
    /// Checks a configuration as far as that is possible without starting it.
    ///
    /// # Errors
    ///
    /// Fails with all problems.
    pub fn validate(document: &Document, factories: &Factories) -> Result<(), ConfigError> {
        let settings = Settings::read(&document.service.telemetry);
        let built = Graph::build(document, factories, &Telemetry::default());
        let mut problems = built.err().map(ConfigError::into_problems).unwrap_or_default();
        problems.extend(settings.err().map(ConfigError::into_problems).unwrap_or_default());
        ConfigError::all(problems)
    }

    /// Starts, obeys, and stops. A reload that fails leaves what was running, or brings it back.
    ///
    /// # Errors
    ///
    /// Fails when the start does, when a component can no longer work, and when stopping loses something.
    pub async fn run(self, mut events: mpsc::Receiver<Event>) -> Result<(), ServiceError> {
        let document = self.read().await?;
        let settings = Settings::read(&document.service.telemetry)?;
        (self.log)(&settings.logs).map_err(ServiceError::Logs)?;
        let own = Own::new(&self, &settings.metrics);
        let mut running = self.start(document, settings, own, None).await?;
        tracing::info!(version = self.version, "everything is ready, begin running and processing data");

        let outcome = loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(Event::Reload(why)) => {
                        tracing::info!(why, "told to read the configuration again");
                        running = self.reload(running).await?;
                    }
                    Some(Event::Stop(why)) => {
                        tracing::info!(why, "told to stop");
                        break Ok(());
                    }
                    None => break Ok(()),
                },
                Some(message) = running.fatal.recv() => {
                    tracing::error!(error = message, "a component can no longer work");
                    break Err(ServiceError::Fatal(message));
                }
            }
        };
        let stopped = tokio::select! {
            stopped = running.graph.shutdown(self.shutdown_timeout) => stopped.map_err(ServiceError::from),
            () = told_again(&mut events) => Err(ServiceError::Interrupted),
        };
        tracing::info!("stopped");
        outcome.and(stopped)
    }

    async fn read(&self) -> Result<Document, ConfigError> {
        let load = Arc::clone(&self.load);
        let read = spawn_blocking(move || load()).await;
        read.unwrap_or_else(|error| {
            Err(ConfigError::new("", format_args!("reading the configuration failed: {error}")))
        })
    }

    /// Builds, unless that is done already, and starts.
    async fn start(
        &self,
        document: Document,
        settings: Settings,
        mut own: Own,
        built: Option<Graph>,
    ) -> Result<Running, ServiceError> {
        let graph = match built {
            Some(graph) => graph,
            None => Graph::build(&document, &self.factories, own.telemetry())?,
        };
        for warning in settings.warnings.iter().chain(graph.warnings()) {
            tracing::warn!("{warning}");
        }
        let (sender, fatal) = mpsc::unbounded_channel();
        let started = match own.show(&settings.metrics).await {
            Ok(()) => graph.start(sender, self.shutdown_timeout).await.map_err(ServiceError::from),
            Err(error) => Err(error),
        };
        match started {
            Ok(()) => Ok(Running { document, settings, own, graph, fatal }),
            Err(error) => {
                own.hide().await;
                Err(error)
            }
        }
    }

    /// Changes to a new configuration. Only when the old one cannot be brought back either, it fails.
    async fn reload(&self, running: Running) -> Result<Running, ServiceError> {
        let (document, settings, own, graph) = match self.prepare(&running).await {
            Ok(prepared) => prepared,
            Err(error) => {
                tracing::error!(%error, "the new configuration is not used, the running one is kept");
                return Ok(running);
            }
        };
        if let Err(error) = running.graph.shutdown(self.shutdown_timeout).await {
            tracing::warn!(%error, "stopping the old configuration");
        }
        // What the old graph holds, such as ports, is let go before the new one asks for it.
        let Running { document: old_document, settings: old_settings, own: old_own, .. } = running;
        // Own metrics that are the same go on counting and being shown.
        let (own, kept) = match own {
            Some(own) => (own, Some(old_own.hide().await)),
            None => (old_own, None),
        };
        let was_logging = old_settings.logs.clone();
        let telemetry = own.telemetry().clone();
        match self.start(document, settings, own, Some(graph)).await {
            Ok(started) => {
                if started.settings.logs != was_logging
                    && let Err(error) = (self.log)(&started.settings.logs)
                {
                    tracing::error!(%error, "logging goes on as before");
                }
                tracing::info!("the new configuration runs");
                Ok(started)
            }
            Err(error) => {
                tracing::error!(%error, "the new configuration did not start, the old one is brought back");
                let own = Own::with(kept.unwrap_or(telemetry));
                self.start(old_document, old_settings, own, None).await
            }
        }
    }

    /// Reads and builds without touching what runs. `None` for own telemetry means that it stays as it is.
    async fn prepare(&self, running: &Running) -> Result<(Document, Settings, Option<Own>, Graph), ConfigError> {
        let document = self.read().await?;
        let settings = Settings::read(&document.service.telemetry)?;
        let own = (settings.metrics != running.settings.metrics).then(|| Own::new(self, &settings.metrics));
        let telemetry = own.as_ref().unwrap_or(&running.own).telemetry();
        let graph = Graph::build(&document, &self.factories, telemetry)?;
        Ok((document, settings, own, graph))
    }
}

async fn told_again(events: &mut mpsc::Receiver<Event>) {
    loop {
        match events.recv().await {
            Some(Event::Stop(_)) => return,
            Some(Event::Reload(_)) => {}
            None => std::future::pending().await,
        }
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("name", &self.name).field("version", &self.version).finish_non_exhaustive()
    }
}
