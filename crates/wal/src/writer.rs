//! The thread that writes: it takes all that waits, writes it at once, forces it to the disk once, and acknowledges.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::active::{Active, Group, Reserve};
use crate::error::{AppendError, Failure};
use crate::files::Lock;
use crate::frame::{self, Frame};
use crate::open::LOCK;
use crate::options::Fsync;
use crate::recent::Position;
use crate::record::Seq;
use crate::segment::HEADER_BYTES;
use crate::shared::{Append, Request, Shared, State, Tail};

/// The state of the writing thread.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) requests: Receiver<Request>,
    pub(crate) active: Active,
    pub(crate) reserve: Reserve,
    /// The number of the next record.
    pub(crate) next: Seq,
    pub(crate) timing: Timing,
    pub(crate) failure: Option<Failure>,
    /// Keeps other processes out; goes last.
    pub(crate) lock: Box<dyn Lock>,
}

/// What the writer has to remember about time.
#[derive(Debug)]
pub(crate) struct Timing {
    /// When the oldest record was written that is not durable.
    unsynced: Option<Instant>,
    /// By the wall clock: when the last record was written.
    pub(crate) newest: Duration,
    /// When ages were looked at.
    pub(crate) aged: Instant,
    /// When the lock was looked at.
    looked: Instant,
}

/// How often the lock is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Records that were written, or are about to be, and who waits for them.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    group: Group,
    acknowledge: Vec<(Seq, oneshot::Sender<Result<Seq, AppendError>>)>,
    permits: Vec<OwnedSemaphorePermit>,
    payload_bytes: u64,
}

/// So much is written at once at most, so that the first of a group does not wait for too many others.
const GROUP_BYTES: u64 = 8 << 20;

// === impl Timing ===

impl Timing {
    pub(crate) fn new(newest: Duration) -> Self {
        let now = Instant::now();
        Self { unsynced: None, newest, aged: now, looked: now }
    }
}

// === impl Writer ===

impl Writer {
    /// Works until the log is closed or every handle is gone.
    pub(crate) fn run(mut self) {
        while let Some(request) = self.wait() {
            self.look();
            let is_last = self.work(request);
            self.tick();
            if is_last {
                break;
            }
        }
        self.close();
    }

    /// The next request, or `None` inside if something is due.
    fn wait(&self) -> Option<Option<Request>> {
        let received = match self.due() {
            Some(due) => self.requests.recv_timeout(due.saturating_duration_since(Instant::now())),
            None => self.requests.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match received {
            Ok(request) => Some(Some(request)),
            Err(RecvTimeoutError::Timeout) => Some(None),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Handles a request and those behind it; tells whether it was the last.
    fn work(&mut self, first: Option<Request>) -> bool {
        let mut waiting = Waiting::default();
        let mut request = first;
        let mut is_last = false;
        while let Some(current) = request {
            match current {
                Request::Append(append) => self.place(append, &mut waiting),
                Request::Collect => self.collect(),
                Request::Damaged { segment, bad, done } => {
                    // A new segment may have to be begun: what was placed comes before it.
                    self.flush(&mut waiting);
                    let _ = done.send(self.quarantine(segment, bad));
                }
                #[cfg(test)]
                Request::Expire { done } => {
                    self.flush(&mut waiting);
                    self.expire();
                    let _ = done.send(());
                }
                Request::Close => {
                    is_last = true;
                    break;
                }
            }
            if waiting.group.bytes >= GROUP_BYTES {
                break;
            }
            request = self.requests.try_recv().ok();
        }
        self.flush(&mut waiting);
        is_last
    }

    /// Gives a record its number and its place.
    fn place(&mut self, append: Append, waiting: &mut Waiting) {
        let Append { kind, parts, bytes, acknowledge, permit } = append;
        if let Some(failure) = &self.failure {
            let _ = acknowledge.send(Err(AppendError::Failed(failure.clone())));
            return;
        }
        let size = frame::size(bytes);
        if !self.active.has_room(waiting.group.bytes + size)
            && let Err(error) = self.change_segment(size, waiting)
        {
            let _ = acknowledge.send(Err(error));
            return;
        }
        // Only the first of a group is written when all before it is known to be durable.
        let is_synced = waiting.group.bytes == 0 && self.timing.unsynced.is_none();
        let flags = if is_synced { frame::SYNCED_BEFORE } else { 0 };
        let slices = parts.iter().map(|part| &part[..]);
        let frame = Frame::new(self.active.header.salt, self.next, kind, flags, slices);
        waiting.group.push(frame, parts);
        waiting.acknowledge.push((self.next, acknowledge));
        waiting.permits.push(permit);
        waiting.payload_bytes += bytes;
        self.next = self.next.next();
    }

    /// Finishes the segment and begins another one that has room for a record of this size.
    pub(crate) fn change_segment(&mut self, size: u64, waiting: &mut Waiting) -> Result<(), AppendError> {
        // Before a spare is taken: this may ask for one, which would take its name.
        self.flush(waiting);
        let spare = self.reserve.take(&self.shared, HEADER_BYTES + size)?;
        let newest = self.timing.newest;
        let begun = self.sync().and_then(|()| self.active.followed_by(&self.shared, spare, self.next, newest));
        match begun {
            Ok(active) => self.active = active,
            Err(failure) => {
                self.fail(&failure);
                return Err(AppendError::Failed(failure));
            }
        }
        self.publish();
        Ok(())
    }

    /// Writes what was placed, makes it as durable as the policy says, and acknowledges it.
    fn flush(&mut self, waiting: &mut Waiting) {
        if waiting.acknowledge.is_empty() {
            return;
        }
        let from = Position { segment: self.active.header.first, offset: self.active.offset };
        let written = match &self.failure {
            Some(failure) => Err(failure.clone()),
            None => self.active.write(&waiting.group).and_then(|()| {
                self.timing.unsynced.get_or_insert_with(Instant::now);
                self.timing.newest = self.shared.clock.now();
                if self.shared.limits.fsync == Fsync::Always { self.sync() } else { Ok(()) }
            }),
        };
        match written {
            Ok(()) => {
                self.shared.counters.appended_records.add(waiting.acknowledge.len() as u64);
                self.shared.counters.appended_bytes.add(waiting.payload_bytes);
                // Before readers hear of them.
                self.shared.recent.push(from, waiting.group.take());
                self.publish();
                for (seq, acknowledge) in waiting.acknowledge.drain(..) {
                    let _ = acknowledge.send(Ok(seq));
                }
            }
            Err(failure) => {
                self.fail(&failure);
                drop(waiting.group.take());
                for (_, acknowledge) in waiting.acknowledge.drain(..) {
                    let _ = acknowledge.send(Err(AppendError::Failed(failure.clone())));
                }
            }
        }
        waiting.permits.clear();
        waiting.payload_bytes = 0;
        if self.active.is_half_full() && self.failure.is_none() {
            self.reserve.refill(&self.shared, self.active.filling());
        }
    }

    fn sync(&mut self) -> Result<(), Failure> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        if self.timing.unsynced.take().is_some() {
            self.active.sync()?;
            self.shared.counters.fsyncs.add(1);
        }
        Ok(())
    }

    /// Nothing is written any more: after a failed sync the kernel may have forgotten what it could not write.
    fn fail(&mut self, failure: &Failure) {
        if self.failure.is_none() {
            tracing::error!(error = %failure, "the log has failed; what the disk holds is not known any more");
            self.failure = Some(failure.clone());
            self.shared.tail.send_modify(|tail| tail.state = State::Failed(failure.clone()));
        }
    }

    /// Shows readers what was acknowledged.
    fn publish(&self) {
        let (segment, offset, next) = (self.active.header.first, self.active.offset, self.next);
        self.shared.tail.send_modify(|tail| *tail = Tail { next, segment, offset, state: tail.state.clone() });
    }

    // === what is due by time ===

    fn due(&self) -> Option<Instant> {
        let sync = match (self.shared.limits.fsync, self.timing.unsynced, &self.failure) {
            (Fsync::Interval(interval), Some(since), None) => since.checked_add(interval),
            _ => None,
        };
        let age = self.shared.limits.max_age.map(|max_age| self.timing.aged + age_interval(max_age));
        let look = self.failure.is_none().then(|| self.timing.looked + LOOK);
        [sync, age, look].into_iter().flatten().min()
    }

    /// Notices that the directory is gone, before anything else is acknowledged that would be gone with it.
    fn look(&mut self) {
        let now = Instant::now();
        if self.failure.is_some() || now < self.timing.looked + LOOK {
            return;
        }
        self.timing.looked = now;
        if !self.lock.is_in_place() {
            let error = io::Error::new(io::ErrorKind::NotFound, "the directory was removed, moved or replaced");
            self.fail(&Failure::new("find", &self.shared.dir.join(LOCK), error));
        }
    }

    fn tick(&mut self) {
        let now = Instant::now();
        if let (Fsync::Interval(interval), Some(since)) = (self.shared.limits.fsync, self.timing.unsynced)
            && now.saturating_duration_since(since) >= interval
            && let Err(failure) = self.sync()
        {
            self.fail(&failure);
        }
        if self.shared.limits.max_age.is_some_and(|max_age| now >= self.timing.aged + age_interval(max_age)) {
            self.timing.aged = now;
            self.expire();
        }
    }

    // === the end ===

    fn close(mut self) {
        if let Err(failure) = self.sync() {
            self.fail(&failure);
        }
        // What was sent after the last request is answered by dropping it.
        drop(self.requests);
        self.reserve.stop();
        let cursors = self.shared.cursors().values().cloned().collect::<Vec<_>>();
        cursors.iter().for_each(|cursor| cursor.close());
        drop(self.lock);
        self.shared.tail.send_modify(|tail| {
            if !matches!(tail.state, State::Failed(_)) {
                tail.state = State::Closed;
            }
        });
    }
}

fn age_interval(max_age: Duration) -> Duration {
    (max_age / 10).clamp(Duration::from_secs(1), Duration::from_secs(60))
}
