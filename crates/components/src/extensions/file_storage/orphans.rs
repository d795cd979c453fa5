//! Queues that nobody empties any more: their components are not in the configuration.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use spanmill_wal::Wal;

use crate::storage::{CURSOR, LOG, Storage, blocking};

/// The kinds of components that have queues, as they begin the names of folders.
const KINDS: [&str; 2] = ["exporter", "processor"];

/// The folders that were told of.
#[derive(Debug, Default)]
pub(super) struct Orphans(Mutex<Vec<PathBuf>>);

// === impl Orphans ===

impl Orphans {
    /// Warns of queues that hold requests and whose folders nobody uses, of each once.
    pub(super) async fn warn(&self, storage: &Storage, is_used: impl Fn(&str) -> bool) {
        let found = find(storage, is_used).await;
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for folder in found.iter().filter(|folder| !told.contains(folder)) {
            let folder = folder.display();
            let what = "a queue holds requests of a component that is not used any more: nothing sends them";
            tracing::warn!(%folder, "{what}");
        }
        *told = found;
    }

    #[cfg(test)]
    pub(super) fn told(&self) -> Vec<PathBuf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn find(storage: &Storage, is_used: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let directory = storage.directory.clone();
    let mut found = blocking(move || folders(&directory)).await.unwrap_or_default();
    found.retain(|folder| !folder.file_name().and_then(|name| name.to_str()).is_some_and(&is_used));
    let mut orphans = Vec::new();
    for folder in found {
        if holds_requests(&folder, storage).await {
            orphans.push(folder);
        }
    }
    orphans
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

/// Whether something is in a queue. One that another process has open is its own affair.
async fn holds_requests(folder: &Path, storage: &Storage) -> bool {
    let Ok(wal) = Wal::open(folder.join(LOG), storage.options.clone()).await else { return false };
    let holds = match wal.reader(CURSOR).await {
        Ok(mut reader) => reader.try_next().await.is_ok_and(|record| record.is_some()),
        Err(_) => false,
    };
    // Nothing was written.
    let _ = wal.close().await;
    holds
}

#[cfg(test)]
mod tests {
    use spanmill_wal::Options;

    use super::*;

    /// Scenario: queues of a component that runs, of one that is gone, of one that is gone and has sent everything, and other folders.
    /// Guarantees: the second alone is told of, and stays as it is.
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
        for _ in 0..2 {
            assert_eq!(
                find(&storage, |folder| folder == "exporter_otlp_a").await,
                [directory.path().join("exporter_otlp_b")]
            );
        }
    }
}
