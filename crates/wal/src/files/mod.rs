//! What the log asks of a file system; the tests put one of their own in its place that fails and crashes.

#[cfg(test)]
pub(crate) mod crash;
mod real;

use std::fmt;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;

pub(crate) use real::RealFiles;

/// Operations on a directory.
pub(crate) trait Files: fmt::Debug + Send + Sync {
    /// Creates a directory and those above it; none is an error if it is there.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;
    /// Names of the files in a directory; others than UTF-8 are left out.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Creates a file, or empties it.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// Opens a file for reading.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// Opens a file for reading and writing.
    fn edit(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// Renames a file, replacing what has the name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Takes the lock of a file, which is created; `None` if somebody else has it.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>>;
}

/// An open file.
pub(crate) trait File: fmt::Debug + Send + Sync {
    fn len(&self) -> io::Result<u64>;
    /// May read less than there is; 0 at the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all slices one after another. One writer at a time.
    fn write_at(&self, slices: &mut [IoSlice<'_>], offset: u64) -> io::Result<()>;
    /// Makes an empty file so long, of zeros that are not written but have their place on the disk; `false` if the file system
    /// cannot.
    fn allocate(&self, len: u64) -> io::Result<bool>;
    /// Cuts the end off.
    fn truncate(&self, len: u64) -> io::Result<()>;
    /// Makes what was written durable, with the length of the file.
    fn sync(&self) -> io::Result<()>;
}

/// Held as long as it lives.
pub(crate) trait Lock: fmt::Debug + Send + Sync {
    /// Whether the file of that name is still the one that is locked. Otherwise the directory was removed, or moved, or is another process's.
    fn is_in_place(&self) -> bool;
}

/// Reads until the buffer is full or the file ends; tells how much it was.
pub(crate) fn read_full(file: &dyn File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + done as u64) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Writes zeros to a range.
pub(crate) fn write_zeros(file: &dyn File, from: u64, to: u64) -> io::Result<()> {
    let zeros = vec![0; usize::try_from(to.saturating_sub(from)).unwrap_or(ZEROS).min(ZEROS)];
    let mut offset = from;
    while offset < to {
        let part = usize::try_from(to - offset).unwrap_or(ZEROS).min(ZEROS);
        file.write_at(&mut [IoSlice::new(zeros.get(..part).unwrap_or_default())], offset)?;
        offset += part as u64;
    }
    Ok(())
}

/// Zeros are written in pieces of this.
const ZEROS: usize = 1 << 20;
