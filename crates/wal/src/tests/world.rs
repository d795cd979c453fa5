//! A log on a disk that crashes, and what must be true of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;

use crate::clock::Clock;
use crate::files::crash::{CrashFiles, Loss};
use crate::frame::{self, Frame, Parsed};
use crate::record::Seq;
use crate::segment::{HEADER_BYTES, Header};
use crate::shared::Request;
use crate::wal::Surroundings;
use crate::{AppendError, OpenError, Options, ReadError, Reader, Wal};

/// A log on a disk that crashes, and what must be true of it: every acknowledged record is there, in order, none is invented,
/// none comes twice, and committed ones do not come again.
#[derive(Debug)]
pub(super) struct World {
    pub(super) files: CrashFiles,
    pub(super) clock: ManualClock,
    pub(super) options: Options,
    wal: Option<Wal>,
    readers: BTreeMap<String, Reading>,
    /// What is known to be in the log, by number.
    known: BTreeMap<Seq, u32>,
    /// Every record that was tried has an identity, from 0.
    tried: u32,
    /// For each cursor: the next record by what was committed, and by what may have been.
    committed: BTreeMap<String, (Seq, Seq)>,
}

#[derive(Debug)]
struct Reading {
    reader: Reader,
    /// The number from which on nothing was read yet.
    next: Seq,
}

/// A clock that stands.
#[derive(Debug, Clone, Default)]
pub(super) struct ManualClock(Arc<Mutex<Duration>>);

/// The disk has crashed.
#[derive(Debug)]
pub(super) struct Crashed;

// === impl ManualClock ===

impl ManualClock {
    pub(super) fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        *self.0.lock().unwrap()
    }
}

// === helpers ===

pub(super) fn dir() -> PathBuf {
    "/log".into()
}

pub(super) fn segment(first: u64) -> PathBuf {
    dir().join(format!("{first:020}.wal"))
}

/// Small segments, so that there are several, and everything is read from files.
pub(super) fn small() -> Options {
    Options { segment_bytes: 1024, max_bytes: 1 << 20, recent_bytes: 0, ..Options::default() }
}

pub(super) fn open(files: &CrashFiles, options: &Options) -> Wal {
    try_open(files, options).unwrap()
}

pub(super) fn try_open(files: &CrashFiles, options: &Options) -> Result<Wal, OpenError> {
    let surroundings =
        Surroundings { files: Arc::new(files.clone()), clock: Arc::new(ManualClock::default()), inline: true };
    Wal::open_in(&dir(), options, surroundings)
}

/// The file of a cursor as it was once: one that was replaced each time.
pub(super) fn former_cursor(next: u64) -> Vec<u8> {
    let mut bytes = b"SPANCUR\x01".to_vec();
    bytes.extend(next.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

/// Makes the record at an offset of a segment one that was not the first of its group: nothing is known to have been durable before it.
pub(super) fn unsynced(segment: &mut [u8], at: usize) {
    let salt = Header::parse(&segment[..HEADER_BYTES as usize]).unwrap().salt;
    let Parsed::Frame(Frame { seq, kind, payload, .. }) = Frame::parse(segment[at..].first_chunk().unwrap()) else {
        panic!("no record");
    };
    let payload = &segment[at + frame::HEADER..][..payload as usize];
    let header = Frame::new(salt, seq, kind, 0, std::iter::once(payload)).to_bytes();
    segment[at..][..frame::HEADER].copy_from_slice(&header);
}

/// A payload of a length that tells which one it is.
pub(super) fn payload(identity: u32, length: usize) -> Bytes {
    let mut bytes = identity.to_le_bytes().to_vec();
    bytes.extend((0..length).map(|byte| (byte as u32 ^ identity) as u8));
    bytes.into()
}

fn identity(payload: &[u8]) -> u32 {
    u32::from_le_bytes(*payload.first_chunk().expect("every payload begins with its identity"))
}

/// Everything that can be read now.
pub(super) async fn read_all(reader: &mut Reader) -> Result<Vec<(u64, Bytes)>, ReadError> {
    let mut records = Vec::new();
    while let Some(record) = reader.try_next().await? {
        records.push((record.seq.get(), record.payload));
    }
    Ok(records)
}

pub(super) async fn append(wal: &Wal, identity: u32, length: usize) -> Result<Seq, AppendError> {
    wal.append(7, payload(identity, length)).await
}

/// Waits until everything that was asked of the writer is done.
pub(super) async fn settle(wal: &Wal) {
    let (done, answer) = tokio::sync::oneshot::channel();
    wal.shared().request(Request::Expire { done });
    answer.await.unwrap();
}

// === impl World ===

impl World {
    pub(super) fn new(options: Options) -> Self {
        let (files, clock) = (CrashFiles::default(), ManualClock::default());
        let (readers, known, committed) = Default::default();
        Self { files, clock, options, wal: None, readers, known, tried: 0, committed }
    }

    pub(super) fn wal(&self) -> &Wal {
        self.wal.as_ref().expect("the log is open")
    }

    pub(super) fn open(&mut self) -> Result<(), Crashed> {
        let surroundings =
            Surroundings { files: Arc::new(self.files.clone()), clock: Arc::new(self.clock.clone()), inline: true };
        match Wal::open_in(&dir(), &self.options, surroundings) {
            Ok(wal) => self.wal = Some(wal),
            Err(error) => {
                self.must_have_crashed(&error);
                return Err(Crashed);
            }
        }
        let last = self.known.last_key_value().map_or(Seq::FIRST, |(seq, _)| seq.next());
        assert!(self.wal().next_seq() >= last, "a number is given twice");
        Ok(())
    }

    fn must_have_crashed(&self, error: &dyn std::error::Error) {
        assert!(self.files.has_crashed(), "{error}");
    }

    pub(super) async fn append(&mut self, length: usize) -> Result<(), Crashed> {
        let identity = self.tried;
        self.tried += 1;
        match append(self.wal(), identity, length).await {
            Ok(seq) => {
                assert!(self.known.last_key_value().is_none_or(|(last, _)| *last < seq), "numbers rise");
                self.known.insert(seq, identity);
                Ok(())
            }
            Err(error) => {
                self.must_have_crashed(&error);
                Err(Crashed)
            }
        }
    }

    /// Several at once: they may share a sync, and take any order.
    pub(super) async fn append_together(&mut self, lengths: &[usize]) -> Result<(), Crashed> {
        let wal = self.wal().clone();
        let tasks = lengths.iter().map(|length| {
            let (wal, identity, length) = (wal.clone(), self.tried, *length);
            self.tried += 1;
            (identity, tokio::spawn(async move { append(&wal, identity, length).await }))
        });
        let mut failed = None;
        for (identity, task) in tasks.collect::<Vec<_>>() {
            match task.await.unwrap() {
                Ok(seq) => assert!(self.known.insert(seq, identity).is_none(), "a number is given twice"),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) => {
                self.must_have_crashed(&error);
                Err(Crashed)
            }
            None => Ok(()),
        }
    }

    /// Opens the reader if need be, and checks where it begins.
    async fn reader(&mut self, name: &str) -> Result<&mut Reading, Crashed> {
        if !self.readers.contains_key(name) {
            let reader = match self.wal().reader(name).await {
                Ok(reader) => reader,
                Err(error) => {
                    self.must_have_crashed(&error);
                    return Err(Crashed);
                }
            };
            let next = reader.committer().next();
            if let Some((surely, perhaps)) = self.committed.get(name) {
                assert!(*surely <= next, "{name} stands at {next} behind what was committed, {surely}");
                let oldest = self.wal().shared().segments().oldest();
                assert!(next <= (*perhaps).max(oldest), "{name} stands at {next}, beyond {perhaps}");
            }
            self.committed.insert(name.into(), (next, next));
            self.readers.insert(name.into(), Reading { reader, next });
        }
        Ok(self.readers.get_mut(name).expect("it was opened"))
    }

    /// Reads so many records at most.
    pub(super) async fn read(&mut self, name: &str, most: usize) -> Result<(), Crashed> {
        for _ in 0..most {
            let reading = self.reader(name).await?;
            let read = match reading.reader.try_next().await {
                Ok(read) => read,
                Err(error) => {
                    self.must_have_crashed(&error);
                    return Err(Crashed);
                }
            };
            let from = reading.next;
            let Some(record) = read else {
                let missing = self.known.range(from..).next();
                assert_eq!(missing, None, "an acknowledged record is missing at the end");
                break;
            };
            reading.next = record.seq.next();
            assert!(record.seq >= from, "record {} comes twice", record.seq);
            let missing = self.known.range(from..record.seq).next();
            assert_eq!(missing, None, "an acknowledged record is missing");
            let identity = identity(&record.payload);
            assert_eq!(record.payload, payload(identity, record.payload.len() - 4), "a payload is changed");
            assert_eq!(record.kind, 7);
            assert!(identity < self.tried, "a record is invented");
            // One that was not acknowledged may have survived; from now on it is as good as any.
            let twin = self.known.iter().find(|(seq, known)| **known == identity && **seq != record.seq);
            assert_eq!(twin, None, "record {identity} is there twice");
            assert_eq!(*self.known.entry(record.seq).or_insert(identity), identity, "another record has its number");
        }
        Ok(())
    }

    /// Commits what was read.
    pub(super) async fn commit(&mut self, name: &str) -> Result<(), Crashed> {
        let reading = self.reader(name).await?;
        let Some(seq) = reading.next.get().checked_sub(1).filter(|seq| *seq > 0).map(Seq::new) else { return Ok(()) };
        let committed = reading.reader.commit(seq).await;
        let (surely, perhaps) = self.committed.get_mut(name).expect("it has a reader");
        *perhaps = (*perhaps).max(seq.next());
        match committed {
            Ok(()) => {
                *surely = (*surely).max(seq.next());
                settle(self.wal()).await;
                Ok(())
            }
            Err(error) => {
                self.must_have_crashed(&error);
                Err(Crashed)
            }
        }
    }

    pub(super) async fn remove_cursor(&mut self, name: &str) -> Result<(), Crashed> {
        self.readers.remove(name);
        match self.wal().remove_cursor(name).await {
            Ok(()) => {
                self.committed.remove(name);
                settle(self.wal()).await;
                Ok(())
            }
            Err(error) => {
                self.must_have_crashed(&error);
                // It may be there or not.
                self.committed.remove(name);
                Err(Crashed)
            }
        }
    }

    /// Closes the log in good order and opens it again.
    pub(super) async fn reopen(&mut self) -> Result<(), Crashed> {
        let closed = self.wal().close().await;
        self.readers.clear();
        self.wal = None;
        if let Err(error) = closed {
            self.must_have_crashed(&error);
            return Err(Crashed);
        }
        self.open()
    }

    /// The machine goes down, if it has not yet, and starts again.
    pub(super) fn crash(&mut self, loss: Loss) {
        self.files.crash();
        self.readers.clear();
        self.wal = None;
        self.files.reboot(loss);
        self.open().expect("nothing crashes now");
        assert_eq!(self.wal().stats().quarantined_segments, 0, "a crash is no damage");
    }

    /// All cursors read to the end; a new one does so as well.
    pub(super) async fn check(&mut self) {
        let names = self.wal().cursors();
        for name in self.committed.keys() {
            let is_new = self.committed[name] == (Seq::FIRST, Seq::FIRST);
            assert!(names.contains(name) || is_new, "cursor {name} is gone");
        }
        for name in &names {
            self.read(name, usize::MAX).await.expect("nothing crashes now");
        }
        self.append(10).await.expect("nothing crashes now");
        for name in &names {
            self.read(name, usize::MAX).await.expect("nothing crashes now");
        }
    }
}
