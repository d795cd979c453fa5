use super::world::{append, open, payload, read_all, segment, small, unsynced};
use crate::files::crash::CrashFiles;
use crate::frame;

/// Scenario: the last record was written by half when the machine went down.
/// Guarantees: the records before it are there; the bytes lost are counted; its number is not given again; the log works on.
#[tokio::test]
async fn half_a_record_is_cut_off() {
    let files = CrashFiles::default();
    let wal = open(&files, &small());
    let mut ends = vec![crate::segment::HEADER_BYTES];
    for identity in 0..3 {
        append(&wal, identity, 100).await.unwrap();
        ends.push(ends.last().unwrap() + frame::size(104));
    }
    wal.close().await.unwrap();
    files.alter(&segment(1), |bytes| bytes[ends[2] as usize + 50..].fill(0));

    let wal = open(&files, &small());
    assert_eq!(wal.stats().lost_bytes, 50);
    assert_eq!(wal.stats().quarantined_segments, 0);
    let seq = append(&wal, 3, 10).await.unwrap();
    assert!(seq.get() > 3);
    let read = read_all(&mut wal.reader("a").await.unwrap()).await.unwrap();
    assert_eq!(read, [(1, payload(0, 100)), (2, payload(1, 100)), (seq.get(), payload(3, 10))]);
}

/// Scenario: of a group of three records that was not acknowledged, the first did not reach the disk, the others did.
/// Guarantees: none of them is read, then or after new records were written over the same place.
#[tokio::test]
async fn the_rest_of_a_group_does_not_come_back() {
    let files = CrashFiles::default();
    let wal = open(&files, &small());
    for identity in 0..4 {
        append(&wal, identity, 50).await.unwrap();
    }
    wal.close().await.unwrap();
    let record = frame::size(54) as usize;
    let first = crate::segment::HEADER_BYTES as usize + record;
    files.alter(&segment(1), |bytes| {
        unsynced(bytes, first + record);
        unsynced(bytes, first + 2 * record);
        bytes[first..][..record].fill(0);
    });

    let wal = open(&files, &small());
    assert_eq!(wal.stats().quarantined_segments, 0, "a crash is no damage");
    append(&wal, 4, 50).await.unwrap();
    let mut reader = wal.reader("a").await.unwrap();
    let read = read_all(&mut reader).await.unwrap();
    assert_eq!(read.iter().map(|(_, payload)| payload.clone()).collect::<Vec<_>>(), [payload(0, 50), payload(4, 50)]);
    assert!(read[1].0 > 4, "numbers are not given twice");
}

/// Scenario: the last record, which a cursor had committed, is gone without a trace.
/// Guarantees: its number is not given again: the cursor would leave the new record out.
#[tokio::test]
async fn a_cursor_knows_of_more_than_the_log() {
    let files = CrashFiles::default();
    let wal = open(&files, &small());
    append(&wal, 0, 50).await.unwrap();
    let seq = append(&wal, 1, 50).await.unwrap();
    wal.reader("a").await.unwrap().commit(seq).await.unwrap();
    wal.close().await.unwrap();
    let first = crate::segment::HEADER_BYTES + frame::size(54);
    files.alter(&segment(1), |bytes| bytes[first as usize..].fill(0));

    let wal = open(&files, &small());
    let next = append(&wal, 2, 50).await.unwrap();
    assert!(next > seq);
    let read = read_all(&mut wal.reader("a").await.unwrap()).await.unwrap();
    assert_eq!(read, [(next.get(), payload(2, 50))]);
}
