//! Where a reader stands.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{CursorError, Failure};
use crate::files::Files;
use crate::marks::Marks;
use crate::record::Seq;
use crate::slots::{Loaded, Turn};
use crate::stats::{Counter, CursorStats};

/// Where a reader stands.
#[derive(Debug)]
pub(crate) struct Cursor {
    name: String,
    path: PathBuf,
    marks: Marks,
    pub(crate) expired: Counter,
    /// Held while the file is written.
    file: Mutex<Access>,
}

/// Whether the file may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Open(Turn),
    /// The directory may be another process's now, or the cursor was removed.
    Closed,
}

const PREFIX: &str = "cursor-";
const MAX_NAME: usize = 80;

// === impl Cursor ===

impl Cursor {
    /// One that has no file yet.
    pub(crate) fn new(dir: &Path, name: &str, next: Seq) -> Self {
        Self::with(dir, name, next, Turn::Make)
    }

    /// One whose file was found; it begins with the oldest record if the file is damaged or older than that.
    pub(crate) fn found(files: &dyn Files, dir: &Path, name: &str, loaded: Loaded, oldest: Seq) -> Self {
        let Loaded { next, turn } = loaded;
        if next.is_none() {
            tracing::warn!(cursor = name, "the cursor is damaged: it begins with the oldest record");
        }
        let settled = turn.settle(files, dir, &dir.join(file_name(name)), next.unwrap_or(oldest));
        // What the file says holds, and the disk may be full. One that is made beside it cannot harm it.
        let turn = settled.unwrap_or_else(|error| {
            tracing::warn!(cursor = name, %error, "the file of a cursor cannot be written yet; the next commit makes it anew");
            Turn::Make
        });
        Self::with(dir, name, next.map_or(oldest, |next| next.max(oldest)), turn)
    }

    fn with(dir: &Path, name: &str, next: Seq, turn: Turn) -> Self {
        Self {
            name: name.into(),
            path: dir.join(file_name(name)),
            marks: Marks::new(next.get()),
            expired: Counter::default(),
            file: Mutex::new(Access::Open(turn)),
        }
    }

    /// The first number that is not committed.
    pub(crate) fn next(&self) -> Seq {
        Seq::new(self.marks.next())
    }

    /// Counts what age takes from this cursor, and moves it behind.
    pub(crate) fn expire(&self, first: Seq, end: Seq) {
        let before = Seq::new(self.marks.advance(end.get())).max(first);
        self.expired.add(end.get().saturating_sub(before.get()));
    }

    pub(crate) fn stats(&self, tail: Seq) -> CursorStats {
        let next = self.next();
        CursorStats {
            name: self.name.clone(),
            next,
            behind: tail.get().saturating_sub(next.get()),
            expired_records: self.expired.get(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the caller is the only reader now.
    pub(crate) fn take(&self) -> bool {
        self.marks.take()
    }

    pub(crate) fn give_back(&self) {
        self.marks.give_back();
    }

    /// Notes what is to be committed. Several calls of [`Cursor::persist`] that wait for each other become one.
    pub(crate) fn want(&self, next: Seq) {
        self.marks.want(next.get());
    }

    /// Writes what is wanted, unless it was written in the meantime or `always`.
    pub(crate) fn persist(&self, files: &dyn Files, dir: &Path, always: bool) -> Result<(), CursorError> {
        let mut access = self.access();
        let Access::Open(turn) = *access else { return Err(CursorError::Closed) };
        let Some(wanted) = self.marks.due(always) else { return Ok(()) };
        *access = Access::Open(turn.take(files, dir, &self.path, Seq::new(wanted))?);
        self.marks.advance(wanted);
        Ok(())
    }

    /// Removes the file; it is not written any more.
    pub(crate) fn remove(&self, files: &dyn Files, dir: &Path) -> Result<(), CursorError> {
        let mut access = self.access();
        if *access == Access::Closed {
            return Err(CursorError::Closed);
        }
        files.remove(&self.path).map_err(Failure::of("remove", &self.path))?;
        *access = Access::Closed;
        files.sync_dir(dir).map_err(Failure::of("sync", dir))?;
        Ok(())
    }

    /// Waits until the file is not being written; it is not written again.
    pub(crate) fn close(&self) {
        *self.access() = Access::Closed;
    }

    fn access(&self) -> MutexGuard<'_, Access> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === names ===

/// The name of the cursor that a file is of.
pub(crate) fn name_of(file_name: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = file_name.strip_prefix(PREFIX)?.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let hex = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    let name = String::from_utf8(bytes).ok()?;
    // Other spellings, and temporary files, are not ours.
    (self::file_name(&name) == file_name).then_some(name)
}

/// Whether a cursor may have this name.
pub(crate) fn check_name(name: &str) -> Result<(), CursorError> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(CursorError::Name(name.into()));
    }
    Ok(())
}

/// Other characters than letters, digits, `-` and `_` are written as `%2f`.
fn file_name(name: &str) -> String {
    let mut file_name = String::from(PREFIX);
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            file_name.push(char::from(byte));
        } else {
            let _ = write!(file_name, "%{byte:02x}");
        }
    }
    file_name
}
