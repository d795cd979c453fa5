//! Logs of spanmill itself.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use spanmill_pipeline::{Encoding, LogLevel, LogSettings};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, reload};

use crate::error::colours;

type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Sets logging up at first, and changes it later.
#[derive(Default)]
pub(crate) struct Logging {
    handle: Mutex<Option<reload::Handle<BoxedLayer, Registry>>>,
}

/// Where lines go: all of them at once.
struct Outputs(Vec<Output>);

enum Output {
    Stderr,
    Stdout,
    File(Mutex<std::fs::File>),
}

// === impl Logging ===

impl Logging {
    /// Logs as the settings say from now on.
    ///
    /// # Errors
    ///
    /// Fails when a file cannot be opened; then nothing changes.
    pub(crate) fn apply(&self, settings: &LogSettings) -> Result<(), String> {
        let layer = layer(settings)?;
        let mut handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = &*handle {
            return handle.reload(layer).map_err(|error| error.to_string());
        }
        let (layer, made) = reload::Layer::new(layer);
        tracing_subscriber::registry().with(layer).try_init().map_err(|error| error.to_string())?;
        *handle = Some(made);
        Ok(())
    }
}

fn layer(settings: &LogSettings) -> Result<BoxedLayer, String> {
    let outputs = settings.output_paths.iter().map(|path| Output::open(path)).collect::<Result<Vec<_>, _>>()?;
    let to_terminal = outputs.iter().all(|output| matches!(output, Output::Stderr)) && colours();
    let format = tracing_subscriber::fmt::layer().with_writer(Outputs(outputs)).with_ansi(to_terminal);
    let layer: BoxedLayer = match settings.encoding {
        Encoding::Console => format.boxed(),
        Encoding::Json => format.json().flatten_event(true).boxed(),
    };
    let level = match settings.level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    };
    // Libraries speak of every frame at the lower levels.
    let filter = Targets::new().with_default(level.min(LevelFilter::WARN)).with_target("spanmill", level);
    Ok(layer.with_filter(filter).boxed())
}

// === impl Output ===

impl Output {
    fn open(path: &str) -> Result<Self, String> {
        match path {
            "stderr" => Ok(Self::Stderr),
            "stdout" => Ok(Self::Stdout),
            path => {
                let path = path.strip_prefix("file://").unwrap_or(path);
                let opened = OpenOptions::new().create(true).append(true).open(path);
                opened.map(|file| Self::File(Mutex::new(file))).map_err(|error| format!("cannot open {path}: {error}"))
            }
        }
    }

    fn write(&self, line: &[u8]) -> io::Result<()> {
        match self {
            Self::Stderr => io::stderr().lock().write_all(line),
            Self::Stdout => io::stdout().lock().write_all(line),
            Self::File(file) => file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line),
        }
    }
}

// === impl Outputs ===

impl Write for &Outputs {
    /// A line at a time; one output that fails does not keep the line from the others.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        for output in &self.0 {
            let _ = output.write(line);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Outputs {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}
