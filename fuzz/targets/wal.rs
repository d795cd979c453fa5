//! Bytes as the files of a log: two segments and a cursor. The log opens or says why not; what it reads has rising numbers; and it goes on.

#![no_main]

use std::path::Path;

use spanmill_wal::{Fsync, Options, Wal};
use tokio::runtime::{Builder, Runtime};

/// Where segments have what their checksums cover.
const HEADER: usize = 64;
const CHECKED: usize = HEADER - 4;

/// What the input holds: whether the checksums of segments are made good, without which nothing behind them is ever reached; the cursor, the first
/// segment and the second.
fn files(data: &[u8]) -> Option<(bool, [&[u8]; 3])> {
    let (head, rest) = data.split_first_chunk::<4>()?;
    let (cursor, rest) = rest.split_at_checked(usize::from(head[1]))?;
    let (first, second) = rest.split_at_checked(usize::from(u16::from_le_bytes([head[2], head[3]])))?;
    Some((head[0] & 1 == 0, [cursor, first, second]))
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((checked, [cursor, first, second])) = files(data) else { return };
    let runtime = Builder::new_current_thread().build().expect("a runtime can be made");
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder can be made");
    for (name, bytes) in [("00000000000000000001.wal", first), ("00000000000000000004.wal", second)] {
        let mut bytes = bytes.to_vec();
        if checked {
            make_good(&mut bytes);
        }
        std::fs::write(folder.path().join(name), bytes).expect("a file can be written");
    }
    std::fs::write(folder.path().join("cursor-a"), cursor).expect("a file can be written");
    let longest = first.len().max(second.len());
    // What was mended once needs no mending.
    for _ in 0..2 {
        run(&runtime, folder.path(), longest);
    }
});

fn run(runtime: &Runtime, folder: &Path, longest: usize) {
    let options = Options { segment_bytes: 4096, max_bytes: 1 << 20, fsync: Fsync::Never, ..Options::default() };
    runtime.block_on(async {
        let Ok(wal) = Wal::open(folder, options).await else { return };
        let mut last = None;
        if let Ok(mut reader) = wal.reader("a").await {
            while let Ok(Some(record)) = reader.try_next().await {
                assert!(last < Some(record.seq), "numbers rise");
                assert!(record.payload.len() <= longest.max(16), "no payload is longer than its file");
                last = Some(record.seq);
            }
        }
        let appended = wal.append(1, bytes::Bytes::from_static(b"goes on")).await;
        assert!(appended.is_err() || last < appended.ok(), "numbers rise");
        let _ = wal.close().await;
    });
}

/// Puts checksums where segments have theirs, as far as lengths tell where that is.
fn make_good(bytes: &mut [u8]) {
    if bytes.len() < HEADER {
        return;
    }
    bytes[..8].copy_from_slice(b"SPANWAL\0");
    bytes[8..12].copy_from_slice(&1_u32.to_le_bytes());
    let sum = crc32c::crc32c(&bytes[..CHECKED]);
    bytes[CHECKED..HEADER].copy_from_slice(&sum.to_le_bytes());
    let salt = u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]);
    let mut at = HEADER;
    while let Some(len) = bytes.get(at..at + 4) {
        let len = u32::from_le_bytes([len[0], len[1], len[2], len[3]]) as usize;
        let Some(record) = bytes.get_mut(at..at + len + 8).filter(|record| record.len() >= 8) else { return };
        let sum = crc32c::crc32c_append(crc32c::crc32c_append(salt, &record[..4]), &record[8..]);
        record[4..8].copy_from_slice(&sum.to_le_bytes());
        at += (len + 8).next_multiple_of(8);
    }
}
