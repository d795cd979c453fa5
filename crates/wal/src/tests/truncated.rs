use super::world::{append, open, payload, read_all, segment, small};
use crate::files::crash::CrashFiles;

/// Scenario: a file of a log of three segments was cut to any length, or is empty.
/// Guarantees: whole records before the cut and those of other segments are read in order; nothing is invented; no number is given twice;
/// the log works on.
#[tokio::test]
async fn any_length() {
    for first in [1, 4, 7] {
        for length in (0..1024).step_by(31).chain([64, 344, 624, 904]) {
            let files = CrashFiles::default();
            let wal = open(&files, &small());
            for identity in 0..8 {
                append(&wal, identity, 256).await.unwrap();
            }
            wal.close().await.unwrap();
            files.alter(&segment(first), |bytes| bytes.truncate(length));

            let wal = open(&files, &small());
            let mut reader = wal.reader("a").await.unwrap();
            let read = read_all(&mut reader).await.unwrap();
            let whole = length.saturating_sub(64) as u64 / 280;
            // Padding is not missed.
            let whole = whole + u64::from(length.saturating_sub(64) % 280 >= 276 + 4);
            let expected = (1..=8).filter(|seq| !(first + whole..first + 3).contains(seq));
            let expected = expected.map(|seq| (seq, payload(seq as u32 - 1, 256)));
            assert_eq!(read, expected.collect::<Vec<_>>(), "{first} {length}");
            let next = append(&wal, 8, 256).await.unwrap().get();
            assert!(next > 8 || (first == 7 && next >= first + whole), "{first} {length} {next}");
            assert_eq!(read_all(&mut reader).await.unwrap(), [(next, payload(8, 256))]);
        }
    }
}
