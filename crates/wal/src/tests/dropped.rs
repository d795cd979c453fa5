use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::world::{append, open, payload, read_all, small};
use crate::files::crash::CrashFiles;
use crate::{AppendError, ReadError};

/// Scenario: futures of appends and reads are dropped after they were polled once.
/// Guarantees: the log works on; what was appended comes once; the reader leaves nothing out.
#[tokio::test]
async fn futures_may_be_dropped() {
    let files = CrashFiles::default();
    let wal = open(&files, &small());
    let mut reader = wal.reader("a").await.unwrap();
    let mut context = Context::from_waker(Waker::noop());
    assert!(pin!(reader.next()).poll(&mut context).is_pending());
    for identity in 0..20 {
        let append = pin!(append(&wal, identity, 100));
        let mut append: std::pin::Pin<Box<dyn Future<Output = _>>> = Box::pin(append);
        assert!(!matches!(append.as_mut().poll(&mut context), Poll::Ready(Err(_))));
    }
    append(&wal, 20, 100).await.unwrap();
    let mut read = Vec::new();
    while read.len() < 21 {
        if let Poll::Ready(record) = pin!(reader.next()).poll(&mut context) {
            read.push(record.unwrap().payload);
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(read, (0..21).map(|identity| payload(identity, 100)).collect::<Vec<_>>());
}

/// Scenario: the log is closed while appends are under way and a reader waits; then it is used.
/// Guarantees: each append is acknowledged and there, or fails; the reader reads what was acknowledged and is told of the end.
#[tokio::test(flavor = "multi_thread")]
async fn close_while_in_use() {
    let files = CrashFiles::default();
    let wal = open(&files, &small());
    let mut reader = wal.reader("a").await.unwrap();
    let reading = tokio::spawn(async move {
        let mut read = 0;
        loop {
            match reader.next().await {
                Ok(_) => read += 1,
                Err(ReadError::Closed) => return read,
                Err(error) => panic!("{error}"),
            }
        }
    });
    let appends = (0..50).map(|identity| {
        let wal = wal.clone();
        tokio::spawn(async move { append(&wal, identity, 100).await })
    });
    let appends = appends.collect::<Vec<_>>();
    wal.close().await.unwrap();
    let mut acknowledged = 0;
    for append in appends {
        match append.await.unwrap() {
            Ok(_) => acknowledged += 1,
            Err(error) => assert!(matches!(error, AppendError::Closed), "{error}"),
        }
    }
    assert_eq!(reading.await.unwrap(), acknowledged);
    assert!(matches!(append(&wal, 0, 1).await, Err(AppendError::Closed)));
    wal.close().await.unwrap();

    let wal = open(&files, &small());
    assert_eq!(read_all(&mut wal.reader("a").await.unwrap()).await.unwrap().len(), acknowledged);
}

/// Scenario: the last handle is dropped without closing.
/// Guarantees: what was acknowledged is there, and the directory is free at once.
#[tokio::test]
async fn drop_closes() {
    let files = CrashFiles::default();
    let wal = open(&files, &small());
    append(&wal, 0, 10).await.unwrap();
    drop(wal);
    let wal = open(&files, &small());
    assert_eq!(read_all(&mut wal.reader("a").await.unwrap()).await.unwrap(), [(1, payload(0, 10))]);
}
