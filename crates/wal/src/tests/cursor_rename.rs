use std::io::ErrorKind;

use super::world::{append, open, payload, read_all, small};
use crate::files::crash::{CrashFiles, Loss, Op};
use crate::record::Seq;
use crate::{CursorError, Wal};

async fn log_with_two_records(files: &CrashFiles) -> Wal {
    let wal = open(files, &small());
    append(&wal, 0, 20).await.unwrap();
    append(&wal, 1, 20).await.unwrap();
    wal
}

/// Scenario: the machine crashes between the write of a cursor's new file and its renaming, or between that and the sync of the
/// directory.
/// Guarantees: the cursor has its old or its new position; the temporary file is gone after the next start.
#[tokio::test]
async fn a_crash_within_a_commit() {
    for (operations, loss, expected) in [
        (2, Loss::Nothing, [0, 1].as_slice()),
        (3, Loss::Unsynced, &[0, 1]),
        (3, Loss::Nothing, &[1]),
        (4, Loss::Unsynced, &[0, 1]),
        (4, Loss::Nothing, &[1]),
        (5, Loss::Unsynced, &[1]),
    ] {
        let files = CrashFiles::default();
        let wal = log_with_two_records(&files).await;
        let reader = wal.reader("a").await.unwrap();
        files.crash_at(files.operations() + operations);
        let committed = reader.commit(Seq::FIRST).await;
        assert_eq!(committed.is_ok(), operations == 5);
        files.crash();
        drop((reader, wal));
        files.reboot(loss);

        let wal = open(&files, &small());
        let read = read_all(&mut wal.reader("a").await.unwrap()).await.unwrap();
        let expected = expected.iter().map(|identity| (u64::from(*identity) + 1, payload(*identity, 20)));
        assert_eq!(read, expected.collect::<Vec<_>>(), "{operations} {loss:?}");
        assert!(files.names().iter().all(|name| !name.ends_with("tmp")));
    }
}

/// Scenario: the file of a cursor cannot be written once.
/// Guarantees: the commit fails and the old position holds; the next attempt succeeds; the log has not failed.
#[tokio::test]
async fn a_failed_commit_may_be_tried_again() {
    for op in [Op::Create, Op::Write, Op::Sync, Op::Rename] {
        let files = CrashFiles::default();
        let wal = log_with_two_records(&files).await;
        let reader = wal.reader("a").await.unwrap();
        files.fail(op, "cursor-a.tmp", 0, ErrorKind::Other);
        assert!(matches!(reader.commit(Seq::FIRST).await, Err(CursorError::Io(_))), "{op:?}");
        assert_eq!(reader.committer().next(), Seq::FIRST);
        reader.commit(Seq::FIRST).await.unwrap();
        append(&wal, 2, 20).await.unwrap();
    }
}
