//! Logs of spanmill itself.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use spanmill_pipeline::{Encoding, LogLevel, LogSettings};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layered, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, reload};

use crate::error::colours;

/// What is logged, and how. Both are changed on their own: a layer with a filter of its own cannot be put in later.
type Filtered = Layered<reload::Layer<Targets, Registry>, Registry>;
type Format = Box<dyn Layer<Filtered> + Send + Sync>;

/// Sets logging up at first, and changes it later.
#[derive(Default)]
pub(crate) struct Logging {
    handles: Mutex<Option<Handles>>,
}

struct Handles {
    filter: reload::Handle<Targets, Registry>,
    format: reload::Handle<Format, Filtered>,
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
        let (filter, format) = (filter(settings.level), format(settings)?);
        let mut handles = self.handles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handles) = &*handles {
            let changed = handles.format.reload(format).and_then(|()| handles.filter.reload(filter));
            return changed.map_err(|error| error.to_string());
        }
        let (filter, filter_handle) = reload::Layer::new(filter);
        let (format, format_handle) = reload::Layer::new(format);
        tracing_subscriber::registry().with(filter).with(format).try_init().map_err(|error| error.to_string())?;
        *handles = Some(Handles { filter: filter_handle, format: format_handle });
        Ok(())
    }
}

/// Does what is no service; of what it says warnings go to stderr, without a time.
pub(crate) fn with_warnings<T>(work: impl FnOnce() -> T) -> T {
    let format = tracing_subscriber::fmt().with_max_level(LevelFilter::WARN);
    let format = format.without_time().with_target(false).with_ansi(false).with_writer(std::io::stderr);
    tracing::subscriber::with_default(format.finish(), work)
}

/// Libraries speak of every frame at the lower levels, so of them warnings are the least that is heard.
fn filter(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    };
    Targets::new().with_default(level.min(LevelFilter::WARN)).with_target("spanmill", level)
}

fn format(settings: &LogSettings) -> Result<Format, String> {
    let outputs = settings.output_paths.iter().map(|path| Output::open(path)).collect::<Result<Vec<_>, _>>()?;
    let to_terminal = outputs.iter().all(|output| matches!(output, Output::Stderr)) && colours();
    let format = tracing_subscriber::fmt::layer().with_writer(Outputs(outputs)).with_ansi(to_terminal);
    Ok(match settings.encoding {
        Encoding::Console => format.boxed(),
        // Spans are left out: those that were open before a change to JSON are not known to it.
        Encoding::Json => format.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
    })
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
