//! `genai`: brings GenAI spans of every instrumentation to the GenAI semantic conventions, makes token counts
//! comparable, finds the span that owns the usage of each call, and marks slow small calls.

mod config;
mod content;
mod core;
mod flags;
mod held;
mod metrics;
mod store;
mod worker;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use spanmill_config::{ConfigError, Section};
use spanmill_genai::{Engine, Options};
use spanmill_otlp::Traces;
use spanmill_pipeline::{
    Batch, Component, ComponentError, ConsumeError, Consumer, Context, Host, Kind, Node, ProcessorFactory, Signal,
    Stability,
};
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Duration;

use self::core::Core;
use config::{Config, Hold};
use content::ThenContent;
use held::Held;
use metrics::Metrics;
use worker::Worker;

/// Makes `genai` processors.
pub const FACTORY: ProcessorFactory = ProcessorFactory {
    kind: Kind { name: "genai", aliases: &[], stability: Stability::Beta, signals: &[Signal::Traces] },
    create,
};

/// Processes each request as it comes.
struct GenAiProcessor {
    core: Arc<Core>,
    next: Arc<dyn Consumer>,
}

/// Holds traces before it processes them.
struct HoldingProcessor {
    sender: Mutex<Option<mpsc::Sender<Traces>>>,
    /// Tells the worker that no retry shall be waited for any more.
    stopping: watch::Sender<bool>,
    worker: Mutex<State>,
    next: Arc<dyn Consumer>,
}

enum State {
    New(Box<Worker>),
    Running(JoinHandle<()>),
    Stopped,
}

/// Requests that may wait for the worker. When it is behind, receivers wait in turn, and so do their clients.
const WAITING_REQUESTS: usize = 16;

/// How long a request waits for room before its sender is asked to come again.
const ROOM: Duration = Duration::from_secs(5);

fn create(context: Context<'_>, signal: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    if signal != Signal::Traces {
        return Err(context.section.error("", "genai works on spans: it can be used in traces pipelines only"));
    }
    let Config { options, flags, content, hold } = Config::read(context.section)?;
    let engine = Engine::new(&options).map_err(|error| context.section.error("", error))?;
    let id = context.id.to_string();
    let content = content.read(&engine, context.section, context.telemetry, &id)?;
    let metrics = Metrics::new(context.telemetry, &id, engine.source_names());
    let core = Arc::new(Core { engine, flags, metrics });
    let next: Arc<dyn Consumer> = match content {
        Some(content) => Arc::new(ThenContent { content, next }),
        None => next,
    };
    Ok(match hold {
        None => Arc::new(GenAiProcessor { core, next }),
        Some(hold) => Arc::new(HoldingProcessor::new(&hold, core, next)),
    })
}

/// The options of the engine that a section asks for.
pub fn options(section: &Section) -> Result<Options, ConfigError> {
    Config::read(section).map(|config| config.options)
}

// === impl GenAiProcessor ===

#[async_trait]
impl Component for GenAiProcessor {}

#[async_trait]
impl Consumer for GenAiProcessor {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let batch = match batch {
            Batch::Traces(traces) => Batch::Traces(self.core.process(traces)),
            other @ Batch::Opaque(_) => other,
        };
        self.next.consume(batch).await
    }
}

// === impl HoldingProcessor ===

impl HoldingProcessor {
    fn new(hold: &Hold, core: Arc<Core>, next: Arc<dyn Consumer>) -> Self {
        let (sender, input) = mpsc::channel(WAITING_REQUESTS);
        let (stopping, stop) = watch::channel(false);
        let worker = Worker { held: Held::new(hold.wait, hold.most_bytes), core, input, stop, next: Arc::clone(&next) };
        Self { sender: Mutex::new(Some(sender)), stopping, worker: Mutex::new(State::New(Box::new(worker))), next }
    }
}

#[async_trait]
impl Component for HoldingProcessor {
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
            handle.await.map_err(|error| ComponentError::Other(format!("the genai worker ended badly: {error}")))?;
        }
        Ok(())
    }
}

#[async_trait]
impl Consumer for HoldingProcessor {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let traces = match batch {
            Batch::Traces(traces) => traces,
            other @ Batch::Opaque(_) => return self.next.consume(other).await,
        };
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let stopped = || ConsumeError::retryable("the genai processor is stopping");
        sender.ok_or_else(stopped)?.send_timeout(traces, ROOM).await.map_err(|error| match error {
            SendTimeoutError::Timeout(_) => {
                ConsumeError::retryable("the genai processor is full: what follows it refuses for now")
                    .with_retry_after(ROOM)
            }
            SendTimeoutError::Closed(_) => stopped(),
        })
    }
}
