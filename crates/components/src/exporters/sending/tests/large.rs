//! Backends that take smaller requests only.

use super::durable::{letters, open};
use super::*;

/// Scenario: a backend takes two spans at a time; two requests of eight come.
/// Guarantees: everything arrives in pieces that it takes; the second time it is not asked for less than it was found to refuse, but for at most one
/// larger piece that tries whether it takes more now.
#[tokio::test(start_paused = true)]
async fn requests_are_halved() {
    let mut rig = Rig::open("{sending_queue: {num_consumers: 1, wait_for_result: true}}", []).await;
    let largest = spans(2).encode().len();
    rig.largest.store(largest, Ordering::Relaxed);
    for refused in [2..=3, 0..=1] {
        rig.consume(spans(8)).await.unwrap();
        let tries: Vec<_> = std::iter::from_fn(|| rig.tries.try_recv().ok()).collect();
        let (taken, vain): (Vec<_>, Vec<_>) = tries.iter().partition(|one| one.bytes <= largest);
        assert!(refused.contains(&vain.len()), "{tries:?}");
        assert_eq!(taken.iter().map(|one| one.items).sum::<usize>(), 8, "{tries:?}");
    }
    assert_eq!(rig.spans(), [16, 0, 0]);
}

/// Scenario: a backend refuses single spans as too large.
/// Guarantees: what cannot be split is given up and counted; it does not go on for ever.
#[tokio::test(start_paused = true)]
async fn a_span_is_not_split() {
    let rig = Rig::open("{sending_queue: {num_consumers: 1}}", std::iter::repeat_with(too_large).take(100)).await;
    rig.consume(spans(3)).await.unwrap();
    rig.exporter.shutdown().await.unwrap();
    assert_eq!(rig.spans(), [0, 3, 0]);
}

/// Scenario: a backend refuses everything as too large, requests of 2,000 spans among it; then it takes everything again.
/// Guarantees: it is asked some dozen times a request, not once a span; each request is one dead letter with all of its spans; what comes later
/// goes as it is.
#[tokio::test]
async fn a_backend_that_refuses_everything_is_not_asked_for_each_span() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = open(folder.path(), "", []).await;
    rig.largest.store(0, Ordering::Relaxed);
    let labels = [("exporter", "test")];
    let kept = rig.telemetry.counter("spanmill_exporter_dead_letter_items", "", &labels);
    for requests in 1..=2 {
        rig.consume(spans(2000)).await.unwrap();
        while kept.get() < 2000 * requests {
            rig.next().await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        rig.times();
    }
    rig.largest.store(usize::MAX, Ordering::Relaxed);
    rig.consume(spans(2000)).await.unwrap();
    assert_eq!(rig.next().await.items, 2000);
    rig.exporter.shutdown().await.unwrap();
    assert_eq!(rig.spans(), [2000, 4000, 0]);
    let letters = letters(folder.path(), ".otlp");
    let items = letters.into_iter().map(|letter| Traces::parse(letter.into()).unwrap().span_count());
    assert_eq!(items.collect::<Vec<_>>(), [2000, 2000]);
}

/// Scenario: a backend refuses seven requests in a row as too large, and is mended then.
/// Guarantees: some dozens of requests later everything goes as it is again, and nothing was lost.
#[tokio::test(start_paused = true)]
async fn a_moment_does_not_last() {
    let answers = std::iter::repeat_with(too_large).take(7);
    let mut rig = Rig::open("{sending_queue: {num_consumers: 1, wait_for_result: true}}", answers).await;
    rig.consume(spans(500)).await.unwrap();
    assert!(rig.times().len() < 80);
    for _ in 0..8 {
        rig.consume(spans(2000)).await.unwrap();
    }
    assert!(rig.times().len() < 80);
    rig.consume(spans(2000)).await.unwrap();
    assert_eq!(rig.times().len(), 1);
    assert_eq!(rig.spans(), [18_500, 0, 0]);
}

/// Scenario: five spans that are larger than a backend takes, before a hundred small ones.
/// Guarantees: those alone are given up; the small ones arrive.
#[tokio::test(start_paused = true)]
async fn small_ones_beside_a_large_one_arrive() {
    let span = |name: &[u8]| {
        let (mut span, mut item) = (vec![0x2a], vec![0x12]);
        prost::encoding::encode_varint(name.len() as u64, &mut span);
        span.extend_from_slice(name);
        prost::encoding::encode_varint(span.len() as u64, &mut item);
        [item, span].concat()
    };
    let items = [span(&[b'x'; 100_000]).repeat(5), span(b"small").repeat(100)].concat();
    let mut rig = Rig::open("{sending_queue: {num_consumers: 1, wait_for_result: true}}", []).await;
    rig.largest.store(90_000, Ordering::Relaxed);
    rig.consume(Traces::parse(wrap(&items)).unwrap()).await.unwrap_err();
    assert_eq!(rig.spans(), [100, 5, 0]);
    assert!(rig.times().len() < 40);
}
