use std::time::Duration;

use super::world::{World, append, payload, settle, small};
use crate::{Options, Seq};

/// Scenario: records of different ages; one cursor has committed some of them, another none; a third comes later.
/// Guarantees: segments whose newest record is too old are dropped, and what was not committed is counted for each cursor; what is
/// younger is read; the segment being written goes too when it is old.
#[tokio::test]
async fn old_segments_are_dropped_and_counted() {
    let mut world = World::new(Options { max_age: Some(Duration::from_secs(60)), ..small() });
    world.open().unwrap();
    let wal = world.wal().clone();
    let mut quick = wal.reader("quick").await.unwrap();
    let mut slow = wal.reader("slow").await.unwrap();
    for identity in 0..4 {
        append(&wal, identity, 400).await.unwrap();
    }
    for _ in 0..2 {
        quick.next().await.unwrap();
    }
    quick.commit(Seq::new(1)).await.unwrap();
    world.clock.advance(Duration::from_secs(50));
    append(&wal, 4, 400).await.unwrap();

    world.clock.advance(Duration::from_secs(15));
    settle(&wal).await;
    let expired = |name: &str| {
        let cursors = wal.stats().cursors;
        cursors.into_iter().find(|cursor| cursor.name == name).unwrap().expired_records
    };
    assert_eq!((expired("quick"), expired("slow")), (3, 4));
    assert_eq!(slow.next().await.unwrap().payload, payload(4, 400));
    assert_eq!(wal.reader("late").await.unwrap().next().await.unwrap().payload, payload(4, 400));

    world.clock.advance(Duration::from_secs(60));
    settle(&wal).await;
    assert_eq!((expired("quick"), expired("slow"), expired("late")), (4, 5, 1));
    let seq = append(&wal, 5, 400).await.unwrap();
    assert_eq!(quick.next().await.unwrap().seq, seq);
}

/// Scenario: without an age limit, years pass.
/// Guarantees: nothing is dropped.
#[tokio::test]
async fn off_by_default() {
    let mut world = World::new(small());
    world.open().unwrap();
    world.append(400).await.unwrap();
    world.append(800).await.unwrap();
    world.clock.advance(Duration::from_secs(1 << 30));
    settle(world.wal()).await;
    world.read("a", 10).await.unwrap();
}
