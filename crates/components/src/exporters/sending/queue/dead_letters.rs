//! Requests that a backend refused for good, as files that can be looked at and sent again.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

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
    counts: Counts,
}

/// What is counted, in items.
#[derive(Debug, Clone)]
pub(super) struct Counts {
    kept: IntCounter,
    dropped: IntCounter,
}

/// A request that is to be kept.
#[derive(Debug)]
pub(super) struct Letter {
    /// The same however often it is tried, so that no try leaves a copy.
    name: String,
    request: Bytes,
    items: u64,
    /// As JSON.
    reason: Vec<u8>,
}

/// Why a request is a dead letter.
#[derive(Debug, Serialize)]
struct Reason<'a> {
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

/// What became of a request.
#[derive(Debug)]
pub(super) enum Put {
    Kept(PathBuf),
    /// Others take the room already: it was dropped.
    NoRoom,
}

/// What a file takes of a disk is a multiple of this, nearly everywhere.
const BLOCK: u64 = 4096;

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

// === impl Letter ===

impl Letter {
    pub(super) fn new(exporter: &str, signal: Signal, request: Bytes, items: usize, error: &SendError) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let now = Timestamp::now();
        let (signal, code) = (signal.as_str(), format!("{:?}", error.code));
        let (time, bytes) = (now.to_string(), request.len());
        let reason = Reason { time, exporter, signal, items, bytes, code, message: &error.message };
        // Numbers and texts can always be written.
        let reason = serde_json::to_vec_pretty(&reason).unwrap_or_default();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}.{signal}.otlp", now.strftime("%Y%m%dT%H%M%S%.9f"));
        Self { name, request, items: items as u64, reason }
    }

    /// What it takes of the disk, about.
    fn size(&self) -> u64 {
        blocks(self.request.len() as u64) + blocks(self.reason.len() as u64)
    }
}

// === impl DeadLetters ===

impl DeadLetters {
    /// Those in a folder, which is made with the first one.
    pub(super) fn open(folder: PathBuf, limit: u64, counts: Counts) -> io::Result<Self> {
        let used = Mutex::new(size(&folder)?);
        Ok(Self { folder, limit, used, counts })
    }

    /// Writes one; where that fails it may be tried again. Blocks.
    pub(super) fn put(&self, letter: &Letter) -> io::Result<Put> {
        if !self.reserve(letter.size())? {
            self.counts.dropped.inc_by(letter.items);
            return Ok(Put::NoRoom);
        }
        let path = self.write(letter).inspect_err(|_| self.give_back(letter.size()))?;
        self.counts.kept.inc_by(letter.items);
        Ok(Put::Kept(path))
    }

    /// Tells whether there was room.
    fn reserve(&self, bytes: u64) -> io::Result<bool> {
        let mut used = self.used();
        if used.saturating_add(bytes) > self.limit {
            // Some may have been sent again and removed in the meantime.
            *used = size(&self.folder)?;
        }
        let sum = used.saturating_add(bytes);
        if sum > self.limit {
            return Ok(false);
        }
        *used = sum;
        Ok(true)
    }

    fn give_back(&self, bytes: u64) {
        let mut used = self.used();
        *used = used.saturating_sub(bytes);
    }

    fn used(&self) -> MutexGuard<'_, u64> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, letter: &Letter) -> io::Result<PathBuf> {
        make_private(&self.folder)?;
        let path = self.folder.join(&letter.name);
        spanmill_storage::write_file(&path, &letter.request)?;
        // A request without a reason can still be sent again.
        spanmill_storage::write_file(&path.with_extension("json"), &letter.reason)?;
        Ok(path)
    }
}

/// What a file of so many bytes takes of the disk, about.
fn blocks(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK).saturating_mul(BLOCK)
}

/// What all files take of the disk, about; a folder that is not there takes nothing.
fn size(folder: &Path) -> io::Result<u64> {
    let files = match std::fs::read_dir(folder) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    // A file that has just been removed takes no room. Blocks are of 512 bytes, whatever the disk has.
    let files = files.filter_map(|file| file.ok()?.metadata().ok());
    Ok(files.map(|file| blocks(file.len()).max(file.blocks().saturating_mul(512))).sum())
}

#[cfg(test)]
mod tests {
    use spanmill_pipeline::Code;

    use super::*;

    fn letter(bytes: usize) -> Letter {
        let error = SendError::permanent(Code::InvalidArgument, "no");
        Letter::new("test", Signal::Traces, Bytes::from(vec![0; bytes]), 1, &error)
    }

    fn letters(folder: &Path, limit: u64) -> DeadLetters {
        let counter = || IntCounter::new("test", "test").unwrap();
        DeadLetters::open(folder.to_owned(), limit, Counts { kept: counter(), dropped: counter() }).unwrap()
    }

    /// Scenario: requests of a byte each, in room for 32 KiB, counted as they come and after a restart.
    /// Guarantees: each counts as two blocks, so that small ones do not take more than they may; what finds no room is counted as dropped.
    #[test]
    fn small_ones_count_as_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let letters_now = letters(folder.path(), 8 * BLOCK);
        let kept = |letters: &DeadLetters| matches!(letters.put(&letter(1)).unwrap(), Put::Kept(_));
        assert_eq!((0..9).filter(|_| kept(&letters_now)).count(), 4);
        assert_eq!(letters_now.counts.dropped.get(), 5);
        assert!(!kept(&letters(folder.path(), 8 * BLOCK)));
    }

    /// Scenario: a request cannot be written twice, and then can.
    /// Guarantees: it takes room once, is there once, and is not counted as dropped.
    #[test]
    fn another_try_takes_no_more_room() {
        let outside = tempfile::tempdir().unwrap();
        let folder = outside.path().join("letters");
        let letters = letters(&folder, 2 * BLOCK);
        let letter = letter(1);
        std::fs::write(&folder, "in the way").unwrap();
        for _ in 0..2 {
            letters.put(&letter).unwrap_err();
        }
        std::fs::remove_file(&folder).unwrap();
        assert!(matches!(letters.put(&letter).unwrap(), Put::Kept(_)));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
        assert_eq!((letters.counts.kept.get(), letters.counts.dropped.get()), (1, 0));
    }
}
