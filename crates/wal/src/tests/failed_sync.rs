use std::io::ErrorKind;

use super::world::{append, open, payload, read_all, small};
use crate::files::crash::{CrashFiles, Loss, Op};
use crate::{AppendError, ReadError};

/// Scenario: a sync of records fails once; the disk is well again afterwards. The kernel has forgotten what it could not write.
/// Guarantees: the record is not acknowledged nor seen by readers; every later append fails with the same failure, and no other sync
/// is tried; the owner is told; what was acknowledged before is there after a restart.
#[tokio::test]
async fn a_failed_sync_ends_the_log() {
    let files = CrashFiles::default();
    let wal = open(&files, &small());
    append(&wal, 0, 20).await.unwrap();
    let mut reader = wal.reader("a").await.unwrap();

    files.fail(Op::Sync, "", 0, ErrorKind::StorageFull);
    let error = append(&wal, 1, 20).await.unwrap_err();
    assert!(matches!(&error, AppendError::Failed(failure) if failure.kind() == ErrorKind::StorageFull), "{error}");
    assert!(!error.is_retryable());
    assert_eq!(wal.failed().await.kind(), ErrorKind::StorageFull);

    let operations = files.operations();
    assert!(matches!(append(&wal, 2, 20).await, Err(AppendError::Failed(_))));
    assert_eq!(reader.next().await.unwrap().payload, payload(0, 20));
    assert!(matches!(reader.next().await, Err(ReadError::Failed(_))));
    wal.close().await.unwrap_err();
    assert_eq!(files.operations(), operations, "nothing was tried again");

    drop((reader, wal));
    files.reboot(Loss::Unsynced);
    let wal = open(&files, &small());
    let read = read_all(&mut wal.reader("a").await.unwrap()).await.unwrap();
    assert_eq!(read, [(1, payload(0, 20))]);
}

/// Scenario: the directory cannot be synced after a new segment was begun.
/// Guarantees: the log has failed: what would be written to that segment might be lost with its name.
#[tokio::test]
async fn a_segment_without_a_durable_name_is_not_written() {
    let files = CrashFiles::default();
    let wal = open(&files, &small());
    files.fail_for_ever(Op::SyncDir, "log", ErrorKind::Other);
    append(&wal, 0, 600).await.unwrap();
    assert!(matches!(append(&wal, 1, 600).await, Err(AppendError::Failed(_))));
    drop(wal);
    files.reboot(Loss::Unsynced);
    let wal = open(&files, &small());
    let read = read_all(&mut wal.reader("a").await.unwrap()).await.unwrap();
    assert_eq!(read, [(1, payload(0, 600))]);
}
