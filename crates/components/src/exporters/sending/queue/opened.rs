//! What a queue on disk has once it has started: its log, and what an earlier run has left there.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use spanmill_otlp::{Malformed, Opaque, Signal};
use spanmill_pipeline::Batch;
use spanmill_wal::{Committer, CursorError, ReadError, Reader, Record, Wal};
use tokio::task::JoinHandle;

use super::dead_letters::{Counts, DeadLetters};
use crate::exporters::sending::config::Sizer;
use crate::storage::{CURSOR, LOG, Storage, blocking, make_private};

/// What there is once the queue has started.
pub(super) struct Opened {
    pub(super) wal: Wal,
    /// Consumers take turns.
    pub(super) reader: tokio::sync::Mutex<Reader>,
    pub(super) committer: Committer,
    pub(super) letters: Arc<DeadLetters>,
    pub(super) tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// What an earlier run has left.
#[derive(Debug, Default)]
pub(super) struct Left {
    pub(super) requests: u64,
    /// Counted by the sizer.
    pub(super) size: usize,
}

/// A queue could not be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error(transparent)]
    Log(#[from] spanmill_wal::OpenError),
    #[error(transparent)]
    Cursor(#[from] CursorError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

// === impl Opened ===

impl Opened {
    /// Opens the queue in a folder, which is made if need be.
    pub(super) async fn open(
        folder: &Path,
        storage: &Storage,
        sizer: Sizer,
        counts: Counts,
    ) -> Result<(Self, Left), OpenError> {
        let parent = folder.to_owned();
        blocking(move || make_private(&parent)).await?;
        let wal = Wal::open(folder.join(LOG), storage.options.clone()).await?;
        let mut reader = wal.reader(CURSOR).await?;
        let committer = reader.committer();
        let left = Left::measure(&mut reader, sizer).await?;
        if left.requests > 0 {
            // Another reader begins again where the cursor stands.
            drop(reader);
            reader = wal.reader(CURSOR).await?;
        }
        let (path, limit) = (folder.join("dead_letters"), storage.max_dead_letter_bytes);
        let letters = blocking(move || DeadLetters::open(path, limit, counts)).await?;
        let (reader, letters) = (tokio::sync::Mutex::new(reader), Arc::new(letters));
        Ok((Self { wal, reader, committer, letters, tasks: Mutex::default() }, left))
    }
}

// === impl Left ===

impl Left {
    /// It has to be read, since numbers may have gaps.
    async fn measure(reader: &mut Reader, sizer: Sizer) -> Result<Self, ReadError> {
        let mut left = Self::default();
        while let Some(record) = reader.try_next().await? {
            left.requests += 1;
            left.size += match sizer {
                Sizer::Requests => 1,
                Sizer::Bytes => record.payload.len(),
                Sizer::Items => batch_of(record, false).map_or(0, |batch| batch.item_count()),
            };
        }
        Ok(left)
    }
}

/// The request of a record: its kind is the signal's number. Spans that nobody looks at are only counted.
pub(super) fn batch_of(record: Record, parsed: bool) -> Result<Batch, Malformed> {
    let signal = match record.kind {
        kind if kind == Signal::Metrics as u8 => Signal::Metrics,
        kind if kind == Signal::Logs as u8 => Signal::Logs,
        _ => Signal::Traces,
    };
    if parsed { Batch::parse(signal, record.payload) } else { Opaque::parse(signal, record.payload).map(Batch::from) }
}
