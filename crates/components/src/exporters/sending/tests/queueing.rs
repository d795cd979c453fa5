//! The queue: how much it holds, what happens when it is full, who waits for what, and what is left at the end.

use super::*;
use crate::exporters::sending::config::Sizer;
use crate::exporters::sending::queue::{Memory, Offered};

/// Scenario: a queue for two requests before a backend that does not answer, then answers once.
/// Guarantees: a third request is refused with an error that allows to come again and is counted; it fits as soon as one is
/// done; the queue's size counts what is being sent.
#[tokio::test(start_paused = true)]
async fn full_queue_refuses() {
    let mut rig = Rig::held("{sending_queue: {queue_size: 2, num_consumers: 1}}", []).await;
    rig.consume(spans(3)).await.unwrap();
    rig.next().await;
    rig.consume(spans(4)).await.unwrap();
    let error = rig.consume(spans(5)).await.unwrap_err();
    assert_eq!((error.code, error.retryable, &*error.message), (Code::Unavailable, true, "sending queue is full"));
    assert_eq!((rig.gauge("queue_size"), rig.gauge("queue_capacity")), (2, 2));
    rig.release(1);
    assert_eq!(rig.next().await.items, 4);
    rig.consume(spans(5)).await.unwrap();
    rig.release(2);
    rig.exporter.shutdown().await.unwrap();
    assert_eq!(rig.spans(), [12, 0, 5]);
    assert_eq!(rig.gauge("queue_size"), 0);
}

/// Scenario: queues that count items and bytes, and requests that are larger than the whole queue.
/// Guarantees: the sizer decides what fits; what can never fit is refused for good.
#[tokio::test(start_paused = true)]
async fn sizers_count() {
    let len = Batch::from(spans(5)).encoded_len();
    for (sizer, capacity) in [("items", 10), ("bytes", 2 * len)] {
        let yaml = format!("{{sending_queue: {{queue_size: {capacity}, sizer: {sizer}, num_consumers: 1}}}}");
        let rig = Rig::held(&yaml, []).await;
        for _ in 0..2 {
            rig.consume(spans(5)).await.unwrap();
        }
        assert_eq!(rig.gauge("queue_size"), i64::try_from(capacity).unwrap());
        assert!(rig.consume(spans(1)).await.unwrap_err().retryable);
        let error = rig.consume(spans(11)).await.unwrap_err();
        assert_eq!((error.code, error.retryable), (Code::ResourceExhausted, false));
    }
}

/// Scenario: a full queue with `block_on_overflow`, for hours, before one request is done.
/// Guarantees: the client waits, and is taken as soon as there is room; nothing is counted as refused.
#[tokio::test(start_paused = true)]
async fn overflow_blocks() {
    let yaml = "{sending_queue: {queue_size: 1, num_consumers: 1, block_on_overflow: true}}";
    let mut rig = Rig::held(yaml, []).await;
    rig.consume(spans(1)).await.unwrap();
    let mut second = rig.consuming(spans(2));
    assert!(is_waiting(&mut second).await);
    rig.release(1);
    second.await.unwrap().unwrap();
    assert_eq!((rig.next().await.items, rig.next().await.items), (1, 2));
    assert_eq!(rig.spans(), [1, 0, 0]);
}

/// Scenario: clients that wait for room when the exporter is told to stop.
/// Guarantees: they are sent away with an error that allows to come again, and what was taken is sent.
#[tokio::test(start_paused = true)]
async fn blocked_clients_are_freed_at_the_end() {
    let yaml = "{sending_queue: {queue_size: 1, num_consumers: 1, block_on_overflow: true}}";
    let mut rig = Rig::held(yaml, []).await;
    rig.consume(spans(1)).await.unwrap();
    rig.next().await;
    let mut second = rig.consuming(spans(2));
    assert!(is_waiting(&mut second).await);
    let stopping = rig.stopping();
    assert!(second.await.unwrap().unwrap_err().retryable);
    rig.release(1);
    stopping.await.unwrap().unwrap();
    assert_eq!(rig.spans(), [1, 0, 2]);
}

/// Scenario: `wait_for_result` with a backend that is away once and then takes it, and with one that refuses.
/// Guarantees: the client is answered after the last try, and with what the backend said.
#[tokio::test(start_paused = true)]
async fn waits_for_result() {
    let yaml = "{sending_queue: {wait_for_result: true}, retry_on_failure: {randomization_factor: 0}}";
    let mut rig = Rig::open(yaml, [away(), Ok(Answer::default()), refused()]).await;
    rig.consume(spans(1)).await.unwrap();
    assert_eq!(rig.times(), [0, 5000]);
    let error = rig.consume(spans(2)).await.unwrap_err();
    assert_eq!((error.code, error.retryable, &*error.message), (Code::InvalidArgument, false, "bad data"));
    assert_eq!(rig.spans(), [1, 2, 0]);
}

/// Scenario: an exporter without a queue, whose backend takes one request and refuses the next.
/// Guarantees: the client gets the backend's answer; no queue is measured.
#[tokio::test(start_paused = true)]
async fn no_queue() {
    let rig = Rig::open("{sending_queue: {enabled: false}}", [Ok(Answer::default()), refused()]).await;
    rig.consume(spans(1)).await.unwrap();
    assert_eq!(rig.consume(spans(2)).await.unwrap_err().code, Code::InvalidArgument);
    assert_eq!(rig.spans(), [1, 2, 0]);
    let (_, text) = rig.telemetry.expose();
    assert!(!String::from_utf8_lossy(&text).contains("queue_size"));
}

/// Scenario: five requests, two consumers, with and without batching.
/// Guarantees: exactly two are sent at a time.
#[tokio::test(start_paused = true)]
async fn consumers_bound_what_is_sent_at_a_time() {
    for batch in ["", "batch: {min_size: 1}"] {
        let mut rig = Rig::held(&format!("{{sending_queue: {{num_consumers: 2, {batch}}}}}"), []).await;
        for _ in 0..5 {
            rig.consume(spans(1)).await.unwrap();
        }
        rig.next().await;
        rig.next().await;
        assert!(rig.is_quiet().await);
        rig.release(1);
        rig.next().await;
        assert!(rig.is_quiet().await);
    }
}

/// Scenario: the end comes with four requests queued behind one that is being sent.
/// Guarantees: all are sent before shutdown is done; what comes later is refused and may come again.
#[tokio::test(start_paused = true)]
async fn shutdown_drains() {
    let mut rig = Rig::held("{sending_queue: {num_consumers: 1}}", []).await;
    for _ in 0..5 {
        rig.consume(spans(2)).await.unwrap();
    }
    rig.next().await;
    let mut stopping = rig.stopping();
    assert!(is_waiting(&mut stopping).await);
    let error = rig.consume(spans(1)).await.unwrap_err();
    assert_eq!((error.retryable, &*error.message), (true, "the exporter is stopping"));
    rig.release(5);
    stopping.await.unwrap().unwrap();
    assert_eq!(rig.spans(), [10, 0, 1]);
}

/// Scenario: the end comes while a request waits for its next try and another is queued; the backend stays away.
/// Guarantees: each is tried once more, at once, and then given up and counted; shutdown does not wait for the schedule, and says what
/// was lost.
#[tokio::test(start_paused = true)]
async fn shutdown_ends_waits() {
    let yaml = "{sending_queue: {num_consumers: 1}, retry_on_failure: {randomization_factor: 0}}";
    let mut rig = Rig::open(yaml, [away(), away(), away()]).await;
    rig.consume(spans(1)).await.unwrap();
    rig.consume(spans(2)).await.unwrap();
    rig.next().await;
    // Once it is waiting for the next try, and only then, is the clock moved on.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let lost = rig.exporter.shutdown().await.unwrap_err();
    assert_eq!(lost.to_string(), "3 items in its queue were not delivered");
    assert_eq!(rig.times(), [1000, 1000]);
    assert_eq!(rig.spans(), [0, 3, 0]);
}

/// Scenario: 9 MiB are queued before a backend that does not answer; then it takes them.
/// Guarantees: above 8 MiB a client is answered at the backend's pace, below it at once.
#[tokio::test(start_paused = true)]
async fn keeps_pace() {
    let mut rig = Rig::held("{sending_queue: {num_consumers: 1}}", []).await;
    rig.consume(large(7 << 20)).await.unwrap();
    let mut second = rig.consuming(large(2 << 20));
    assert!(is_waiting(&mut second).await);
    rig.next().await;
    rig.release(1);
    second.await.unwrap().unwrap();
}

/// Scenario: 9 MiB are queued before a backend that turns out to be away.
/// Guarantees: the client is not kept: the queue is for that time.
#[tokio::test(start_paused = true)]
async fn keeps_no_pace_with_a_backend_that_is_away() {
    let yaml = "{sending_queue: {num_consumers: 1}, retry_on_failure: {randomization_factor: 0, max_elapsed_time: 0}}";
    let mut rig = Rig::held(yaml, [away()]).await;
    let mut client = rig.consuming(large(9 << 20));
    assert!(is_waiting(&mut client).await);
    let first = rig.next().await;
    rig.release(1);
    client.await.unwrap().unwrap();
    assert_eq!(rig.next().await.at - first.at, Duration::from_secs(3600 + 5));
}

/// Scenario: requests of 100 MiB for queues of 1,000 requests and of 1 GiB.
/// Guarantees: a queue that does not count bytes holds 256 MiB; one that does holds what it was told.
#[tokio::test]
async fn held_bytes_are_bounded() {
    let offered = |batch| Offered { batch, client: None, waiting: None };
    let batch = Batch::from(large(100 << 20));
    let fits = |capacity, sizer| {
        let queue = Memory::new(capacity, sizer);
        (0..9).take_while(|_| queue.offer(offered(batch.clone())).is_ok()).count()
    };
    assert_eq!(fits(1000, Sizer::Requests), 2);
    assert_eq!(fits(1 << 20, Sizer::Items), 2);
    assert_eq!(fits(450 << 20, Sizer::Bytes), 4);
    // What is larger than all that goes alone.
    let queue = Memory::new(1000, Sizer::Requests);
    queue.offer(offered(large(300 << 20).into())).unwrap();
    assert!(matches!(queue.offer(offered(spans(1).into())), Err(Refused::Full(..))));
}
