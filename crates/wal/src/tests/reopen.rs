use super::world::{append, open, payload, read_all, small};
use crate::files::crash::CrashFiles;

/// Scenario: a log is closed and opened thirty times, with a record each time.
/// Guarantees: numbers go on without a gap, the same segment is written on, and files of others in the directory are left alone.
#[tokio::test]
async fn many_restarts() {
    let files = CrashFiles::default();
    files.alter(&super::world::dir().join("notes.txt"), |bytes| bytes.push(1));
    files.alter(&super::world::dir().join("7.wal"), |bytes| bytes.push(1));
    for identity in 0..30 {
        let wal = open(&files, &small());
        assert_eq!(append(&wal, identity, 20).await.unwrap().get(), u64::from(identity) + 1);
        wal.close().await.unwrap();
    }
    let segments = files.names().iter().filter(|name| name.ends_with(".wal") && name.len() > 10).count();
    assert_eq!(segments, 2);
    assert!(files.names().contains(&"7.wal".into()));
    let wal = open(&files, &small());
    let read = read_all(&mut wal.reader("a").await.unwrap()).await.unwrap();
    assert_eq!(read, (0..30).map(|identity| (u64::from(identity) + 1, payload(identity, 20))).collect::<Vec<_>>());
}

/// Scenario: the same directory is opened twice.
/// Guarantees: the second is refused, and succeeds when the first is closed.
#[tokio::test]
async fn one_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let options = small();
    let first = crate::Wal::open(directory.path(), options.clone()).await.unwrap();
    let refused = crate::Wal::open(directory.path(), options.clone()).await.unwrap_err();
    assert!(matches!(refused, crate::OpenError::Locked(_)), "{refused}");
    first.close().await.unwrap();
    crate::Wal::open(directory.path(), options).await.unwrap();
}
