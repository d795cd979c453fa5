use std::io::ErrorKind;
use std::time::Duration;

use super::world::{World, append, open, payload, read_all, small};
use crate::AppendError;
use crate::files::crash::{CrashFiles, Loss, Op};

/// Scenario: a write of records fails.
/// Guarantees: the log has failed; the record may not come back as if nothing had been, and what was acknowledged is there.
#[tokio::test]
async fn a_failed_write_ends_the_log() {
    let files = CrashFiles::default();
    let wal = open(&files, &small());
    append(&wal, 0, 20).await.unwrap();
    files.fail(Op::Write, "", 0, ErrorKind::Other);
    assert!(matches!(append(&wal, 1, 20).await, Err(AppendError::Failed(_))));
    assert!(matches!(append(&wal, 2, 20).await, Err(AppendError::Failed(_))));
    drop(wal);
    files.reboot(Loss::Nothing);
    let wal = open(&files, &small());
    let read = read_all(&mut wal.reader("a").await.unwrap()).await.unwrap();
    assert_eq!(read, [(1, payload(0, 20))]);
}

/// Scenario: the disk is full when the next segment is needed, and has room again later.
/// Guarantees: appends fail with an error that says to try again; the log has not failed; when there is room, it goes on. A full disk
/// is not filled over and over: within a second the answer is given without trying.
#[tokio::test]
async fn a_full_disk_is_back_pressure() {
    for op in [Op::Create, Op::Rename] {
        let mut world = World::new(small());
        world.open().unwrap();
        world.files.fail_for_ever(op, "spare.tmp", ErrorKind::StorageFull);
        world.append(300).await.unwrap();
        world.append(300).await.unwrap();
        let error = append(world.wal(), 99, 600).await.unwrap_err();
        let is_full = matches!(&error, AppendError::NoSegment(failure) if failure.kind() == ErrorKind::StorageFull);
        assert!(is_full && error.is_retryable(), "{error}");
        let operations = world.files.operations();
        append(world.wal(), 99, 600).await.unwrap_err();
        assert_eq!(world.files.operations(), operations);
        assert!(!world.files.names().contains(&"spare.tmp".into()), "what was begun is removed");

        world.append(30).await.unwrap();
        world.files.heal();
        world.clock.advance(Duration::from_secs(2));
        world.append(600).await.unwrap();
        world.read("a", 10).await.unwrap();
    }
}
