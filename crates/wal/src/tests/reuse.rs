use super::world::{World, append, open, payload, read_all, settle, small};
use crate::Options;
use crate::files::crash::{CrashFiles, Loss, Op};

/// Scenario: a reader keeps up over many segments.
/// Guarantees: files are used again: none is made after the first few.
#[tokio::test]
async fn consumed_segments_are_used_again() {
    let files = CrashFiles::default();
    let wal = open(&files, &small());
    let mut reader = wal.reader("a").await.unwrap();
    for identity in 0..60 {
        if identity == 10 {
            files.fail_for_ever(Op::Create, "spare", std::io::ErrorKind::StorageFull);
        }
        let seq = append(&wal, identity, 200).await.unwrap();
        assert_eq!(reader.next().await.unwrap().payload, payload(identity, 200));
        reader.commit(seq).await.unwrap();
        settle(&wal).await;
    }
}

/// Scenario: in a file that is used again old records of the same length stand exactly where the next ones will; a client has sent a payload
/// that is itself a record with the right number.
/// Guarantees: neither is read, before or after a crash.
#[tokio::test]
async fn old_records_are_not_read() {
    for loss in [Loss::Nothing, Loss::Unsynced] {
        let mut world = World::new(Options { max_bytes: 8192, ..small() });
        world.open().unwrap();
        for _ in 0..20 {
            world.append(200).await.unwrap();
            world.read("a", 1).await.unwrap();
            world.commit("a").await.unwrap();
        }
        world.crash(loss);
        world.check().await;
        world.crash(loss);
        world.check().await;
    }
    let files = CrashFiles::default();
    let wal = open(&files, &small());
    let forged = crate::frame::Frame::new(0, crate::Seq::new(2), 0, 1, std::iter::once(&b"forged"[..]));
    let mut bytes = [&forged.to_bytes()[..], b"forged"].concat();
    bytes.resize(40, 0);
    wal.append(0, bytes::Bytes::from(bytes.repeat(10))).await.unwrap();
    wal.close().await.unwrap();
    // The beginning of the record is lost.
    files.alter(&super::world::segment(1), |bytes| bytes[64..84].fill(0));
    let wal = open(&files, &small());
    assert_eq!(wal.stats().quarantined_segments, 0, "it is no record");
    assert_eq!(read_all(&mut wal.reader("a").await.unwrap()).await.unwrap(), []);
}

/// Scenario: the machine crashes while a consumed segment becomes the next one.
/// Guarantees: the old name does not come back with the new header.
#[tokio::test]
async fn a_crash_while_a_segment_is_used_again() {
    for operations in 0..10 {
        for loss in [Loss::Nothing, Loss::Unsynced, Loss::Torn(operations)] {
            let mut world = World::new(small());
            world.open().unwrap();
            for _ in 0..3 {
                world.append(400).await.unwrap();
            }
            world.read("a", 2).await.unwrap();
            world.commit("a").await.unwrap();
            assert!(world.files.names().contains(&"spare".into()));
            world.files.crash_at(world.files.operations() + operations);
            let _ = world.append(600).await;
            world.crash(loss);
            world.check().await;
        }
    }
}
