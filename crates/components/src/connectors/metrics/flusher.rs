//! Sending metrics now and then, and whenever a request was counted.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_proto::tonic::metrics::v1::ResourceMetrics;
use prometheus::IntCounter;
use spanmill_config::ComponentId;
use spanmill_pipeline::{ComponentError, ConsumeError, Consumer, Context};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval_at};

use super::request::to_batch;

/// A task that sends what has been counted at every interval, and once more at the end.
pub(crate) struct Flusher {
    every: Duration,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// Where metrics go.
pub(crate) struct Sender {
    id: ComponentId,
    next: Arc<dyn Consumer>,
    dropped: IntCounter,
}

/// Nanoseconds since 1970.
pub(crate) fn now() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(0)
}

// === impl Flusher ===

impl Flusher {
    pub(crate) fn new(every: Duration) -> Self {
        Self { every, stop: watch::Sender::new(false), task: Mutex::default() }
    }

    /// Starts the task. `collect` gives what is to be sent.
    pub(crate) fn start(
        &self,
        sender: Arc<Sender>,
        collect: impl Fn() -> Vec<ResourceMetrics> + Send + Sync + 'static,
    ) {
        let mut stop = self.stop.subscribe();
        let every = self.every;
        let task = tokio::spawn(async move {
            let mut ticks = interval_at(tokio::time::Instant::now() + every, every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                let last = tokio::select! {
                    _ = ticks.tick() => false,
                    _ = stop.wait_for(|stop| *stop) => true,
                };
                sender.send_or_tell(collect()).await;
                if last {
                    return;
                }
            }
        });
        *self.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
    }

    /// Ends the task, after it has sent once more.
    pub(crate) async fn stop(&self) -> Result<(), ComponentError> {
        let _ = self.stop.send(true);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        match task {
            Some(task) => task.await.map_err(|error| ComponentError::Other(error.to_string())),
            None => Ok(()),
        }
    }
}

// === impl Sender ===

impl Sender {
    pub(crate) fn new(context: &Context<'_>, next: Arc<dyn Consumer>) -> Arc<Self> {
        let dropped = context.telemetry.counter(
            "spanmill_connector_dropped_metric_points",
            "Metric points made by a connector that the next component refused",
            &[("connector", &context.id.to_string())],
        );
        Arc::new(Self { id: context.id.clone(), next, dropped })
    }

    /// Sends metrics; there may be none.
    pub(crate) async fn send(&self, metrics: Vec<ResourceMetrics>) -> Result<(), ConsumeError> {
        if metrics.is_empty() {
            return Ok(());
        }
        let batch = to_batch(metrics).map_err(|error| ConsumeError::permanent(error.to_string()))?;
        self.next.consume(batch).await
    }

    /// Sends metrics; what is refused is counted and told.
    async fn send_or_tell(&self, metrics: Vec<ResourceMetrics>) {
        if metrics.is_empty() {
            return;
        }
        let batch = match to_batch(metrics) {
            Ok(batch) => batch,
            Err(error) => return tracing::error!(connector = %self.id, %error, "metrics cannot be encoded"),
        };
        let points = batch.item_count();
        if let Err(error) = self.next.consume(batch).await {
            self.dropped.inc_by(points as u64);
            tracing::error!(connector = %self.id, points, %error, "metrics were refused");
        }
    }
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").field("id", &self.id).finish_non_exhaustive()
    }
}
