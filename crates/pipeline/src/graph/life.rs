use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::{Graph, Part};
use crate::component::ComponentError;
use crate::host::Host;

/// A component did not start; all that had started were stopped again.
#[derive(Debug, Error)]
#[error("failed to start {component}: {source}")]
pub struct StartError {
    /// Which one, like `"otlp" receiver`.
    pub component: String,
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

/// What a component is still given when the others have used up the limit: enough to close what it has open.
const GRACE: Duration = Duration::from_millis(100);

// === impl Graph ===

impl Graph {
    /// Starts everything: extensions, then each component after all that it sends to, receivers last. `fatal` gets the message of a
    /// component that can no longer do its work. What had started when another failed is stopped within `limit`.
    ///
    /// # Errors
    ///
    /// Fails with the first component that does.
    pub async fn start(&self, fatal: mpsc::UnboundedSender<String>, limit: Duration) -> Result<(), StartError> {
        let extensions: HashMap<_, _> =
            self.extensions.iter().map(|part| (part.id.clone(), Arc::clone(&part.component))).collect();
        let host = Host::new(extensions, fatal).with_layout(Arc::clone(&self.layout));
        for part in self.in_order_of_start() {
            tracing::debug!(component = %part, "starting");
            if let Err(source) = part.component.start(&host).await {
                let error = StartError { component: part.to_string(), source };
                // Components that have not started have nothing to stop, so all may be asked.
                if let Err(error) = self.shutdown(limit).await {
                    tracing::warn!(%error, "stopping what had started");
                }
                return Err(error);
            }
        }
        self.tell_extensions(true);
        Ok(())
    }

    /// Stops everything within a limit: receivers, then processors and connectors each before what it sends to, exporters, extensions.
    ///
    /// # Errors
    ///
    /// Fails with all components that failed or were not done in time.
    pub async fn shutdown(&self, limit: Duration) -> Result<(), StopError> {
        let deadline = Instant::now() + limit;
        self.tell_extensions(false);
        let mut problems = stop_at_once(&self.receivers, deadline).await;
        for part in self.between.iter().rev() {
            problems.extend(stop(part, deadline).await);
        }
        problems.extend(stop_at_once(&self.exporters, deadline).await);
        problems.extend(stop_at_once(&self.extensions, deadline).await);
        if problems.is_empty() { Ok(()) } else { Err(StopError { problems }) }
    }

    fn in_order_of_start(&self) -> impl Iterator<Item = &Part> {
        self.extensions.iter().chain(&self.exporters).chain(&self.between).chain(&self.receivers)
    }

    fn tell_extensions(&self, ready: bool) {
        for part in &self.extensions {
            part.component.pipelines_ready(ready);
        }
    }
}

/// Those of one kind do not wait for each other: one that drains slowly leaves the others their time.
async fn stop_at_once(parts: &[Part], deadline: Instant) -> Vec<String> {
    let stopped = join_all(parts.iter().map(|part| stop(part, deadline))).await;
    stopped.into_iter().flatten().collect()
}

async fn stop(part: &Part, deadline: Instant) -> Option<String> {
    tracing::debug!(component = %part, "stopping");
    let deadline = deadline.max(Instant::now() + GRACE);
    match timeout_at(deadline, part.component.shutdown()).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(format!("failed to stop {part}: {error}")),
        Err(_) => Some(format!("{part} was not done in time")),
    }
}
