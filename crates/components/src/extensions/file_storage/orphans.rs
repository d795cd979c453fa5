//! Queues that nobody empties any more: their components are not in the configuration.

use std::io;
use std::path::{Path, PathBuf};

use spanmill_config::ComponentId;
use spanmill_pipeline::Layout;
use spanmill_wal::Wal;

use crate::storage::{CURSOR, LOG, Storage, blocking};

/// The kinds of components that have queues, as they begin the names of folders.
const KINDS: [&str; 2] = ["exporter", "processor"];

/// Warns of queues that hold requests and belong to nothing that runs.
pub(super) async fn warn(storage: &Storage, layout: &Layout) {
    for folder in find(storage, layout).await {
        let folder = folder.display();
        tracing::warn!(%folder, "a queue holds requests of a component that is not used any more: nothing sends them");
    }
}

async fn find(storage: &Storage, layout: &Layout) -> Vec<PathBuf> {
    let pipelines = layout.pipelines.iter().map(|(_, pipeline)| pipeline);
    let used: Vec<PathBuf> = pipelines
        .flat_map(|pipeline| {
            let of = |kind: &'static str, ids: &[ComponentId]| {
                ids.iter().map(|id| storage.folder(kind, id)).collect::<Vec<_>>()
            };
            [of("exporter", &pipeline.exporters), of("processor", &pipeline.processors)].concat()
        })
        .collect();
    let directory = storage.directory.clone();
    let mut found = blocking(move || folders(&directory)).await.unwrap_or_default();
    found.retain(|folder| !used.contains(folder));
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
    use std::sync::Arc;

    use spanmill_config::PipelineConfig;
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
        let pipeline = PipelineConfig { exporters: vec!["otlp/a".parse().unwrap()], ..PipelineConfig::default() };
        let layout = Layout { pipelines: vec![("traces".parse().unwrap(), pipeline)], ..Layout::default() };
        let layout = Arc::new(layout);
        for _ in 0..2 {
            assert_eq!(find(&storage, &layout).await, [directory.path().join("exporter_otlp_b")]);
        }
    }
}
