//! Those who read answers slowly.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::time::Duration;

use spanmill_query::{Limits, QueryError, QueryService, Request};

/// Scenario: one query may run; somebody asks for many rows and takes none of them, and somebody else asks meanwhile.
/// Guarantees: the place is free again once the time of the first query is up; its reader gets the rows that were on the way, and then is
/// told that the time was up: an answer that was cut off never looks whole.
#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_holds_a_place_for_a_while() {
    let filled = support::morning().await;
    let limits = Limits {
        concurrent: 1,
        time: Duration::from_secs(2),
        wait: Duration::from_secs(20),
        rows: u64::MAX,
        ..Limits::default()
    };
    let service = QueryService::new(filled.store.clone(), limits);
    let many = "SELECT a.name FROM spans a, spans b, spans c";
    let mut unread = service.run(Request::of(many)).await.unwrap();
    let answered = service.run(Request::of("SELECT 42 AS answer")).await.unwrap().collect().await.unwrap();
    assert_eq!(answered[0].num_rows(), 1);
    let end = loop {
        match unread.next().await {
            Some(Ok(_)) => {}
            other => break other,
        }
    };
    assert!(matches!(end, Some(Err(QueryError::Time(_)))), "{end:?}");
    assert!(unread.next().await.is_none());
}
