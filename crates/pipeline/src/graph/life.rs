use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use spanmill_config::{Kind as ComponentKind, Place};
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::Graph;
use super::part::Part;
use crate::component::{Abandoned, ComponentError};
use crate::host::{Host, Stage, Surroundings, View};

/// A component did not start; all that had started were stopped again.
#[derive(Debug, Error)]
#[error("failed to start {component}: {source}")]
pub struct StartError {
    /// Which one, like `"otlp" receiver`.
    pub component: String,
    /// Where it is configured.
    pub place: Option<Place>,
    /// Why.
    pub source: ComponentError,
}

/// Components that did not stop as they should; all others did.
#[derive(Debug, Error)]
#[error("{}", problems.join("; "))]
pub struct StopError {
    /// One a component.
    pub problems: Vec<String>,
}

/// A component that did not stop as it should.
pub(super) struct Trouble {
    message: String,
    /// Something that was taken over may be lost by it.
    is_loss: bool,
}

/// What a component is still given when the others have used up the limit: enough to close what it has open.
const GRACE: Duration = Duration::from_millis(100);

/// What a component is given up within, beyond the limit: enough to close a log.
const LETTING_GO: Duration = Duration::from_secs(2);

// === impl Graph ===

impl Graph {
    /// Starts everything: extensions, then each component after all that it sends to, receivers last. `fatal` gets the message of a
    /// component that can no longer do its work. What had started when another failed is stopped within `limit`.
    ///
    /// # Errors
    ///
    /// Fails with the first component that does.
    pub async fn start(&self, fatal: mpsc::UnboundedSender<String>, limit: Duration) -> Result<(), StartError> {
        self.start_in(&Arc::new(Surroundings::new(fatal, None)), limit).await
    }

    /// Starts what does not run yet, in the same order.
    pub(crate) async fn start_in(&self, surroundings: &Arc<Surroundings>, limit: Duration) -> Result<(), StartError> {
        // A graph is started once.
        let _ = self.surroundings.set(Arc::clone(surroundings));
        self.show();
        let joins = surroundings.readiness().is_running();
        let mut begun: Vec<&Arc<Part>> = Vec::new();
        for part in self.parts().filter(|part| part.ties.stage() == Stage::Made) {
            tracing::debug!(component = %part, "starting");
            if joins {
                tell(part, true);
            }
            part.ties.set(Stage::Running);
            begun.push(part);
            if let Err(source) = part.component.start(&Host::of(surroundings, &part.ties)).await {
                let is_begun = |part: &Arc<Part>| begun.iter().any(|begun| Arc::ptr_eq(begun, part));
                let troubles = self.stop(is_begun, Instant::now() + limit).await;
                note(surroundings, &troubles, "stopping what had started");
                let place = part.section.node().place().cloned();
                return Err(StartError { component: part.to_string(), place, source });
            }
        }
        if !joins {
            self.extensions.iter().for_each(|part| tell(part, true));
            surroundings.readiness().set_running(true);
        }
        begun.iter().for_each(|part| part.ties.begin());
        Ok(())
    }

    /// Stops everything within a limit: receivers, then processors and connectors each before what it sends to, exporters, extensions.
    ///
    /// # Errors
    ///
    /// Fails with all components that failed or were not done in time.
    pub async fn shutdown(&self, limit: Duration) -> Result<(), StopError> {
        self.shutdown_by(Instant::now() + limit).await
    }

    /// The same until a deadline. What earlier changes of the configuration lost is told again.
    pub(crate) async fn shutdown_by(&self, deadline: Instant) -> Result<(), StopError> {
        let mut problems = Vec::new();
        if let Some(surroundings) = self.surroundings.get() {
            surroundings.readiness().set_running(false);
            problems = surroundings.losses();
        }
        problems.extend(self.stop(|_| true, deadline).await.into_iter().map(|trouble| trouble.message));
        if problems.is_empty() { Ok(()) } else { Err(StopError { problems }) }
    }

    /// Stops those of the chosen parts that run, in that order.
    pub(super) async fn stop(&self, chosen: impl Fn(&Arc<Part>) -> bool, deadline: Instant) -> Vec<Trouble> {
        let of = |parts: &[Arc<Part>]| -> Vec<Arc<Part>> {
            parts.iter().filter(|part| part.ties.is_running() && chosen(part)).cloned().collect()
        };
        of(&self.extensions).iter().for_each(|part| tell(part, false));
        let mut troubles = self.stop_at_once(&of(&self.receivers), deadline).await;
        for part in of(&self.between).iter().rev() {
            troubles.extend(self.stop_one(part, deadline).await);
        }
        troubles.extend(self.stop_at_once(&of(&self.exporters), deadline).await);
        troubles.extend(self.stop_at_once(&of(&self.extensions), deadline).await);
        troubles
    }

    /// Lets components see this configuration.
    pub(super) fn show(&self) {
        if let Some(surroundings) = self.surroundings.get() {
            let extensions = self.extensions.iter().map(|part| (part.id.clone(), Arc::clone(&part.component)));
            let claims = self.parts().filter_map(|part| part.component.claim()).collect();
            let layout = Arc::clone(&self.layout);
            surroundings.show(View { extensions: extensions.collect(), layout, claims: Arc::new(claims) });
        }
    }

    /// Tells all extensions that this configuration runs.
    pub(super) async fn tell_of_change(&self) {
        for part in &self.extensions {
            part.component.configuration_changed().await;
        }
    }

    /// Those of one kind do not wait for each other: one that drains slowly leaves the others their time.
    async fn stop_at_once(&self, parts: &[Arc<Part>], deadline: Instant) -> Vec<Trouble> {
        let stopped = join_all(parts.iter().map(|part| self.stop_one(part, deadline))).await;
        stopped.into_iter().flatten().collect()
    }

    async fn stop_one(&self, part: &Part, deadline: Instant) -> Option<Trouble> {
        tracing::debug!(component = %part, "stopping");
        part.ties.set(Stage::Stopped);
        if let Some(surroundings) = self.surroundings.get() {
            // From here on it listens alone, if it does: once it has closed its sockets, nobody waits there in vain.
            surroundings.release_sockets();
        }
        let deadline = deadline.max(Instant::now() + GRACE);
        // Receivers have acknowledged nothing that they still hold.
        let holds = !matches!(part.kind, ComponentKind::Receiver | ComponentKind::Extension);
        match timeout_at(deadline, part.component.shutdown()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(Trouble { message: format!("failed to stop {part}: {error}"), is_loss: holds }),
            Err(_) => {
                let abandoned = timeout(LETTING_GO, part.component.abandon()).await.unwrap_or(Abandoned::Unknown);
                let more = match abandoned {
                    Abandoned::Kept | Abandoned::Unknown => String::new(),
                    Abandoned::Lost(items) => format!(": {items} items in its queue were not delivered"),
                };
                let message = format!("{part} was not done in time{more}");
                Some(Trouble { message, is_loss: holds && abandoned != Abandoned::Kept })
            }
        }
    }
}

/// Logs what did not stop as it should while the service goes on, and keeps what was lost, to be told at its end.
pub(super) fn note(surroundings: &Surroundings, troubles: &[Trouble], doing: &str) {
    for Trouble { message, is_loss } in troubles {
        tracing::warn!(error = message, "{doing}");
        if *is_loss {
            surroundings.lost(format!("when the configuration changed, {message}"));
        }
    }
}

fn tell(part: &Part, ready: bool) {
    if part.kind == ComponentKind::Extension {
        part.component.pipelines_ready(ready);
    }
}
