//! Where a reader stands, on disk.
//!
//! The file `cursor-NAME`, 24 bytes: `"SPANCUR\1" | next u64 | 0 u32 | crc32c u32`; it is replaced as a whole.

use std::fmt::Write as _;
use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{CursorError, Failure};
use crate::files::{Files, read_full};
use crate::marks::Marks;
use crate::record::Seq;
use crate::stats::{Counter, CursorStats};

/// Where a reader stands.
#[derive(Debug)]
pub(crate) struct Cursor {
    name: String,
    path: PathBuf,
    marks: Marks,
    pub(crate) expired: Counter,
    /// Held while the file is replaced.
    file: Mutex<Access>,
}

/// Whether the file may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Open,
    /// The directory may be another process's now, or the cursor was removed.
    Closed,
}

const MAGIC: [u8; 8] = *b"SPANCUR\x01";
const PREFIX: &str = "cursor-";
const MAX_NAME: usize = 80;
const BYTES: usize = 24;
const CHECKED: usize = 20;

// === impl Cursor ===

impl Cursor {
    pub(crate) fn new(dir: &Path, name: &str, next: Seq) -> Self {
        Self {
            name: name.into(),
            path: dir.join(file_name(name)),
            marks: Marks::new(next.get()),
            expired: Counter::default(),
            file: Mutex::new(Access::Open),
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
        let access = self.access();
        if *access == Access::Closed {
            return Err(CursorError::Closed);
        }
        let Some(wanted) = self.marks.due(always) else { return Ok(()) };
        replace(files, dir, &self.path, Seq::new(wanted))?;
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

// === files of cursors ===

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

/// What a file says; `None` if it is damaged.
pub(crate) fn load(files: &dyn Files, path: &Path) -> Result<Option<Seq>, Failure> {
    let mut bytes = [0; BYTES];
    let file = files.open(path).map_err(Failure::of("open", path))?;
    let read = read_full(&*file, &mut bytes, 0).map_err(Failure::of("read", path))?;
    Ok(if read == BYTES { parse(&bytes) } else { None })
}

fn parse(bytes: &[u8]) -> Option<Seq> {
    let (checked, crc) = bytes.split_at_checked(CHECKED)?;
    let (magic, rest) = checked.split_first_chunk()?;
    let next = u64::from_le_bytes(*rest.first_chunk()?);
    let is_good = *magic == MAGIC && u32::from_le_bytes(crc.try_into().ok()?) == crc32c::crc32c(checked);
    (is_good && next != 0).then_some(Seq::new(next))
}

fn replace(files: &dyn Files, dir: &Path, path: &Path, next: Seq) -> Result<(), Failure> {
    let mut bytes = Vec::with_capacity(BYTES);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&next.get().to_le_bytes());
    bytes.resize(CHECKED, 0);
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());

    let temporary = path.with_added_extension("tmp");
    let file = files.create(&temporary).map_err(Failure::of("create", &temporary))?;
    file.write_at(&mut [IoSlice::new(&bytes)], 0).map_err(Failure::of("write", &temporary))?;
    file.sync().map_err(Failure::of("sync", &temporary))?;
    files.rename(&temporary, path).map_err(Failure::of("rename", &temporary))?;
    files.sync_dir(dir).map_err(Failure::of("sync", dir))
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
