//! The life of the whole: start, reload, stop.

mod orders;
mod own;
mod reload;

#[cfg(test)]
mod tests;

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use spanmill_config::{ConfigError, Document};
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::factory::Factories;
use crate::graph::{Graph, StartError, StopError};
use crate::host::Surroundings;
use crate::listeners::Sockets;
use crate::readiness::Phase;
use crate::telemetry::{LogSettings, Settings, Telemetry};

use orders::Orders;
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
    /// Hears how the service fares.
    pub tell: Tell,
    /// Sockets that the process was started with.
    pub sockets: Arc<Sockets>,
    /// How long stopping may take.
    pub shutdown_timeout: Duration,
}

/// Reads a configuration.
pub type Load = Arc<dyn Fn() -> Result<Document, ConfigError> + Send + Sync>;

/// Logs as the settings say from now on, or says why it cannot.
pub type SetUpLogs = Arc<dyn Fn(&LogSettings) -> Result<(), String> + Send + Sync>;

/// Passes news on, to who started the process.
pub type Tell = Arc<dyn Fn(&News) + Send + Sync>;

/// What the service is told from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Stop, and say why. A second one ends a stop that takes long.
    Stop(&'static str),
    /// Read the configuration again, and say why.
    Reload(&'static str),
}

/// What the service tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// All components run, and go through what is named: what earlier runs left.
    Replaying(Vec<String>),
    /// All components run.
    Running,
    /// The configuration is read again. One of the others follows.
    Reloading,
    /// All components run, as before: the new configuration cannot be used, for that reason.
    Refused(String),
    /// Everything stops.
    Stopping,
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
    /// A new configuration did not start, and the old one not again.
    #[error("cannot change the configuration: {0}")]
    Lost(String),
    /// A component can no longer do its work.
    #[error("{0}")]
    Fatal(String),
    /// Stopped, but not as it should.
    #[error("failed to shut down cleanly: {0}")]
    Stop(#[from] StopError),
    /// Told to stop while the configuration changed, which took too long.
    #[error("failed to shut down cleanly: the change of the configuration was not done in time")]
    Late,
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

    /// What in `service::telemetry` is accepted for the sake of the Collector's configurations and has no effect, as sentences. The running
    /// service warns of it as well.
    pub fn without_effect(document: &Document) -> Vec<String> {
        Settings::read(&document.service.telemetry).map(|settings| settings.warnings).unwrap_or_default()
    }

    /// Starts, obeys, and stops. A reload that fails leaves what was running, or brings it back.
    ///
    /// # Errors
    ///
    /// Fails when the start does, when a component can no longer work, and when stopping loses something.
    pub async fn run(self, events: mpsc::Receiver<Event>) -> Result<(), ServiceError> {
        let mut orders = Orders::new(events, self.shutdown_timeout);
        let (sender, fatal) = mpsc::unbounded_channel();
        let surroundings = Arc::new(Surroundings::new(sender, Some(Arc::clone(&self.sockets))));
        let mut running = self.build().await?;
        let started = tokio::select! {
            started = self.start(&mut running, &surroundings) => started.map(|()| true)?,
            // What has started by now is stopped.
            () = orders.told_to_stop() => false,
        };
        let outcome = if started { self.obey(&mut running, &surroundings, &mut orders, fatal).await } else { Ok(()) };
        let stopped = match outcome {
            Err(ServiceError::Interrupted | ServiceError::Late) => outcome,
            outcome => {
                (self.tell)(&News::Stopping);
                let deadline = orders.deadline();
                let stopped = orders.while_stopping(running.graph.shutdown_by(deadline)).await;
                stopped.and_then(|stopped| outcome.and(stopped.map_err(ServiceError::from)))
            }
        };
        if matches!(stopped, Err(ServiceError::Interrupted | ServiceError::Late)) {
            // Who drops a component may have to wait, for a disk say; what is durable needs no farewell.
            mem::forget(running);
        } else {
            tracing::info!("stopped");
        }
        stopped
    }

    /// Reads the configuration and builds everything.
    async fn build(&self) -> Result<Running, ServiceError> {
        let document = self.read().await?;
        let settings = Settings::read(&document.service.telemetry)?;
        (self.log)(&settings.logs).map_err(ServiceError::Logs)?;
        let own = Own::new(self, &settings.metrics);
        let graph = Graph::build(&document, &self.factories, own.telemetry())?;
        warn(&settings, &graph);
        Ok(Running { document, settings, own, graph })
    }

    async fn start(&self, running: &mut Running, surroundings: &Arc<Surroundings>) -> Result<(), ServiceError> {
        running.own.show(surroundings, &running.settings.metrics).await?;
        if let Err(error) = running.graph.start_in(surroundings, self.shutdown_timeout).await {
            running.own.hide(surroundings).await;
            return Err(error.into());
        }
        let unused = self.sockets.unused();
        if !unused.is_empty() {
            tracing::warn!(
                sockets = unused.join(", "),
                "sockets were handed over that nothing in the configuration names"
            );
        }
        tracing::info!(version = self.version, "everything is ready, begin running and processing data");
        Ok(())
    }

    /// Does what it is told, until that is to stop.
    async fn obey(
        &self,
        running: &mut Running,
        surroundings: &Arc<Surroundings>,
        orders: &mut Orders,
        mut fatal: mpsc::UnboundedReceiver<String>,
    ) -> Result<(), ServiceError> {
        let readiness = surroundings.readiness();
        let news = || match readiness.phase() {
            Phase::Replaying(what) => News::Replaying(what),
            Phase::Starting | Phase::Ready | Phase::Stopping => News::Running,
        };
        let mut told = news();
        (self.tell)(&told);
        loop {
            tokio::select! {
                order = orders.next() => {
                    let Some(why) = order else { return Ok(()) };
                    tracing::info!(why, "told to read the configuration again");
                    (self.tell)(&News::Reloading);
                    let refused = orders.during(self.reload(running, surroundings)).await??;
                    told = refused.map_or_else(news, News::Refused);
                    (self.tell)(&told);
                }
                Some(message) = fatal.recv() => {
                    tracing::error!(error = message, "a component can no longer work");
                    return Err(ServiceError::Fatal(message));
                }
                () = readiness.ready(), if matches!(told, News::Replaying(_)) => {
                    tracing::info!("what earlier runs left is done");
                    told = News::Running;
                    (self.tell)(&told);
                }
            }
        }
    }

    async fn read(&self) -> Result<Document, ConfigError> {
        let load = Arc::clone(&self.load);
        let read = spawn_blocking(move || load()).await;
        read.unwrap_or_else(|error| {
            Err(ConfigError::new("", format_args!("reading the configuration failed: {error}")))
        })
    }
}

fn warn(settings: &Settings, graph: &Graph) {
    for warning in settings.warnings.iter().chain(graph.warnings()) {
        tracing::warn!("{warning}");
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("name", &self.name).field("version", &self.version).finish_non_exhaustive()
    }
}
