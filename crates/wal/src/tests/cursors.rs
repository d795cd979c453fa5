use super::world::{append, open, payload, read_all, settle, small};
use crate::files::crash::CrashFiles;
use crate::{CursorError, Seq};

fn segments(files: &CrashFiles) -> Vec<u64> {
    files.names().iter().filter_map(|name| name.strip_suffix(".wal")?.parse().ok()).collect()
}

/// Scenario: three cursors at different positions; the slowest one is removed.
/// Guarantees: a segment stays as long as one cursor needs it, and goes when all have passed; a restart finds all positions.
#[tokio::test]
async fn the_slowest_cursor_decides() {
    let files = CrashFiles::default();
    let wal = open(&files, &small());
    let names = ["a", "otlp/backup", "ü"];
    for name in names {
        wal.reader(name).await.unwrap();
    }
    for identity in 0..8 {
        append(&wal, identity, 400).await.unwrap();
    }
    for (name, seq) in names.into_iter().zip([8, 5, 2]) {
        wal.reader(name).await.unwrap().commit(Seq::new(seq)).await.unwrap();
    }
    settle(&wal).await;
    assert_eq!(segments(&files), [3, 5, 7]);

    wal.close().await.unwrap();
    let wal = open(&files, &small());
    assert_eq!(wal.cursors(), names);
    let read = read_all(&mut wal.reader("otlp/backup").await.unwrap()).await.unwrap();
    assert_eq!(read, (5..8).map(|identity| (u64::from(identity) + 1, payload(identity, 400))).collect::<Vec<_>>());

    wal.remove_cursor("ü").await.unwrap();
    wal.remove_cursor("never there").await.unwrap();
    settle(&wal).await;
    assert_eq!(segments(&files), [5, 7]);
    wal.close().await.unwrap();
    let wal = open(&files, &small());
    assert_eq!(wal.cursors(), ["a", "otlp/backup"]);
}

/// Scenario: a cursor is asked for twice, removed while it is read, committed ahead, backwards, and after the log was closed; names are
/// empty or too long.
/// Guarantees: typed errors, and none for what was committed already.
#[tokio::test]
async fn misuse() {
    let files = CrashFiles::default();
    let wal = open(&files, &small());
    let reader = wal.reader("a").await.unwrap();
    append(&wal, 0, 10).await.unwrap();
    append(&wal, 1, 10).await.unwrap();
    assert!(matches!(wal.reader("a").await, Err(CursorError::InUse(_))));
    assert!(matches!(wal.remove_cursor("a").await, Err(CursorError::InUse(_))));
    assert!(matches!(wal.reader("").await, Err(CursorError::Name(_))));
    assert!(matches!(wal.reader(&"x".repeat(81)).await, Err(CursorError::Name(_))));
    assert!(matches!(reader.commit(Seq::new(3)).await, Err(CursorError::Ahead { .. })));
    reader.commit(Seq::new(2)).await.unwrap();
    reader.commit(Seq::new(1)).await.unwrap();
    assert_eq!(reader.committer().next(), Seq::new(3));

    let committer = reader.committer();
    drop(reader);
    let reader = wal.reader("a").await.unwrap();
    append(&wal, 2, 10).await.unwrap();
    wal.close().await.unwrap();
    assert!(matches!(committer.commit(Seq::new(3)).await, Err(CursorError::Closed)));
    drop(reader);
}

/// Scenario: the file of a cursor was damaged while the log was closed.
/// Guarantees: it begins with the oldest record: what it had committed may come again, nothing is left out.
#[tokio::test]
async fn a_damaged_cursor_begins_anew() {
    let files = CrashFiles::default();
    let wal = open(&files, &small());
    let reader = wal.reader("a").await.unwrap();
    append(&wal, 0, 10).await.unwrap();
    reader.commit(Seq::FIRST).await.unwrap();
    wal.close().await.unwrap();
    drop((reader, wal));
    files.alter(&super::world::dir().join("cursor-a"), |bytes| bytes[9] ^= 1);
    let wal = open(&files, &small());
    assert_eq!(read_all(&mut wal.reader("a").await.unwrap()).await.unwrap().len(), 1);
}
