use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use super::world::append;
use crate::{AppendError, Options, ReadError, Wal};

fn remove(folder: &Path) {
    fs::remove_dir_all(folder).unwrap();
}

fn move_away(folder: &Path) {
    fs::rename(folder, folder.with_added_extension("away")).unwrap();
}

/// As a second process would, in a folder of the same name.
fn replace(folder: &Path) {
    remove(folder);
    fs::create_dir(folder).unwrap();
    fs::write(folder.join("lock"), "").unwrap();
}

/// Scenario: the folder of a log is removed, moved or replaced while nobody appends.
/// Guarantees: the log has failed, as with a failed disk: the owner is told, nothing is acknowledged any more, and no cursor moves.
#[tokio::test]
async fn a_folder_that_is_gone() {
    for change in [remove, move_away, replace] {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("log");
        let wal = Wal::open(&folder, Options { segment_bytes: 1 << 16, ..Options::default() }).await.unwrap();
        let mut reader = wal.reader("a").await.unwrap();
        let seq = append(&wal, 0, 10).await.unwrap();
        change(&folder);
        let failed = tokio::time::timeout(Duration::from_secs(20), wal.failed()).await;
        assert_eq!(failed.unwrap().kind(), ErrorKind::NotFound);
        assert!(matches!(append(&wal, 1, 10).await, Err(AppendError::Failed(_))));
        assert_eq!(reader.next().await.unwrap().seq, seq);
        assert!(matches!(reader.next().await, Err(ReadError::Failed(_))));
        reader.commit(seq).await.unwrap_err();
        wal.close().await.unwrap_err();
    }
}
