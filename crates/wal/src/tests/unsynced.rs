use std::time::Duration;

use super::world::{append, open, payload, read_all, small};
use crate::files::crash::{CrashFiles, Loss};
use crate::record::Seq;
use crate::{Fsync, Options};

async fn after(fsync: Fsync, loss: Loss) -> (Vec<u32>, Seq) {
    let options = Options { fsync, ..small() };
    let files = CrashFiles::default();
    let wal = open(&files, &options);
    let mut reader = wal.reader("a").await.unwrap();
    for identity in 0..3 {
        append(&wal, identity, 20).await.unwrap();
    }
    assert_eq!(read_all(&mut reader).await.unwrap().len(), 3, "acknowledged records are seen");
    files.crash();
    drop((reader, wal));
    files.reboot(loss);

    let wal = open(&files, &options);
    let mut reader = wal.reader("a").await.unwrap();
    let read = read_all(&mut reader).await.unwrap();
    let identities = (0..3).filter(|identity| read.iter().any(|(_, read)| *read == payload(*identity, 20)));
    let seq = append(&wal, 3, 20).await.unwrap();
    assert_eq!(read_all(&mut reader).await.unwrap(), [(seq.get(), payload(3, 20))]);
    (identities.collect(), seq)
}

/// Scenario: with each policy records are acknowledged; then the process is killed.
/// Guarantees: they survive.
#[tokio::test]
async fn a_killed_process_loses_nothing() {
    for fsync in [Fsync::Always, Fsync::Interval(Duration::from_secs(3600)), Fsync::Never] {
        assert_eq!(after(fsync, Loss::Nothing).await.0, [0, 1, 2], "{fsync:?}");
    }
}

/// Scenario: with each policy records are acknowledged; then the power fails.
/// Guarantees: with `always` they survive; with the others they are gone, but no number that somebody may have seen is given again.
#[tokio::test]
async fn a_power_loss_takes_what_was_not_synced() {
    assert_eq!(after(Fsync::Always, Loss::Unsynced).await.0, [0, 1, 2]);
    for fsync in [Fsync::Interval(Duration::from_secs(3600)), Fsync::Never] {
        let (survived, next) = after(fsync, Loss::Unsynced).await;
        assert_eq!(survived, [0; 0], "{fsync:?}");
        assert!(next > Seq::new(3), "{fsync:?} gives {next} again");
    }
}

/// Scenario: a record is acknowledged with a short interval, and the log is left alone.
/// Guarantees: it is forced to the disk without another append.
#[tokio::test]
async fn the_interval_needs_no_traffic() {
    let options = Options { fsync: Fsync::Interval(Duration::from_millis(5)), ..small() };
    let files = CrashFiles::default();
    let wal = open(&files, &options);
    append(&wal, 0, 20).await.unwrap();
    while wal.stats().fsyncs == 0 {
        tokio::task::yield_now().await;
    }
    files.crash();
    drop(wal);
    files.reboot(Loss::Unsynced);
    let wal = open(&files, &options);
    let read = read_all(&mut wal.reader("a").await.unwrap()).await.unwrap();
    assert_eq!(read, [(1, payload(0, 20))]);
}
