use super::world::{append, dir, former_cursor, open, payload, read_all, settle, small};
use crate::files::crash::CrashFiles;
use crate::{AppendError, Options, Seq};

/// Scenario: nothing is committed until the log is full; then the reader commits.
/// Guarantees: appends fail with sizes and may be tried again; nothing is lost; files never take more than the limit; after the commit
/// appends succeed.
#[tokio::test]
async fn back_pressure_until_a_commit() {
    let files = CrashFiles::default();
    let options = Options { max_bytes: 4096, ..small() };
    let wal = open(&files, &options);
    let mut reader = wal.reader("a").await.unwrap();
    let mut written = 0;
    let error = loop {
        assert!(wal.stats().bytes_on_disk <= 4096);
        match append(&wal, written, 400).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, AppendError::Full { used: 4096, limit: 4096, wanted: 1024 }), "{error}");
    assert!(error.is_retryable());
    assert_eq!(written, 8);
    assert_eq!(read_all(&mut reader).await.unwrap().len(), 8);

    reader.commit(Seq::new(4)).await.unwrap();
    settle(&wal).await;
    for identity in 8..12 {
        append(&wal, identity, 400).await.unwrap();
    }
    append(&wal, 12, 400).await.unwrap_err();
    let read = read_all(&mut reader).await.unwrap();
    assert_eq!(read, (8..12).map(|identity| (u64::from(identity) + 1, payload(identity, 400))).collect::<Vec<_>>());
}

/// Scenario: a record fits into a full log's last segment, and one that does not comes before it.
/// Guarantees: the smaller one is taken.
#[tokio::test]
async fn what_fits_is_taken() {
    let files = CrashFiles::default();
    let wal = open(&files, &Options { max_bytes: 4096, ..small() });
    while append(&wal, 0, 400).await.is_ok() {}
    append(&wal, 1, 10).await.unwrap();
}

/// Scenario: a log that is full is opened again.
/// Guarantees: it opens, and is full still.
#[tokio::test]
async fn a_full_log_opens() {
    let files = CrashFiles::default();
    let options = Options { max_bytes: 4096, ..small() };
    let wal = open(&files, &options);
    while append(&wal, 0, 400).await.is_ok() {}
    wal.close().await.unwrap();
    let wal = open(&files, &options);
    assert!(matches!(append(&wal, 0, 400).await, Err(AppendError::Full { .. })));
    assert_eq!(read_all(&mut wal.reader("a").await.unwrap()).await.unwrap().len(), 8);
}

/// Scenario: the disk is filled to its last page while a backlog waits; then the reader consumes it, and the log is opened again. The cursor is
/// new, or of the former format when the log was opened.
/// Guarantees: commits need no room: what was consumed is removed, and does not come again.
#[tokio::test]
async fn a_full_disk_is_emptied() {
    for former in [false, true] {
        let files = CrashFiles::default();
        if former {
            files.alter(&dir().join("cursor-a"), |bytes| *bytes = former_cursor(1));
        }
        let wal = open(&files, &small());
        let mut reader = wal.reader("a").await.unwrap();
        for identity in 0..8 {
            append(&wal, identity, 400).await.unwrap();
        }
        files.fill(true);
        let used = wal.stats().segments;
        for seq in 1..=8 {
            assert_eq!(reader.next().await.unwrap().seq, Seq::new(seq));
            reader.commit(Seq::new(seq)).await.unwrap();
        }
        settle(&wal).await;
        assert!(wal.stats().segments < used, "nothing was removed");
        wal.close().await.unwrap();
        drop((reader, wal));

        let wal = open(&files, &small());
        assert_eq!(read_all(&mut wal.reader("a").await.unwrap()).await.unwrap(), []);
        files.fill(false);
    }
}

/// Scenario: a log with a cursor of the former format is opened on a full disk, which has room later.
/// Guarantees: it opens with the cursor's position; commits fail until there is room, and may be tried again.
#[tokio::test]
async fn a_former_cursor_on_a_full_disk() {
    let files = CrashFiles::default();
    let wal = open(&files, &small());
    for identity in 0..3 {
        append(&wal, identity, 10).await.unwrap();
    }
    wal.close().await.unwrap();
    files.alter(&dir().join("cursor-a"), |bytes| *bytes = former_cursor(2));
    files.fill(true);
    let wal = open(&files, &small());
    let reader = wal.reader("a").await.unwrap();
    assert_eq!(reader.committer().next(), Seq::new(2));
    assert!(matches!(reader.commit(Seq::new(2)).await, Err(crate::CursorError::Io(_))));
    assert_eq!(reader.committer().next(), Seq::new(2));
    files.fill(false);
    reader.commit(Seq::new(2)).await.unwrap();
    files.fill(true);
    reader.commit(Seq::new(3)).await.unwrap();
}
