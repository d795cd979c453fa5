//! Requests that a backend refused for good, as files that can be looked at and sent again.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use jiff::Timestamp;
use prometheus::IntCounter;
use serde::Serialize;
use spanmill_pipeline::{Context, Signal};

use crate::exporters::sending::transport::SendError;
use crate::storage::make_private;

/// A folder with two files a request: the request as OTLP, `TIME-NUMBER.traces.otlp`, and beside it in JSON why it lies there.
#[derive(Debug)]
pub(super) struct DeadLetters {
    folder: PathBuf,
    /// What all may take, in bytes.
    limit: u64,
    used: Mutex<u64>,
    number: AtomicU64,
    counts: Counts,
}

/// What is counted, in items.
#[derive(Debug, Clone)]
pub(super) struct Counts {
    kept: IntCounter,
    dropped: IntCounter,
}

/// Why a request is a dead letter.
#[derive(Debug, Serialize)]
pub(super) struct Reason<'a> {
    /// When it was refused.
    time: String,
    exporter: &'a str,
    signal: &'static str,
    /// Spans, metric points or log records.
    items: usize,
    bytes: usize,
    /// gRPC's name of the status.
    code: String,
    /// What the backend said.
    message: &'a str,
}

// === impl Counts ===

impl Counts {
    pub(super) fn new(context: &Context<'_>, kind: &str) -> Self {
        let id = context.id.to_string();
        let counter = |name: &str, help: &str| {
            context.telemetry.counter(&format!("spanmill_{kind}_dead_letter_{name}"), help, &[(kind, &id)])
        };
        Self {
            kept: counter("items", "Number of items refused for good that were set aside on disk."),
            dropped: counter(
                "dropped_items",
                "Number of items refused for good that were dropped, since dead letters had no room left.",
            ),
        }
    }
}

// === impl Reason ===

impl<'a> Reason<'a> {
    pub(super) fn new(exporter: &'a str, signal: Signal, items: usize, bytes: usize, error: &'a SendError) -> Self {
        let (time, code) = (Timestamp::now().to_string(), format!("{:?}", error.code));
        Self { time, exporter, signal: signal.as_str(), items, bytes, code, message: &error.message }
    }
}

// === impl DeadLetters ===

impl DeadLetters {
    /// Those in a folder, which is made with the first one.
    pub(super) fn open(folder: PathBuf, limit: u64, counts: Counts) -> io::Result<Self> {
        let used = Mutex::new(size(&folder)?);
        Ok(Self { folder, limit, used, number: AtomicU64::new(0), counts })
    }

    /// Writes one; fails where it could not be written. Blocks.
    pub(super) fn put(&self, signal: Signal, request: &Bytes, reason: &Reason<'_>) -> io::Result<PathBuf> {
        let items = reason.items as u64;
        let put = self.reserve(request.len() as u64).and_then(|()| self.write(signal, request, reason));
        if put.is_ok() { &self.counts.kept } else { &self.counts.dropped }.inc_by(items);
        put
    }

    fn reserve(&self, bytes: u64) -> io::Result<()> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.saturating_add(bytes) > self.limit {
            // Some may have been sent again and removed in the meantime.
            *used = size(&self.folder)?;
        }
        if used.saturating_add(bytes) > self.limit {
            let message = format!("dead letters in {} take their {} bytes already", self.folder.display(), self.limit);
            return Err(io::Error::new(io::ErrorKind::StorageFull, message));
        }
        *used += bytes;
        Ok(())
    }

    fn write(&self, signal: Signal, request: &Bytes, reason: &Reason<'_>) -> io::Result<PathBuf> {
        make_private(&self.folder)?;
        let time = Timestamp::now().strftime("%Y%m%dT%H%M%S%.9f");
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.join(format!("{time}-{number}.{}.otlp", signal.as_str()));
        spanmill_storage::write_file(&path, request)?;
        // A request without a reason can still be sent again.
        spanmill_storage::write_file(&path.with_extension("json"), &serde_json::to_vec_pretty(reason)?)?;
        Ok(path)
    }
}

/// Bytes of all files; a folder that is not there has none.
fn size(folder: &Path) -> io::Result<u64> {
    let files = match std::fs::read_dir(folder) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    // A file that has just been removed takes no room.
    Ok(files.filter_map(|file| file.ok()?.metadata().ok()).map(|file| file.len()).sum())
}
