//! Holds traces until their spans have come, and then processes each as a whole.

use std::sync::Arc;

use spanmill_otlp::Traces;
use spanmill_pipeline::{Batch, Consumer};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::super::background::until;
use super::super::offer::offer;
use super::core::Core;
use super::held::Held;

/// Processes what was held long enough, one request after the other.
pub(super) struct Worker {
    pub(super) held: Held,
    pub(super) core: Arc<Core>,
    pub(super) input: mpsc::Receiver<Traces>,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) next: Arc<dyn Consumer>,
}

// === impl Worker ===

impl Worker {
    pub(super) async fn run(mut self) {
        loop {
            let deadline = self.held.deadline();
            tokio::select! {
                received = self.input.recv() => match received {
                    Some(traces) => {
                        self.held.push(traces, Instant::now());
                        while self.held.is_full() {
                            self.core.metrics.hurried.inc();
                            self.release().await;
                        }
                    }
                    None => break,
                },
                () = until(deadline) => self.release().await,
            }
        }
        // What is left is decided by what has come.
        while self.held.deadline().is_some() {
            self.release().await;
        }
    }

    async fn release(&mut self) {
        match self.held.take_oldest() {
            Some(Ok(traces)) => {
                let items = traces.span_count();
                let batch = Batch::Traces(self.core.process(traces));
                if let Err(error) = offer(&*self.next, batch, &mut self.stop).await {
                    self.core.metrics.dropped.inc_by(items as u64);
                    tracing::error!(%error, items, "held spans dropped: the next component refused them");
                }
            }
            Some(Err(error)) => {
                tracing::error!(%error, "held spans dropped: their requests cannot be joined");
            }
            None => {}
        }
    }
}
