use proptest::prelude::*;

use super::world::{append, dir, former_cursor, open, payload, read_all, segment, small};
use crate::Wal;
use crate::files::crash::CrashFiles;
use crate::segment::Header;

/// Bytes that are no segment, or are one by their header, or a good one that was changed.
#[derive(Debug, Clone)]
enum Bytes {
    Arbitrary(Vec<u8>),
    Headed(Vec<u8>),
    Changed(Vec<(usize, u8)>, usize),
    Moved(usize, usize, usize),
}

fn bytes() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..2000).prop_map(Bytes::Arbitrary),
        prop::collection::vec(prop_oneof![any::<u8>(), Just(0), Just(1), Just(255)], 0..2000).prop_map(Bytes::Headed),
        (prop::collection::vec((0..1024_usize, any::<u8>()), 1..8), 0..1100_usize)
            .prop_map(|(changes, length)| Bytes::Changed(changes, length)),
        (64..1024_usize, 64..1024_usize, 0..400_usize).prop_map(|(from, to, length)| Bytes::Moved(from, to, length)),
    ]
}

/// Bytes that are no cursor, or one of two slots of which either may be good.
fn cursor() -> impl Strategy<Value = Vec<u8>> {
    let arbitrary = || prop::collection::vec(any::<u8>(), 0..30);
    let slot =
        move || prop_oneof![arbitrary(), (0..12_u64).prop_map(former_cursor), Just(former_cursor(u64::MAX - 1000))];
    prop_oneof![
        arbitrary(),
        (slot(), slot(), 4096..8300_usize).prop_map(|(mut first, second, length)| {
            first.resize(4096, 0);
            first.extend(second);
            first.resize(length, 0);
            first
        }),
    ]
}

fn apply(change: &Bytes, first: u64, file: &mut Vec<u8>) {
    match change {
        Bytes::Arbitrary(bytes) => file.clone_from(bytes),
        Bytes::Headed(bytes) => {
            let mut header = Header::new(crate::Seq::new(first), crate::Seq::new(first), Default::default(), false);
            header.salt = 0;
            *file = [header.to_bytes(), bytes.clone()].concat();
        }
        Bytes::Changed(changes, length) => {
            for (place, byte) in changes {
                if let Some(at) = file.get_mut(*place) {
                    *at ^= byte;
                }
            }
            file.truncate(*length);
        }
        Bytes::Moved(from, to, length) => {
            let until = (from + length).min(file.len());
            let moved = file.get(*from..until).unwrap_or_default().to_vec();
            for (at, byte) in file.iter_mut().skip(*to).zip(moved) {
                *at = byte;
            }
        }
    }
}

async fn use_it(wal: &Wal) {
    let mut reader = wal.reader("a").await.unwrap();
    let read = read_all(&mut reader).await.unwrap();
    assert!(read.iter().all(|(_, payload)| payload.len() <= 2000));
    assert!(read.is_sorted_by(|(first, _), (second, _)| first < second));
    let seq = append(wal, 77, 100).await.unwrap();
    assert_eq!(read_all(&mut reader).await.unwrap(), [(seq.get(), payload(77, 100))]);
    reader.commit(seq).await.unwrap();
}

async fn run(changes: &[(u64, Bytes)], cursor: &[u8], while_open: bool) {
    let files = CrashFiles::default();
    let wal = open(&files, &small());
    for identity in 0..8 {
        append(&wal, identity, 256).await.unwrap();
    }
    if !while_open {
        wal.close().await.unwrap();
        files.alter(&dir().join("cursor-b"), |bytes| *bytes = cursor.to_vec());
    }
    for (first, change) in changes {
        if !while_open || *first < 7 {
            files.alter(&segment(*first), |file| apply(change, *first, file));
        }
    }
    if while_open {
        use_it(&wal).await;
        wal.close().await.unwrap();
    }
    use_it(&open(&files, &small())).await;
    use_it(&open(&files, &small())).await;
}

proptest! {
    /// Scenario: segment and cursor files hold arbitrary bytes, or good ones that were changed, cut or moved, when the log is opened or while
    /// it is read.
    /// Guarantees: no panic, and no more memory than the files have bytes; numbers rise; new records are taken and read.
    #[test]
    fn any_bytes(
        changes in prop::collection::vec((prop_oneof![Just(1_u64), Just(4), Just(7), Just(9), 0..u64::MAX], bytes()), 1..4),
        cursor in cursor(),
        while_open: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(&changes, &cursor, while_open));
    }
}

/// Scenario: a record says it is a gigabyte long, in a file of a kilobyte.
/// Guarantees: it is damage, and nothing is allocated for it.
#[tokio::test]
async fn a_long_length() {
    let files = CrashFiles::default();
    let wal = open(&files, &small());
    append(&wal, 0, 100).await.unwrap();
    wal.close().await.unwrap();
    files.alter(&segment(1), |bytes| bytes[64..68].copy_from_slice(&(1_u32 << 30).to_le_bytes()));
    use_it(&open(&files, &small())).await;
}
