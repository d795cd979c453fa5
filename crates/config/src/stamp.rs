//! Whether a file is still what it was.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What can be told of a file without reading it. Links are followed, as Kubernetes turns them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    path: PathBuf,
    /// Device, number, bytes, and when it was written, in seconds and nanoseconds; none where there is no such file.
    seen: Option<(u64, u64, u64, i64, i64)>,
}

// === impl Stamp ===

impl Stamp {
    /// Looks at a file.
    pub fn of(path: &Path) -> Self {
        let seen = fs::metadata(path).ok();
        let seen = seen.map(|file| (file.dev(), file.ino(), file.size(), file.mtime(), file.mtime_nsec()));
        Self { path: path.to_owned(), seen }
    }

    /// Whether the file is not what it was.
    pub fn is_outdated(&self) -> bool {
        Self::of(&self.path) != *self
    }
}
