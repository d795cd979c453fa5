//! Requests on disk that the backend keeps failing at, and what that means for the others.

use super::durable::{host, host_with, open};
use super::*;

/// Items of the request that the backend fails at.
const POISON: usize = 13;

fn postponed(rig: &Rig) -> u64 {
    rig.telemetry.counter("spanmill_exporter_postponed_items", "", &[("exporter", "test")]).get()
}

/// Scenario: the backend fails at one request, and takes three times as many others as the log has room for; then it takes that one, too.
/// Guarantees: all others are let in and sent, and what was sent leaves the log; the one is sent in the end, and nothing is sent again in the next
/// run.
#[tokio::test]
async fn one_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = "{sending_queue: {storage: disk, num_consumers: 2}, \
                retry_on_failure: {initial_interval: 10ms, max_interval: 20ms}}";
    let mut rig = Rig::start_in(&host_with(folder.path(), 4 << 20), yaml, [], OPEN).await;
    rig.poison.store(POISON, Ordering::Relaxed);
    rig.consume(spans(POISON)).await.unwrap();
    let mut seen = 0;
    let others = async {
        for _ in 0..200 {
            while rig.consume(large(64 << 10)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        while seen < 200 {
            seen += usize::from(rig.tries.recv().await.unwrap().signal == Signal::Logs);
        }
    };
    tokio::time::timeout(Duration::from_secs(60), others).await.unwrap();
    assert!(postponed(&rig) >= POISON as u64);
    assert_eq!(rig.spans(), [0, 0, 0]);
    rig.poison.store(0, Ordering::Relaxed);
    rig.exporter.shutdown().await.unwrap();
    assert_eq!((rig.spans(), rig.gauge("queue_size")), ([POISON as u64, 0, 0], 0));

    let mut rig = open(folder.path(), "", []).await;
    rig.exporter.shutdown().await.unwrap();
    assert!(rig.times().is_empty());
}

/// Scenario: batches of four, and the backend fails at the first.
/// Guarantees: it stays by itself when it is put behind the others: none of them fails with it.
#[tokio::test]
async fn others_do_not_join_it() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = "{sending_queue: {storage: disk, num_consumers: 2, batch: {sizer: bytes, min_size: 65000}}, \
                retry_on_failure: {initial_interval: 10ms, max_interval: 20ms}}";
    let mut rig = Rig::start_in(&host_with(folder.path(), 4 << 20), yaml, [], OPEN).await;
    rig.poison.store(POISON, Ordering::Relaxed);
    rig.consume(spans(POISON)).await.unwrap();
    while rig.next().await.items != POISON {}
    let others = async {
        while postponed(&rig) < 3 * POISON as u64 {
            // Small ones that wait to be joined, and large ones that are sent at once.
            let _ = rig.consume(spans(1)).await;
            if rig.consume(large(64 << 10)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), others).await.unwrap();
    rig.exporter.shutdown().await.unwrap();
    let mut poisoned = 0;
    while let Ok(one) = rig.tries.try_recv() {
        poisoned += usize::from(one.signal == Signal::Traces && one.items == POISON);
    }
    assert!(poisoned >= 3, "{poisoned}");
    assert_eq!(rig.gauge("queue_size"), 1);
}

/// Scenario: two consumers, two requests that the backend fails at, and one that it would take.
/// Guarantees: the third one has its turn after five minutes, and not before; the others are sent in the end. (How long after says nothing: this
/// clock goes on while the disk works.)
#[tokio::test(start_paused = true)]
async fn others_have_their_turn() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = "{sending_queue: {storage: disk, num_consumers: 2}}";
    let mut rig = Rig::start_in(&host(folder.path()), yaml, [], OPEN).await;
    rig.poison.store(POISON, Ordering::Relaxed);
    for count in [POISON, POISON, 1] {
        rig.consume(spans(count)).await.unwrap();
    }
    let mut other = rig.next().await;
    while other.items == POISON {
        assert!(other.at < Duration::from_secs(86_400));
        other = rig.next().await;
    }
    assert!(other.at >= Duration::from_secs(300), "{other:?}");
    rig.poison.store(0, Ordering::Relaxed);
    while rig.counter("sent_spans") < 1 + 2 * POISON as u64 {
        rig.next().await;
        tokio::task::yield_now().await;
    }
    rig.exporter.shutdown().await.unwrap();
    assert_eq!(rig.gauge("queue_size"), 0);
}
