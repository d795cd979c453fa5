use bytes::Bytes;

use super::world::{append, open, payload, read_all, settle, small};
use crate::files::crash::CrashFiles;
use crate::{AppendError, Options, Seq};

/// Scenario: records longer than a segment come among small ones, up to the longest one.
/// Guarantees: they are taken, each in a segment of its own size, and read again, after a restart as well; a longer one is refused for good.
#[tokio::test]
async fn longer_than_a_segment() {
    let files = CrashFiles::default();
    let options = Options { max_record_bytes: 5004, max_bytes: 32 << 10, ..small() };
    let wal = open(&files, &options);
    let lengths = [4000, 10, 5000, 10, 900, 1000, 3000];
    for (identity, length) in (0..).zip(lengths) {
        append(&wal, identity, length).await.unwrap();
    }
    let error = append(&wal, 9, 5001).await.unwrap_err();
    assert!(matches!(error, AppendError::TooLarge { bytes: 5005, limit: 5004 }), "{error}");
    assert!(!error.is_retryable());
    wal.close().await.unwrap();
    // What was accepted is readable with a lower limit.
    let wal = open(&files, &Options { max_record_bytes: 100, ..options });
    let read = read_all(&mut wal.reader("a").await.unwrap()).await.unwrap();
    let expected = (0..).zip(lengths).map(|(identity, length)| (u64::from(identity) + 1, payload(identity, length)));
    assert_eq!(read, expected.collect::<Vec<_>>());
}

/// Scenario: a record of half the limit comes again and again while the reader keeps up.
/// Guarantees: the log is never full for good.
#[tokio::test]
async fn the_longest_record_always_fits() {
    let files = CrashFiles::default();
    let options = Options { max_bytes: 8192, ..small() };
    let wal = open(&files, &options);
    let reader = wal.reader("a").await.unwrap();
    let longest = wal.shared().limits.max_record_bytes as usize - 4;
    for identity in 0..5 {
        let seq = append(&wal, identity, longest).await.unwrap();
        reader.commit(seq).await.unwrap();
        settle(&wal).await;
    }
    assert_eq!(wal.next_seq(), Seq::new(6));
}

/// Scenario: payloads come in several slices, empty ones among them, and in none.
/// Guarantees: they are read as one.
#[tokio::test]
async fn several_slices() {
    let files = CrashFiles::default();
    let wal = open(&files, &small());
    let slices = ["he", "", "llo"].map(|text| Bytes::from_static(text.as_bytes()));
    wal.append(1, slices).await.unwrap();
    wal.append(2, Vec::new()).await.unwrap();
    let mut reader = wal.reader("a").await.unwrap();
    let record = reader.next().await.unwrap();
    assert_eq!((record.kind, &record.payload[..]), (1, &b"hello"[..]));
    let record = reader.next().await.unwrap();
    assert_eq!((record.kind, &record.payload[..]), (2, &b""[..]));
}
