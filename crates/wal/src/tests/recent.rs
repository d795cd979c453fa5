use std::time::Duration;

use bytes::Bytes;

use super::world::{World, append, open, payload, read_all, segment, settle, small};
use crate::files::crash::CrashFiles;
use crate::{Options, Seq};

fn remembering(recent_bytes: u64) -> Options {
    Options { recent_bytes, ..small() }
}

/// Scenario: a reader follows a log whose file is overwritten behind its back; a record is in several slices.
/// Guarantees: what was just written is not read back; once it was read, nothing holds its memory.
#[tokio::test]
async fn a_reader_that_keeps_up_needs_no_file() {
    let files = CrashFiles::default();
    let wal = open(&files, &remembering(1 << 20));
    let mut reader = wal.reader("a").await.unwrap();
    let first = payload(0, 100);
    wal.append(1, first.clone()).await.unwrap();
    wal.append(2, [Bytes::from_static(b"two "), Bytes::new(), Bytes::from_static(b"slices")]).await.unwrap();
    files.alter(&segment(1), |bytes| bytes.fill(0xff));

    let record = reader.next().await.unwrap();
    assert_eq!((record.seq, record.kind, &record.payload), (Seq::FIRST, 1, &first));
    drop(record);
    let record = reader.next().await.unwrap();
    assert_eq!((record.seq, record.kind, &record.payload[..]), (Seq::new(2), 2, &b"two slices"[..]));
    assert_eq!(reader.try_next().await.unwrap(), None);
    assert!(first.is_unique(), "the log still holds it");
}

/// Scenario: a reader falls behind by more than stays in memory, over several segments, and catches up.
/// Guarantees: it reads on in files where it stands, in memory where that begins, and in files again; each record once, in order.
#[tokio::test]
async fn a_reader_that_falls_behind_reads_files() {
    let files = CrashFiles::default();
    let wal = open(&files, &remembering(900));
    let mut reader = wal.reader("a").await.unwrap();
    let mut next = 0;
    for count in [1, 2, 9, 1, 1, 7, 2, 30, 1] {
        for identity in next..next + count {
            append(&wal, identity, 200).await.unwrap();
        }
        let expected = (next..next + count).map(|identity| (u64::from(identity) + 1, payload(identity, 200)));
        assert_eq!(read_all(&mut reader).await.unwrap(), expected.collect::<Vec<_>>());
        next += count;
    }
}

/// Scenario: two readers, a fast one and a slow one; the slow one goes.
/// Guarantees: both get everything; what is kept for the slow one is given up when nobody reads any more.
#[tokio::test]
async fn each_reader_gets_everything() {
    let files = CrashFiles::default();
    let wal = open(&files, &remembering(1 << 20));
    let mut fast = wal.reader("fast").await.unwrap();
    let mut slow = wal.reader("slow").await.unwrap();
    let kept = payload(0, 100);
    wal.append(7, kept.clone()).await.unwrap();
    assert_eq!(read_all(&mut fast).await.unwrap().len(), 1);
    append(&wal, 1, 100).await.unwrap();
    assert_eq!(read_all(&mut slow).await.unwrap().len(), 2);
    assert_eq!(read_all(&mut fast).await.unwrap().len(), 1);
    drop((slow, fast));
    assert!(kept.is_unique(), "the log still holds it");
}

/// Scenario: records grow too old while they are in memory.
/// Guarantees: they are dropped there as in files.
#[tokio::test]
async fn what_is_too_old_is_forgotten() {
    let options = Options { max_age: Some(Duration::from_secs(60)), ..remembering(1 << 20) };
    let mut world = World::new(options);
    world.open().unwrap();
    let wal = world.wal().clone();
    let mut reader = wal.reader("a").await.unwrap();
    append(&wal, 0, 400).await.unwrap();
    world.clock.advance(Duration::from_secs(65));
    settle(&wal).await;
    append(&wal, 1, 400).await.unwrap();
    assert_eq!(read_all(&mut reader).await.unwrap(), [(2, payload(1, 400))]);
}
