//! The log as its users hold it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use tokio::sync::{Semaphore, oneshot};
use tokio::task::spawn_blocking;

use crate::active::{Active, Reserve};
use crate::clock::{Clock, WallClock};
use crate::cursor::{self, Cursor};
use crate::error::{AppendError, CursorError, Failure, OpenError};
use crate::files::{Files, RealFiles};
use crate::helper::Helper;
use crate::open::{self, Left};
use crate::options::{Fsync, Limits, Options};
use crate::reader::Reader;
use crate::record::{Payload, Seq};
use crate::segment::{self, HEADER_BYTES, Header};
use crate::segments::Segment;
use crate::shared::{Append, Request, Shared, State, Tail};
use crate::stats::Stats;
use crate::writer::{Timing, Writer};

/// A log in a directory of its own. Clones are the same log; it closes when the last one is dropped, which waits for the disk:
/// prefer [`Wal::close`].
#[derive(Clone)]
pub struct Wal {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    /// Bytes that may be on their way to the disk.
    pending: Arc<Semaphore>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What surrounds a log; tests put their own in its place.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) files: Arc<dyn Files>,
    pub(crate) clock: Arc<dyn Clock>,
    /// The writer does the work of its helper.
    pub(crate) inline: bool,
}

/// What a record takes of what may be on the way besides its payload.
const APPEND_COST: u64 = 64;

// === impl Surroundings ===

impl Surroundings {
    fn real() -> Self {
        Self { files: Arc::new(RealFiles), clock: Arc::new(WallClock), inline: false }
    }
}

// === impl Wal ===

impl Wal {
    /// Opens the log in a directory, which is created if need be, and mends what a crash left. It reads the last segment and
    /// the headers of the others.
    ///
    /// # Errors
    ///
    /// When another process has it, or a file operation fails.
    pub async fn open(dir: impl Into<PathBuf>, options: Options) -> Result<Self, OpenError> {
        let dir = dir.into();
        let path = dir.clone();
        let opened = spawn_blocking(move || Self::open_in(&dir, &options, Surroundings::real())).await;
        opened.unwrap_or_else(|error| Err(Failure::new("open", &path, std::io::Error::other(error)).into()))
    }

    pub(crate) fn open_in(dir: &Path, options: &Options, surroundings: Surroundings) -> Result<Self, OpenError> {
        let Surroundings { files, clock, inline } = surroundings;
        let limits = Limits::from(options);
        let left = open::open(&*files, dir, limits.fsync == Fsync::Always)?;
        let Left { lock, mut segments, cursors, mut spare, counters, active, follows, next } = left;
        let active = match active {
            Some((file, Segment { header, bytes, .. }, offset)) => Active { file, header, offset, bytes, syncs: 0 },
            None => {
                let spare = match spare.take().filter(|spare| spare.bytes >= limits.segment_bytes) {
                    Some(spare) => spare,
                    None => segment::prepare(&*files, dir, limits.segment_bytes, false)?,
                };
                let header = Header::new(next, follows, clock.now(), limits.fsync != Fsync::Always);
                let header = segment::install(&*files, dir, &spare, header)?;
                segments.push(Segment::begun(header, dir, spare.bytes));
                Active { file: spare.file, header, offset: HEADER_BYTES, bytes: spare.bytes, syncs: 0 }
            }
        };
        counters.spare_bytes.set(spare.as_ref().map_or(0, |spare| spare.bytes));

        let (requests, received) = mpsc::channel();
        let tail = Tail { next, segment: active.header.first, offset: active.offset, state: State::Open };
        let reserve = Reserve::new(Helper::start(Arc::clone(&files), dir, inline), spare);
        let timing = Timing::new(clock.now());
        let shared = Shared::new(dir.into(), limits, files, clock, counters, segments, cursors, tail, requests);
        let shared = Arc::new(shared);
        let mut writer = Writer {
            shared: Arc::clone(&shared),
            requests: received,
            active,
            reserve,
            next,
            timing,
            failure: None,
            lock,
        };
        // Before anybody reads: a crash may have brought back some of the segments that every cursor had passed, and a new cursor would begin
        // with them and find the others missing.
        writer.collect();
        let thread = std::thread::Builder::new()
            .name("wal-writer".into())
            .spawn(move || writer.run())
            .map_err(Failure::of("start a thread for", dir))?;
        let pending = Arc::new(Semaphore::new(limits.max_pending_bytes as usize));
        Ok(Self { inner: Arc::new(Inner { shared, pending, thread: Mutex::new(Some(thread)) }) })
    }

    /// Appends a record and waits until it is as durable as [`Options::fsync`] says. `kind` is for the caller and comes back with
    /// the record.
    ///
    /// If the future is dropped, the record may be written or not.
    ///
    /// # Errors
    ///
    /// See [`AppendError`]; [`AppendError::is_retryable`] tells back-pressure from the rest.
    pub async fn append(&self, kind: u8, payload: impl Into<Payload>) -> Result<Seq, AppendError> {
        let payload = payload.into();
        let (bytes, limits) = (payload.bytes(), &self.shared().limits);
        if bytes > limits.max_record_bytes {
            return Err(AppendError::TooLarge { bytes, limit: limits.max_record_bytes });
        }
        let cost = u32::try_from(bytes + APPEND_COST).unwrap_or(u32::MAX).min(limits.max_pending_bytes);
        let pending = Arc::clone(&self.inner.pending);
        let permit = pending.acquire_many_owned(cost).await.map_err(|_| self.gone())?;
        let (acknowledge, acknowledged) = oneshot::channel();
        self.shared().request(Request::Append(Append { kind, parts: payload.0, bytes, acknowledge, permit }));
        acknowledged.await.unwrap_or_else(|_| Err(self.gone()))
    }

    /// A reader that goes on where the cursor of this name was committed. A new cursor begins with the oldest record there is,
    /// and from then on keeps what it has not committed.
    ///
    /// # Errors
    ///
    /// When there is a reader of this name already, or the cursor cannot be created.
    pub async fn reader(&self, name: &str) -> Result<Reader, CursorError> {
        cursor::check_name(name)?;
        let (cursor, is_new) = {
            let mut cursors = self.shared().cursors();
            match cursors.get(name) {
                Some(cursor) => (Arc::clone(cursor), false),
                None => {
                    let oldest = self.shared().segments().oldest();
                    let cursor = Arc::new(Cursor::new(&self.shared().dir, name, oldest));
                    cursors.insert(name.into(), Arc::clone(&cursor));
                    (cursor, true)
                }
            }
        };
        if !cursor.take() {
            return Err(CursorError::InUse(name.into()));
        }
        let reader = Reader::new(Arc::clone(self.shared()), Arc::clone(&cursor));
        if is_new {
            let shared = Arc::clone(self.shared());
            let persist = move || cursor.persist(&*shared.files, &shared.dir, true);
            if let Err(error) = spawn_blocking(persist).await.unwrap_or(Err(CursorError::Closed)) {
                self.shared().cursors().remove(name);
                return Err(error);
            }
        }
        Ok(reader)
    }

    /// Removes a cursor, so that it keeps nothing any more; one that is not there is none is an error.
    ///
    /// # Errors
    ///
    /// When it has a reader, or its file cannot be removed.
    pub async fn remove_cursor(&self, name: &str) -> Result<(), CursorError> {
        let Some(cursor) = self.shared().cursors().get(name).cloned() else { return Ok(()) };
        if !cursor.take() {
            return Err(CursorError::InUse(name.into()));
        }
        let shared = Arc::clone(self.shared());
        let remove = move || {
            let removed = cursor.remove(&*shared.files, &shared.dir);
            match &removed {
                Ok(()) => drop(shared.cursors().remove(cursor.name())),
                Err(_) => cursor.give_back(),
            }
            removed
        };
        spawn_blocking(remove).await.unwrap_or(Err(CursorError::Closed))?;
        self.shared().request(Request::Collect);
        Ok(())
    }

    /// The names of all cursors, with or without a reader.
    #[must_use]
    pub fn cursors(&self) -> Vec<String> {
        self.shared().cursors().keys().cloned().collect()
    }

    /// The number that the next record will have.
    #[must_use]
    pub fn next_seq(&self) -> Seq {
        self.shared().tail.borrow().next
    }

    /// Numbers for telemetry. Cheap.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared().stats()
    }

    /// Waits until a write or a sync fails, for ever if none does. What the disk holds is not known then: end the process, and
    /// let the next one read it.
    pub async fn failed(&self) -> Failure {
        let mut tail = self.shared().tail.subscribe();
        loop {
            if let State::Failed(failure) = &tail.borrow_and_update().state {
                return failure.clone();
            }
            let _ = tail.changed().await;
        }
    }

    /// Writes what was appended before, forces it to the disk and lets go of the directory. Appends and commits fail from now
    /// on; readers read what there is.
    ///
    /// # Errors
    ///
    /// When the log has failed, now or before.
    pub async fn close(&self) -> Result<(), Failure> {
        self.shared().request(Request::Close);
        if let Some(thread) = self.inner.take_thread() {
            let _ = spawn_blocking(|| thread.join()).await;
        }
        let mut tail = self.shared().tail.subscribe();
        loop {
            match &tail.borrow_and_update().state {
                State::Open => {}
                State::Closed => return Ok(()),
                State::Failed(failure) => return Err(failure.clone()),
            }
            let _ = tail.changed().await;
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }

    /// Why the writer does not answer.
    fn gone(&self) -> AppendError {
        match &self.shared().tail.borrow().state {
            State::Failed(failure) => AppendError::Failed(failure.clone()),
            _ => AppendError::Closed,
        }
    }
}

impl fmt::Debug for Wal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wal").field("dir", &self.shared().dir).finish_non_exhaustive()
    }
}

// === impl Inner ===

impl Inner {
    fn take_thread(&self) -> Option<JoinHandle<()>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.request(Request::Close);
        if let Some(thread) = self.take_thread() {
            let _ = thread.join();
        }
    }
}
