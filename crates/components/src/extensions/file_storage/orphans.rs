//! Queues that nobody empties any more: their components are not in the configuration.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use spanmill_wal::Wal;

use crate::storage::{CURSOR, LOG, Storage, blocking};

/// The kinds of components that have queues, as they begin the names of folders.
const KINDS: [&str; 2] = ["exporter", "processor"];

/// The folders that nobody uses and that were looked at: nothing comes into them any more.
#[derive(Debug, Default)]
pub(super) struct Orphans(Mutex<Vec<Orphan>>);

#[derive(Debug, Clone)]
struct Orphan {
    folder: PathBuf,
    #[cfg_attr(not(test), expect(dead_code, reason = "tests ask what was told"))]
    holds_requests: bool,
}

// === impl Orphans ===

impl Orphans {
    /// Warns of queues that hold requests and whose folders nobody uses, of each once.
    pub(super) async fn warn(&self, storage: &Storage, is_used: impl Fn(&str) -> bool) {
        let directory = storage.directory.clone();
        let mut found = blocking(move || folders(&directory)).await.unwrap_or_default();
        found.retain(|folder| !folder.file_name().and_then(|name| name.to_str()).is_some_and(&is_used));
        let mut known = self.known();
        known.retain(|orphan| found.contains(&orphan.folder));
        for folder in found {
            if known.iter().any(|orphan| orphan.folder == folder) {
                continue;
            }
            let Some(holds_requests) = holds_requests(&folder, storage).await else { continue };
            if holds_requests {
                let what = "a queue holds requests of a component that is not used any more: nothing sends them";
                tracing::warn!(folder = %folder.display(), "{what}");
            }
            known.push(Orphan { folder, holds_requests });
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }

    fn known(&self) -> Vec<Orphan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    #[cfg(test)]
    pub(super) fn told(&self) -> Vec<PathBuf> {
        self.known().into_iter().filter(|orphan| orphan.holds_requests).map(|orphan| orphan.folder).collect()
    }
}

/// The folders of queues.
fn folders(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let kind = name.to_str().and_then(|name| name.split('_').next());
        if kind.is_some_and(|kind| KINDS.contains(&kind)) && entry.path().join(LOG).is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
}

/// Whether something is in a queue. One that another process has open is its own affair; one that is still being closed is looked at later.
async fn holds_requests(folder: &Path, storage: &Storage) -> Option<bool> {
    let wal = Wal::open(folder.join(LOG), storage.options.clone()).await.ok()?;
    let holds = match wal.reader(CURSOR).await {
        Ok(mut reader) => reader.try_next().await.is_ok_and(|record| record.is_some()),
        Err(_) => false,
    };
    // Nothing was written.
    let _ = wal.close().await;
    Some(holds)
}

#[cfg(test)]
mod tests {
    use spanmill_wal::Options;

    use super::*;

    /// Scenario: queues of a component that runs, of one that is gone, of one that is gone and has sent everything, and other folders.
    /// Guarantees: the second alone is told of, and stays as it is, until it is used; one that is open is told of once it is closed.
    #[tokio::test]
    async fn queues_without_owner() {
        let directory = tempfile::tempdir().unwrap();
        let storage =
            Storage { directory: directory.path().into(), options: Options::default(), max_dead_letter_bytes: 0 };
        for (name, requests) in [("exporter_otlp_a", 1), ("exporter_otlp_b", 2), ("exporter_otlp_c", 0), ("other", 1)] {
            let wal = Wal::open(directory.path().join(name).join(LOG), Options::default()).await.unwrap();
            for _ in 0..requests {
                wal.append(0, bytes::Bytes::from_static(b"a")).await.unwrap();
            }
            drop(wal.reader(CURSOR).await.unwrap());
            wal.close().await.unwrap();
        }
        std::fs::create_dir(directory.path().join("exporter_none")).unwrap();
        let orphans = Orphans::default();
        let b = directory.path().join("exporter_otlp_b");
        for _ in 0..2 {
            orphans.warn(&storage, |folder| folder == "exporter_otlp_a").await;
            assert_eq!(orphans.told(), std::slice::from_ref(&b));
        }
        // One that is used again, and then not, is told of again.
        orphans.warn(&storage, |_| true).await;
        assert!(orphans.told().is_empty());
        let held = Wal::open(b.join(LOG), Options::default()).await.unwrap();
        orphans.warn(&storage, |folder| folder == "exporter_otlp_a").await;
        assert!(orphans.told().is_empty());
        held.close().await.unwrap();
        orphans.warn(&storage, |folder| folder == "exporter_otlp_a").await;
        assert_eq!(orphans.told(), [b]);
    }
}
