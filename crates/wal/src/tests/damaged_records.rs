use super::world::{append, open, payload, read_all, segment, small, try_open, unsynced};
use crate::files::crash::{CrashFiles, Loss};
use crate::frame::{Frame, SYNCED_BEFORE};
use crate::segment::HEADER_BYTES;
use crate::{Options, Seq, Wal};

/// What a record of 256 bytes takes: three fit into a small segment.
const RECORD: usize = 280;
const FIRST: usize = HEADER_BYTES as usize;

async fn write(files: &CrashFiles, options: &Options, count: u32) -> Wal {
    let wal = open(files, options);
    for identity in 0..count {
        append(&wal, identity, 256).await.unwrap();
    }
    wal
}

fn expected(identities: impl Iterator<Item = u32>) -> Vec<(u64, bytes::Bytes)> {
    identities.map(|identity| (u64::from(identity) + 1, payload(identity, 256))).collect()
}

/// Scenario: any one bit of a finished segment has changed when a reader comes to it.
/// Guarantees: the record that it is of is lost, and counted with its bytes; every other one is read, then and after a restart; the segment
/// is kept.
#[tokio::test]
async fn a_bit_of_a_finished_segment() {
    for place in (0..3 * RECORD).step_by(7) {
        let files = CrashFiles::default();
        let wal = write(&files, &small(), 8).await;
        files.alter(&segment(1), |bytes| bytes[FIRST + place] ^= 1 << (place % 8));
        let lost = (place / RECORD) as u32;
        let expected = expected((0..8).filter(|identity| *identity != lost));
        let mut reader = wal.reader("a").await.unwrap();
        assert_eq!(read_all(&mut reader).await.unwrap(), expected, "{place}");
        let stats = wal.stats();
        assert_eq!((stats.quarantined_segments, stats.lost_records), (1, 1), "{place}");
        assert!((1..=RECORD as u64).contains(&stats.lost_bytes), "{place}: {}", stats.lost_bytes);
        wal.close().await.unwrap();
        drop((reader, wal));

        let wal = open(&files, &small());
        let mut reader = wal.reader("a").await.unwrap();
        assert_eq!(read_all(&mut reader).await.unwrap(), expected, "{place}");
        reader.commit(Seq::new(8)).await.unwrap();
        assert!(files.names().contains(&"00000000000000000001.damaged".into()));
    }
}

/// Scenario: any one bit of the last segment has changed while the log was closed.
/// Guarantees: one record is lost, and the others are read. Damage before the last record is told from a torn end, which the last one could be.
#[tokio::test]
async fn a_bit_of_the_last_segment() {
    for place in (0..3 * RECORD).step_by(7) {
        let files = CrashFiles::default();
        write(&files, &small(), 3).await.close().await.unwrap();
        files.alter(&segment(1), |bytes| bytes[FIRST + place] ^= 1 << (place % 8));
        let lost = (place / RECORD) as u32;
        let wal = open(&files, &small());
        let mut reader = wal.reader("a").await.unwrap();
        let expected = expected((0..3).filter(|identity| *identity != lost));
        assert_eq!(read_all(&mut reader).await.unwrap(), expected, "{place}");
        let stats = wal.stats();
        let damaged = u64::from(lost != 2);
        assert_eq!((stats.quarantined_segments, stats.lost_records), (damaged, damaged), "{place}");
        assert!((1..=RECORD as u64).contains(&stats.lost_bytes), "{place}: {}", stats.lost_bytes);
        let seq = append(&wal, 3, 256).await.unwrap();
        assert!(seq > Seq::new(3));
        assert_eq!(read_all(&mut reader).await.unwrap(), [(seq.get(), payload(3, 256))]);
    }
}

/// Scenario: several records of a segment are damaged, in a row and apart, when a reader comes to it; another reader stands before all that.
/// Guarantees: both read what is good; each record counts once.
#[tokio::test]
async fn several_records() {
    let options = Options { segment_bytes: 4096, ..small() };
    let files = CrashFiles::default();
    let wal = write(&files, &options, 20).await;
    let damaged = [2, 3, 4, 7, 13];
    files.alter(&segment(1), |bytes| damaged.iter().for_each(|at| bytes[FIRST + at * RECORD + 30] ^= 4));
    let expected = expected((0..20).filter(|identity| !damaged.contains(&(*identity as usize))));
    for name in ["a", "b"] {
        let mut reader = wal.reader(name).await.unwrap();
        assert_eq!(read_all(&mut reader).await.unwrap(), expected);
        let stats = wal.stats();
        assert_eq!((stats.quarantined_segments, stats.lost_records), (1, 5));
        assert_eq!(stats.lost_bytes, 5 * RECORD as u64);
    }
}

/// Scenario: a record in the middle of the last segment is damaged, and the machine went down while a group of three was written, of which the
/// first did not reach the disk.
/// Guarantees: the damaged record is lost alone; the rest of the group, which was never acknowledged, is not read.
#[tokio::test]
async fn damage_before_a_torn_end() {
    let options = Options { segment_bytes: 4096, ..small() };
    let files = CrashFiles::default();
    write(&files, &options, 7).await.close().await.unwrap();
    files.alter(&segment(1), |bytes| {
        unsynced(bytes, FIRST + 5 * RECORD);
        unsynced(bytes, FIRST + 6 * RECORD);
        bytes[FIRST + 4 * RECORD..][..RECORD].fill(0);
        bytes[FIRST + RECORD + 30] ^= 1;
    });
    for opened in 0..3 {
        let wal = open(&files, &options);
        let stats = wal.stats();
        let news = u64::from(opened == 0);
        assert_eq!((stats.quarantined_segments, stats.lost_records), (news, news));
        let mut reader = wal.reader("a").await.unwrap();
        assert_eq!(read_all(&mut reader).await.unwrap(), expected([0, 2, 3].into_iter()));
        assert!(wal.next_seq() > Seq::new(7), "numbers are not given twice");
        wal.close().await.unwrap();
    }
}

/// Scenario: the machine crashes in each step of setting a damaged segment aside: a finished one or the one being written, found by a reader,
/// and the last one, found when the log is opened.
/// Guarantees: the damaged record is lost alone, and what was good is read again.
#[tokio::test]
async fn a_crash_while_it_is_set_aside() {
    for (count, is_open) in [(8, true), (3, true), (3, false)] {
        for operations in 0..14 {
            for loss in [Loss::Nothing, Loss::Unsynced, Loss::Torn(operations)] {
                let files = CrashFiles::default();
                let wal = write(&files, &small(), count).await;
                let reader = wal.reader("a").await.unwrap();
                let damage = || files.alter(&segment(1), |bytes| bytes[FIRST + RECORD + 30] ^= 1);
                let crash = || files.crash_at(files.operations() + operations);
                if is_open {
                    let mut reader = reader;
                    damage();
                    crash();
                    let _ = read_all(&mut reader).await;
                } else {
                    wal.close().await.unwrap();
                    drop(reader);
                    damage();
                    crash();
                    drop(try_open(&files, &small()));
                }
                files.crash();
                drop(wal);
                files.reboot(loss);

                for _ in 0..2 {
                    let wal = open(&files, &small());
                    let mut reader = wal.reader("a").await.unwrap();
                    let expected = expected((0..count).filter(|identity| *identity != 1));
                    assert_eq!(
                        read_all(&mut reader).await.unwrap(),
                        expected,
                        "{count} {is_open} {operations} {loss:?}"
                    );
                    assert!(files.names().contains(&"00000000000000000001.damaged".into()));
                    wal.close().await.unwrap();
                }
            }
        }
    }
}

/// Scenario: a client has sent what looks like the beginnings of thousands of records, and that record is damaged: in its payload, or in its
/// length.
/// Guarantees: where its length is good, it is lost alone. Else what follows is not searched for without end: it is lost and kept, and the log
/// works on.
#[tokio::test]
async fn what_looks_like_records() {
    let options = Options { segment_bytes: 1 << 20, max_bytes: 1 << 23, ..small() };
    for (place, count) in [(100, 3), (0, 1)] {
        let files = CrashFiles::default();
        let wal = write(&files, &options, 1).await;
        let forged = Frame::new(0, Seq::new(3), 0, SYNCED_BEFORE, std::iter::empty()).to_bytes();
        let payload = [&[0; 4][..], &[&forged[..], &[0; 4]].concat().repeat(3000)].concat();
        wal.append(7, bytes::Bytes::from(payload)).await.unwrap();
        for identity in 2..4 {
            append(&wal, identity, 256).await.unwrap();
        }
        wal.close().await.unwrap();
        files.alter(&segment(1), |bytes| bytes[FIRST + RECORD + place] ^= 8);

        let wal = open(&files, &options);
        let stats = wal.stats();
        assert_eq!((stats.quarantined_segments, stats.lost_records), (1, u64::from(count == 3)));
        let mut reader = wal.reader("a").await.unwrap();
        assert_eq!(read_all(&mut reader).await.unwrap(), expected([0, 2, 3].into_iter().take(count)));
        assert!(append(&wal, 4, 256).await.unwrap() > Seq::new(4));
        assert_eq!(read_all(&mut reader).await.unwrap().len(), 1);
    }
}
