use std::io::ErrorKind;

use super::world::{append, dir, former_cursor, open, payload, read_all, small, try_open};
use crate::files::crash::{CrashFiles, Loss, Op};
use crate::record::Seq;
use crate::{CursorError, Wal};

async fn log_with_two_records(files: &CrashFiles) -> Wal {
    let wal = open(files, &small());
    append(&wal, 0, 20).await.unwrap();
    append(&wal, 1, 20).await.unwrap();
    wal
}

/// Scenario: the machine crashes in the write of a cursor's slot, or between that and its sync.
/// Guarantees: the cursor has its old or its new position.
#[tokio::test]
async fn a_crash_within_a_commit() {
    for (operations, loss, expected) in [
        (0, Loss::Unsynced, [0, 1].as_slice()),
        (0, Loss::Nothing, &[1]),
        (1, Loss::Unsynced, &[0, 1]),
        (1, Loss::Nothing, &[1]),
        (2, Loss::Unsynced, &[1]),
    ] {
        let files = CrashFiles::default();
        let wal = log_with_two_records(&files).await;
        let reader = wal.reader("a").await.unwrap();
        files.crash_at(files.operations() + operations);
        let committed = reader.commit(Seq::FIRST).await;
        assert_eq!(committed.is_ok(), operations == 2);
        files.crash();
        drop((reader, wal));
        files.reboot(loss);

        let wal = open(&files, &small());
        let read = read_all(&mut wal.reader("a").await.unwrap()).await.unwrap();
        let expected = expected.iter().map(|identity| (u64::from(*identity) + 1, payload(*identity, 20)));
        assert_eq!(read, expected.collect::<Vec<_>>(), "{operations} {loss:?}");
    }
}

/// Scenario: the machine crashes in each step of making a cursor's file, which is new or replaces one of the former format.
/// Guarantees: the cursor is there with its position, or was never there; the temporary file is gone after the next start.
#[tokio::test]
async fn a_crash_while_the_file_is_made() {
    for former in [false, true] {
        for operations in 0..7 {
            for loss in [Loss::Nothing, Loss::Unsynced, Loss::Torn(operations)] {
                let files = CrashFiles::default();
                let wal = log_with_two_records(&files).await;
                if former {
                    wal.close().await.unwrap();
                    files.alter(&dir().join("cursor-a"), |bytes| *bytes = former_cursor(2));
                    files.crash_at(files.operations() + operations);
                    drop(try_open(&files, &small()));
                } else {
                    files.crash_at(files.operations() + operations);
                    let _ = wal.reader("a").await;
                }
                files.crash();
                drop(wal);
                files.reboot(loss);

                let wal = open(&files, &small());
                let reader = wal.reader("a").await.unwrap();
                assert_eq!(reader.committer().next().get(), if former { 2 } else { 1 }, "{operations} {loss:?}");
                assert!(files.names().iter().all(|name| !name.ends_with("tmp")));
            }
        }
    }
}

/// Scenario: the process is killed, or its sync fails, when a position is written and not yet synced; the next process finds it in memory, and
/// the power fails in each step of its start and of its first commit.
/// Guarantees: what the first process had committed before stands; one slot is whole always.
#[tokio::test]
async fn a_position_that_was_in_memory_alone() {
    for fails in [false, true] {
        for operations in 0..10 {
            for seed in 0..8 {
                let files = CrashFiles::default();
                let wal = log_with_two_records(&files).await;
                append(&wal, 2, 20).await.unwrap();
                let reader = wal.reader("a").await.unwrap();
                reader.commit(Seq::FIRST).await.unwrap();
                if fails {
                    files.fail(Op::Sync, "cursor-a", 0, ErrorKind::Other);
                } else {
                    files.crash_at(files.operations() + 1);
                }
                reader.commit(Seq::new(2)).await.unwrap_err();
                files.crash();
                drop((reader, wal));
                files.reboot(Loss::Nothing);

                files.crash_at(files.operations() + operations);
                let mut surely = 2;
                if let Ok(wal) = try_open(&files, &small())
                    && let Ok(reader) = wal.reader("a").await
                {
                    // From here on it is as good as committed.
                    surely = reader.committer().next().get();
                    if reader.commit(Seq::new(3)).await.is_ok() {
                        surely = 4;
                    }
                }
                files.crash();
                files.reboot(Loss::Torn(seed));
                let wal = open(&files, &small());
                let next = wal.reader("a").await.unwrap().committer().next().get();
                assert!(next >= surely, "{next} after {surely}: {fails} {operations} {seed}");
            }
        }
    }
}

/// Scenario: the file of a cursor cannot be made, or written, once.
/// Guarantees: it fails and the old position holds; the next attempt succeeds; the log has not failed.
#[tokio::test]
async fn a_failed_commit_may_be_tried_again() {
    for op in [Op::Create, Op::Write, Op::Sync, Op::Rename] {
        let files = CrashFiles::default();
        let wal = log_with_two_records(&files).await;
        files.fail(op, "cursor-a.tmp", 0, ErrorKind::Other);
        assert!(matches!(wal.reader("a").await, Err(CursorError::Io(_))), "{op:?}");
        wal.reader("a").await.unwrap();
    }
    for op in [Op::Write, Op::Sync] {
        let files = CrashFiles::default();
        let wal = log_with_two_records(&files).await;
        let reader = wal.reader("a").await.unwrap();
        files.fail(op, "cursor-a", 0, ErrorKind::Other);
        assert!(matches!(reader.commit(Seq::FIRST).await, Err(CursorError::Io(_))), "{op:?}");
        assert_eq!(reader.committer().next(), Seq::FIRST);
        reader.commit(Seq::FIRST).await.unwrap();
        append(&wal, 2, 20).await.unwrap();
    }
}
