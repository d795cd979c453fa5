//! `debug`: says what passes, in the words of the Collector's exporter of that name.

mod config;
mod detailed;
mod detailed_metrics;
mod normal;
mod outputs;
mod request;
mod sampler;
#[cfg(test)]
mod tests;
pub(crate) mod text;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use spanmill_config::ConfigError;
use spanmill_pipeline::{
    Batch, Code, Component, ComponentError, ConsumeError, Consumer, Context, ExporterFactory, Host, Kind, Node, Signal,
    Stability,
};
use tokio::task::spawn_blocking;
use tracing::info;

use self::outputs::Outputs;
use self::request::Request;
use self::sampler::Sampler;
use crate::exporters::counts::Counts;

pub use self::config::{Config, NoQueue, Verbosity};

/// Makes `debug` exporters.
pub const FACTORY: ExporterFactory = ExporterFactory {
    kind: Kind {
        name: "debug",
        aliases: &[],
        stability: Stability::Alpha,
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
    },
    create,
};

struct DebugExporter {
    counts: Counts,
    printer: Arc<Printer>,
}

/// Turns batches into text and puts it where it belongs. Used by blocking tasks only.
struct Printer {
    id: String,
    config: Config,
    state: Mutex<State>,
}

struct State {
    sampler: Sampler,
    outputs: Outputs,
}

/// What a batch has to say: counts, and perhaps everything.
struct Report {
    title: &'static str,
    counts: Vec<(&'static str, usize)>,
    text: Option<String>,
}

fn create(context: Context<'_>) -> Result<Arc<dyn Node>, ConfigError> {
    let config = Config::read(context.section)?;
    // As with Go, what is negative is more than ever comes.
    let [initial, thereafter] = [config.sampling_initial, config.sampling_thereafter].map(i64::cast_unsigned);
    let sampler = Sampler::new(initial, thereafter, Instant::now());
    let state = Mutex::new(State { sampler, outputs: Outputs::default() });
    let printer = Arc::new(Printer { id: context.id.to_string(), config, state });
    Ok(Arc::new(DebugExporter { counts: Counts::new(&context), printer }))
}

#[async_trait]
impl Component for DebugExporter {
    async fn start(&self, _host: &Host) -> Result<(), ComponentError> {
        let printer = Arc::clone(&self.printer);
        let opened = spawn_blocking(move || printer.open()).await;
        let opened = opened.map_err(|error| ComponentError::Other(error.to_string()))?;
        opened.map_err(|(path, source)| ComponentError::Io {
            context: format!("{}: cannot open {}", self.printer.id, path.display()),
            source,
        })
    }
}

#[async_trait]
impl Consumer for DebugExporter {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let (signal, items) = (batch.signal(), batch.item_count());
        let printer = Arc::clone(&self.printer);
        let printed = spawn_blocking(move || printer.print(&batch)).await;
        let printed = printed.unwrap_or_else(|error| Err(ConsumeError::permanent(error.to_string())));
        self.counts.record(signal, items, printed.is_ok());
        printed
    }
}

// === impl Printer ===

impl Printer {
    fn open(&self) -> Result<(), (PathBuf, std::io::Error)> {
        if self.config.use_internal_logger {
            return Ok(());
        }
        let default = [PathBuf::from("stdout")];
        let outputs = Outputs::open(self.config.output_paths.as_deref().unwrap_or(&default))?;
        self.state.lock().unwrap_or_else(PoisonError::into_inner).outputs = outputs;
        Ok(())
    }

    fn print(&self, batch: &Batch) -> Result<(), ConsumeError> {
        let request =
            Request::decode(batch).map_err(|error| ConsumeError::permanent(error).with_code(Code::InvalidArgument))?;
        let report = Report::new(&request, self.config.verbosity);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let title = state.sampler.admits(report.title, now);
        let text = report.text.as_deref().filter(|text| state.sampler.admits(text, now));
        if self.config.use_internal_logger {
            if title {
                self.log_counts(&report);
            }
            if let Some(text) = text {
                info!(exporter = %self.id, "{text}");
            }
            return Ok(());
        }
        let mut lines = if title { report.line() } else { String::new() };
        lines.extend(text.into_iter().flat_map(|text| [text, "\n"]));
        state
            .outputs
            .write(&lines)
            .map_err(|(path, error)| ConsumeError::retryable(format!("cannot write {}: {error}", path.display())))
    }

    fn log_counts(&self, report: &Report) {
        let count = |at: usize| report.counts.get(at).map_or(0, |(_, count)| *count);
        match report.title {
            "Traces" => info!(exporter = %self.id, "resource spans" = count(0), "spans" = count(1), "Traces"),
            "Metrics" => info!(
                exporter = %self.id,
                "resource metrics" = count(0),
                "metrics" = count(1),
                "data points" = count(2),
                "Metrics"
            ),
            _ => info!(exporter = %self.id, "resource logs" = count(0), "log records" = count(1), "Logs"),
        }
    }
}

// === impl Report ===

impl Report {
    fn new(request: &Request, verbosity: Verbosity) -> Self {
        let (title, counts) = request.summary();
        let text = match verbosity {
            Verbosity::Basic => None,
            Verbosity::Normal => Some(normal::text(request)),
            Verbosity::Detailed => Some(detailed::text(request)),
        };
        Self { title, counts, text }
    }

    /// The counts, as the Collector's console shows them.
    fn line(&self) -> String {
        let counts: Vec<String> = self.counts.iter().map(|(name, count)| format!("{name:?}: {count}")).collect();
        format!("{}\t{{{}}}\n", self.title, counts.join(", "))
    }
}
