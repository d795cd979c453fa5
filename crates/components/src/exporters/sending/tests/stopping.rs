//! What is still sent of a queue on disk when the exporter stops, and until when.

use super::durable::host;
use super::*;

/// Items of the request that the backend fails at.
const POISON: usize = 13;

/// Scenario: one request waits for its next try, and twenty others for a backend that takes them, when the exporter is told to stop.
/// Guarantees: the others are sent, the one is tried once more and stays.
#[tokio::test(start_paused = true)]
async fn one_in_trouble_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = "{sending_queue: {storage: disk, num_consumers: 4}, retry_on_failure: {max_elapsed_time: 0s}}";
    let mut rig = Rig::start_in(&host(folder.path()), yaml, [], 1).await;
    rig.poison.store(POISON, Ordering::Relaxed);
    rig.consume(spans(POISON)).await.unwrap();
    assert_eq!(rig.next().await.items, POISON);
    // Once it is waiting for the next try, and only then, is the clock moved on.
    tokio::time::sleep(Duration::from_secs(1)).await;
    for _ in 0..20 {
        rig.consume(spans(1)).await.unwrap();
    }
    let stopping = rig.stopping();
    rig.exporter.shared.stop.clone().wait_for(Option::is_some).await.unwrap();
    rig.release(OPEN);
    stopping.await.unwrap().unwrap();
    assert_eq!((rig.spans(), rig.gauge("queue_size")), ([20, 0, 0], 1));
}

/// Scenario: a hundred requests wait for a backend that is away when the exporter is told to stop.
/// Guarantees: it does not try them all; all stay.
#[tokio::test(start_paused = true)]
async fn a_backend_that_is_away_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = "{sending_queue: {storage: disk, num_consumers: 4}}";
    let mut rig = Rig::start_in(&host(folder.path()), yaml, std::iter::repeat_n(away(), 1000), OPEN).await;
    for _ in 0..100 {
        rig.consume(spans(1)).await.unwrap();
    }
    for _ in 0..4 {
        rig.next().await;
    }
    rig.times();
    let began = Instant::now();
    rig.exporter.shutdown().await.unwrap();
    assert!(began.elapsed() < DRAIN);
    assert!(rig.times().len() < 20);
    assert_eq!((rig.spans(), rig.gauge("queue_size")), ([0, 0, 0], 100));
}

/// Scenario: a request in ten batches, and one that the backend wants in pieces, when the backend no longer answers and the exporter is told to
/// stop.
/// Guarantees: there is one deadline for all of it, nothing is begun after it, and everything stays.
#[tokio::test(start_paused = true)]
async fn there_is_one_deadline() {
    let folder = tempfile::tempdir().unwrap();
    for (batch, answers) in [("batch: {min_size: 2, max_size: 2}", vec![]), ("", vec![too_large()])] {
        let yaml = format!("{{sending_queue: {{storage: disk, num_consumers: 1, {batch}}}}}");
        let open = answers.len();
        let mut rig = Rig::start_in(&host(folder.path()), &yaml, answers, open).await;
        rig.consume(spans(20)).await.unwrap();
        for _ in 0..=open {
            rig.next().await;
        }
        let began = Instant::now();
        rig.exporter.shutdown().await.unwrap();
        assert!(began.elapsed() <= DRAIN + Duration::from_millis(100), "{:?}", began.elapsed());
        assert!(rig.times().is_empty());
        assert_eq!((rig.spans(), rig.gauge("queue_size")), ([0, 0, 0], 1));
        // The next run of this test begins anew.
        let rig = Rig::start_in(&host(folder.path()), "{sending_queue: {storage: disk}}", [], OPEN).await;
        rig.exporter.shutdown().await.unwrap();
    }
}
