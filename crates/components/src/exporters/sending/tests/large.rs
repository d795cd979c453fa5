//! Backends that take smaller requests only.

use super::*;

fn too_large() -> Result<Answer, SendError> {
    Err(SendError { too_large: true, ..SendError::permanent(Code::ResourceExhausted, "larger than max") })
}

/// Scenario: a backend refuses a request of eight spans and then one of four as too large; later comes another one of eight.
/// Guarantees: everything arrives in pieces that the backend takes, in order; the second time no request is too large.
#[tokio::test(start_paused = true)]
async fn requests_are_halved() {
    let mut rig = Rig::open("{sending_queue: {num_consumers: 1}}", [too_large(), too_large()]).await;
    rig.consume(spans(8)).await.unwrap();
    let mut items = Vec::new();
    while items.iter().skip(2).sum::<usize>() < 8 {
        items.push(rig.next().await.items);
    }
    assert_eq!(items.first(), Some(&8));
    let largest = items.iter().skip(2).max().copied().unwrap();
    assert!(largest < 4, "{items:?}");
    rig.consume(spans(8)).await.unwrap();
    rig.exporter.shutdown().await.unwrap();
    let mut again = 0;
    while let Ok(one) = rig.tries.try_recv() {
        assert!(one.items <= largest, "{one:?}");
        again += one.items;
    }
    assert_eq!((again, rig.spans()), (8, [16, 0, 0]));
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
