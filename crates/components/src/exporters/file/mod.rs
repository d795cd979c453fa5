//! `file`: writes what it is given to a file, as OTLP/JSON lines or length-prefixed protobuf.

mod backup;
mod config;
mod output;
mod record;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use spanmill_config::ConfigError;
use spanmill_pipeline::{
    Batch, Code, Component, ComponentError, ConsumeError, Consumer, Context, ExporterFactory, Host, Kind, Node, Signal,
    Stability,
};
use tokio::task::{JoinHandle, spawn_blocking};
use tracing::error;

use self::output::Output;
use crate::exporters::counts::Counts;

pub use self::config::{Compression, CompressionParams, Config, Format, GroupBy, Rotation};

/// Makes `file` exporters.
pub const FACTORY: ExporterFactory = ExporterFactory {
    kind: Kind {
        name: "file",
        aliases: &[],
        stability: Stability::Alpha,
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
    },
    create,
};

struct FileExporter {
    id: String,
    config: Arc<Config>,
    counts: Counts,
    /// None before start and after shutdown. Locked by blocking tasks only.
    output: Arc<Mutex<Option<Output>>>,
    flusher: Mutex<Option<JoinHandle<()>>>,
}

fn create(context: Context<'_>) -> Result<Arc<dyn Node>, ConfigError> {
    let config = Config::read(context.section)?;
    Ok(Arc::new(FileExporter {
        id: context.id.to_string(),
        config: Arc::new(config),
        counts: Counts::new(&context),
        output: Arc::default(),
        flusher: Mutex::default(),
    }))
}

// === impl FileExporter ===

impl FileExporter {
    fn set_flusher(&self, flusher: Option<JoinHandle<()>>) {
        let mut slot = self.flusher.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = std::mem::replace(&mut *slot, flusher) {
            running.abort();
        }
    }

    fn io_error(&self, what: &str, source: std::io::Error) -> ComponentError {
        ComponentError::Io { context: format!("{}: cannot {what} {}", self.id, self.config.path.display()), source }
    }

    async fn write(&self, batch: Batch) -> Result<(), ConsumeError> {
        let (config, output) = (Arc::clone(&self.config), Arc::clone(&self.output));
        let written = spawn_blocking(move || {
            // What cannot be encoded is the sender's mistake, found here because nothing before had to look that deep.
            let record = record::encode(&batch, &config)
                .map_err(|error| ConsumeError::permanent(error.to_string()).with_code(Code::InvalidArgument))?;
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            let output = output.as_mut().ok_or_else(|| ConsumeError::retryable("the file is not open"))?;
            output.write(&record).map_err(|error| {
                let message = format!("cannot write {}: {error}", config.path.display());
                match error.kind() {
                    std::io::ErrorKind::InvalidData => ConsumeError::permanent(message),
                    _ => ConsumeError::retryable(message),
                }
            })
        });
        written.await.unwrap_or_else(|error| Err(ConsumeError::permanent(error.to_string())))
    }
}

#[async_trait]
impl Component for FileExporter {
    /// Two would write over each other's records.
    fn is_exclusive(&self) -> bool {
        true
    }

    async fn start(&self, _host: &Host) -> Result<(), ComponentError> {
        let (config, slot) = (Arc::clone(&self.config), Arc::clone(&self.output));
        let opened = spawn_blocking(move || {
            let output = Output::open(&config)?;
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(output);
            Ok(())
        });
        let opened = opened.await.map_err(|error| ComponentError::Other(error.to_string()))?;
        opened.map_err(|error| self.io_error("open", error))?;
        let (config, output) = (Arc::clone(&self.config), Arc::clone(&self.output));
        self.set_flusher(Some(tokio::spawn(flush_regularly(self.id.clone(), config, output))));
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        self.set_flusher(None);
        let output = Arc::clone(&self.output);
        let closed = spawn_blocking(move || {
            let output = output.lock().unwrap_or_else(PoisonError::into_inner).take();
            output.map_or(Ok(()), |mut output| output.flush())
        });
        let closed = closed.await.map_err(|error| ComponentError::Other(error.to_string()))?;
        closed.map_err(|error| self.io_error("write", error))
    }
}

#[async_trait]
impl Consumer for FileExporter {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let (signal, items) = (batch.signal(), batch.item_count());
        let written = self.write(batch).await;
        self.counts.record(signal, items, written.is_ok());
        written
    }
}

async fn flush_regularly(id: String, config: Arc<Config>, output: Arc<Mutex<Option<Output>>>) {
    let mut failing = false;
    loop {
        tokio::time::sleep(config.flush_interval()).await;
        let output = Arc::clone(&output);
        let flushed = spawn_blocking(move || {
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            output.as_mut().map_or(Ok(()), Output::flush)
        });
        let Ok(flushed) = flushed.await else { return };
        match flushed {
            Ok(()) => failing = false,
            // Said once; the exporter refuses batches as soon as its buffer is full.
            Err(error) if !failing => {
                failing = true;
                error!(exporter = id, file = %config.path.display(), %error, "cannot write");
            }
            Err(_) => {}
        }
    }
}
