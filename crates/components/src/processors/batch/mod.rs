//! `batch`: joins small requests into larger ones, by items, bytes and time.

mod config;
mod metrics;
mod worker;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use spanmill_config::ConfigError;
use spanmill_pipeline::{
    Batch, Component, ComponentError, ConsumeError, Consumer, Context, Host, Kind, Node, ProcessorFactory, Signal,
    Stability,
};
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use config::Config;
use metrics::Metrics;
use worker::Worker;

/// Makes `batch` processors.
pub const FACTORY: ProcessorFactory = ProcessorFactory {
    kind: Kind {
        name: "batch",
        aliases: &[],
        stability: Stability::Beta,
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
    },
    create,
};

/// Requests that may wait for the worker. When it is behind, receivers wait in turn, and so do their clients.
const WAITING_REQUESTS: usize = 16;

/// How long a request waits for room before its sender is asked to come again.
const ROOM: Duration = Duration::from_secs(5);

struct BatchProcessor {
    sender: Mutex<Option<mpsc::Sender<Batch>>>,
    /// Tells the worker that no retry shall be waited for any more.
    stopping: watch::Sender<bool>,
    worker: Mutex<State>,
}

enum State {
    New(Box<Worker>),
    Running(JoinHandle<()>),
    Stopped,
}

fn create(context: Context<'_>, signal: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    let config = Config::read(context.section)?;
    let metrics = Metrics::new(context.telemetry, &context.id.to_string());
    let (sender, receiver) = mpsc::channel(WAITING_REQUESTS);
    let (stopping, stop) = watch::channel(false);
    let worker = Worker::new(config, signal, receiver, stop, next, metrics);
    Ok(Arc::new(BatchProcessor {
        sender: Mutex::new(Some(sender)),
        stopping,
        worker: Mutex::new(State::New(Box::new(worker))),
    }))
}

// === impl BatchProcessor ===

#[async_trait]
impl Component for BatchProcessor {
    async fn start(&self, _host: &Host) -> Result<(), ComponentError> {
        let mut state = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::New(worker) = std::mem::replace(&mut *state, State::Stopped) {
            *state = State::Running(tokio::spawn(worker.run()));
        }
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        // Without a sender the worker sees the end of its input and sends what it holds.
        drop(self.sender.lock().unwrap_or_else(PoisonError::into_inner).take());
        let _ = self.stopping.send(true);
        let state = std::mem::replace(&mut *self.worker.lock().unwrap_or_else(PoisonError::into_inner), State::Stopped);
        if let State::Running(handle) = state {
            handle.await.map_err(|error| ComponentError::Other(format!("the batch worker ended badly: {error}")))?;
        }
        Ok(())
    }
}

#[async_trait]
impl Consumer for BatchProcessor {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let stopped = || ConsumeError::retryable("the batch processor is stopping");
        sender.ok_or_else(stopped)?.send_timeout(batch, ROOM).await.map_err(|error| match error {
            SendTimeoutError::Timeout(_) => {
                ConsumeError::retryable("the batch processor is full: what follows it refuses for now")
                    .with_retry_after(ROOM)
            }
            SendTimeoutError::Closed(_) => stopped(),
        })
    }
}
