use super::world::{append, open, payload, read_all, segment, settle, small};
use crate::files::crash::CrashFiles;
use crate::segment::HEADER_BYTES;
use crate::{Options, Wal};

/// Three records to a segment.
async fn write(wal: &Wal, identities: std::ops::Range<u32>) {
    for identity in identities {
        append(wal, identity, 256).await.unwrap();
    }
}

fn identities(read: &[(u64, bytes::Bytes)]) -> Vec<u32> {
    (0..100).filter(|identity| read.iter().any(|(_, read)| *read == payload(*identity, 256))).collect()
}

const RECORD: usize = 280;

/// Scenario: a byte of the second record of a finished segment has changed when a reader comes to it.
/// Guarantees: all records but that one are given; the segment is set aside and kept, counted with the record lost; other readers go the same way;
/// a restart finds the same.
#[tokio::test]
async fn a_reader_finds_damage_in_a_finished_segment() {
    let files = CrashFiles::default();
    let wal = open(&files, &small());
    write(&wal, 0..8).await;
    files.alter(&segment(1), |bytes| bytes[HEADER_BYTES as usize + RECORD + 100] ^= 1);

    let mut first = wal.reader("a").await.unwrap();
    let mut second = wal.reader("b").await.unwrap();
    assert_eq!(identities(&read_all(&mut first).await.unwrap()), [0, 2, 3, 4, 5, 6, 7]);
    assert_eq!(identities(&read_all(&mut second).await.unwrap()), [0, 2, 3, 4, 5, 6, 7]);
    let stats = wal.stats();
    assert_eq!((stats.quarantined_segments, stats.lost_records, stats.lost_bytes), (1, 1, RECORD as u64));
    assert!(files.names().contains(&"00000000000000000001.damaged".into()));

    wal.close().await.unwrap();
    drop((first, second, wal));
    let wal = open(&files, &small());
    let mut first = wal.reader("a").await.unwrap();
    assert_eq!(identities(&read_all(&mut first).await.unwrap()), [0, 2, 3, 4, 5, 6, 7]);
    first.commit(crate::Seq::new(8)).await.unwrap();
    wal.remove_cursor("b").await.unwrap();
    settle(&wal).await;
    assert!(files.names().contains(&"00000000000000000001.damaged".into()), "it is kept for inspection");
    assert!(!files.names().contains(&"00000000000000000004.wal".into()));
}

/// Scenario: a record of the last segment has changed while the log was closed; good ones follow that were acknowledged later.
/// Guarantees: the segment is set aside, and the other records are given; new records have new numbers.
#[tokio::test]
async fn damage_in_the_last_segment() {
    let files = CrashFiles::default();
    let wal = open(&files, &small());
    write(&wal, 0..3).await;
    wal.close().await.unwrap();
    files.alter(&segment(1), |bytes| bytes[HEADER_BYTES as usize + RECORD + 4] ^= 1);

    let wal = open(&files, &small());
    assert_eq!(wal.stats().quarantined_segments, 1);
    let mut reader = wal.reader("a").await.unwrap();
    assert_eq!(identities(&read_all(&mut reader).await.unwrap()), [0, 2]);
    assert!(append(&wal, 3, 256).await.unwrap().get() > 3);
    assert_eq!(identities(&read_all(&mut reader).await.unwrap()), [3]);
}

/// Scenario: a page of zeros stands where records of the last segment were; good ones follow.
/// Guarantees: it is damage, not the end of the log; the good ones are given.
#[tokio::test]
async fn a_lost_page_is_not_the_end() {
    let files = CrashFiles::default();
    let wal = open(&files, &small());
    write(&wal, 0..3).await;
    wal.close().await.unwrap();
    files.alter(&segment(1), |bytes| bytes[HEADER_BYTES as usize..][..RECORD].fill(0));
    let wal = open(&files, &small());
    assert_eq!((wal.stats().quarantined_segments, wal.stats().lost_records), (1, 1));
    let mut reader = wal.reader("a").await.unwrap();
    assert_eq!(identities(&read_all(&mut reader).await.unwrap()), [1, 2]);
    assert!(append(&wal, 3, 256).await.unwrap().get() > 3);
}

/// Scenario: a reader finds damage in the segment that is being written, and the log is full.
/// Guarantees: the writer goes on with another segment; the reader goes on behind the damage.
#[tokio::test]
async fn damage_in_the_segment_being_written() {
    let files = CrashFiles::default();
    let options = Options { max_bytes: 4096, ..small() };
    let wal = open(&files, &options);
    let mut reader = wal.reader("a").await.unwrap();
    write(&wal, 0..11).await;
    append(&wal, 11, 256).await.unwrap();
    append(&wal, 12, 256).await.unwrap_err();
    files.alter(&segment(10), |bytes| bytes[HEADER_BYTES as usize + 30] ^= 1);
    assert_eq!(identities(&read_all(&mut reader).await.unwrap()), [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11]);
    append(&wal, 12, 256).await.unwrap();
    assert_eq!(identities(&read_all(&mut reader).await.unwrap()), [12]);
    assert_eq!(wal.stats().lost_records, 1);
}

/// Scenario: the header of a segment in the middle has changed while the log was closed.
/// Guarantees: that segment is set aside; those before and behind are read.
#[tokio::test]
async fn a_damaged_header() {
    for (first, expected) in [(1, &[3, 4, 5, 6, 7][..]), (4, &[0, 1, 2, 6, 7]), (7, &[0, 1, 2, 3, 4, 5])] {
        let files = CrashFiles::default();
        let wal = open(&files, &small());
        write(&wal, 0..8).await;
        wal.close().await.unwrap();
        files.alter(&segment(first), |bytes| bytes[20] ^= 1);
        let wal = open(&files, &small());
        let mut reader = wal.reader("a").await.unwrap();
        assert_eq!(identities(&read_all(&mut reader).await.unwrap()), expected, "{first}");
        // Where the last one ended is not known.
        let lost = if first == 7 { 0 } else { 3 };
        assert_eq!((wal.stats().quarantined_segments, wal.stats().lost_records), (1, lost));
        assert!(append(&wal, 8, 256).await.unwrap().get() > 8);
        assert_eq!(identities(&read_all(&mut reader).await.unwrap()), [8]);
    }
}
