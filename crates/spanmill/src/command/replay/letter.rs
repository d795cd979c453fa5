use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use spanmill_otlp::Signal;
use spanmill_pipeline::Batch;

use crate::error::CommandError;

/// A request that was set aside.
pub(super) struct Letter {
    pub(super) request: PathBuf,
    pub(super) signal: Signal,
    pub(super) reason: Reason,
}

/// What the file beside it says; nothing where it is missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reason {
    pub(super) exporter: String,
    pub(super) items: usize,
    pub(super) code: String,
    pub(super) message: String,
}

// === impl Letter ===

impl Letter {
    /// The requests in a folder, oldest first.
    pub(super) fn all_in(folder: &Path) -> Result<Vec<Self>, CommandError> {
        let wrong = |error: &dyn std::fmt::Display| CommandError::Usage(format!("{}: {error}", folder.display()));
        let mut letters = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| wrong(&error))? {
            let request = entry.map_err(|error| wrong(&error))?.path();
            let Some(signal) = request.to_str().and_then(signal) else { continue };
            let reason = fs::read(request.with_extension("json")).ok();
            let reason = reason.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
            letters.push(Self { request, signal, reason });
        }
        letters.sort_by(|one, other| one.request.cmp(&other.request));
        Ok(letters)
    }

    pub(super) fn read(&self) -> Result<Batch, String> {
        let bytes = fs::read(&self.request).map_err(|error| error.to_string())?.into();
        Batch::parse(self.signal, bytes).map_err(|error| error.to_string())
    }

    pub(super) fn remove(&self) -> Result<(), String> {
        let removed = fs::remove_file(&self.request);
        removed.map_err(|error| format!("it was sent, but cannot be removed: {error}"))?;
        // A reason without a request means nothing, and is passed over.
        let _ = fs::remove_file(self.request.with_extension("json"));
        Ok(())
    }
}

/// The signal that the name of a file tells, where it is one of a request.
fn signal(path: &str) -> Option<Signal> {
    let (_, signal) = path.strip_suffix(".otlp")?.rsplit_once('.')?;
    [Signal::Traces, Signal::Metrics, Signal::Logs].into_iter().find(|known| known.as_str() == signal)
}
