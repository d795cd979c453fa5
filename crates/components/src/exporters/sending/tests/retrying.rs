//! When a failed request is tried again, when it is not, and how that is counted.

use super::*;
use crate::exporters::sending::retry::Schedule;

/// Scenario: a backend that is away for six tries, with no randomness in the schedule.
/// Guarantees: waits grow by the multiplier up to the longest; the request counts once, as sent.
#[tokio::test(start_paused = true)]
async fn waits_grow() {
    let yaml = "{sending_queue: {enabled: false}, retry_on_failure: \
                {initial_interval: 1s, multiplier: 2, max_interval: 5s, randomization_factor: 0}}";
    let mut rig = Rig::open(yaml, (0..6).map(|_| away())).await;
    rig.consume(spans(3)).await.unwrap();
    assert_eq!(rig.times(), [0, 1000, 3000, 7000, 12000, 17000, 22000]);
    assert_eq!(rig.spans(), [3, 0, 0]);
}

/// Scenario: the default schedule, a hundred times.
/// Guarantees: the first wait is 5 s, more or less by a half, and not always the same.
#[test]
fn waits_vary() {
    let error = SendError::unreachable("away");
    let mut waits: Vec<Duration> = (0..100)
        .map(|_| Schedule::new(&RetryOnFailure::default(), false).next(&error).unwrap())
        .inspect(|wait| assert!((2.5..=7.5).contains(&wait.as_secs_f64()), "{wait:?}"))
        .collect();
    waits.sort();
    waits.dedup();
    assert!(waits.len() > 10);
}

/// Scenario: a backend that asks for waits of 7 s and 100 ms, under a schedule with randomness.
/// Guarantees: it waits exactly so long.
#[tokio::test(start_paused = true)]
async fn backend_names_the_wait() {
    let answers = [throttled(Duration::from_secs(7)), throttled(Duration::from_millis(100))];
    let mut rig = Rig::open("{sending_queue: {enabled: false}}", answers).await;
    rig.consume(spans(1)).await.unwrap();
    assert_eq!(rig.times(), [0, 7000, 7100]);
}

/// Scenario: a refusal for good, and a failure with retries turned off.
/// Guarantees: neither is tried again; both are counted as failed, and the client is told which it was.
#[tokio::test(start_paused = true)]
async fn not_tried_again() {
    for (yaml, answer, retryable) in [
        ("{sending_queue: {enabled: false}}", refused(), false),
        ("{sending_queue: {enabled: false}, retry_on_failure: {enabled: false}}", away(), true),
    ] {
        let mut rig = Rig::open(yaml, [answer]).await;
        assert_eq!(rig.consume(spans(4)).await.unwrap_err().retryable, retryable);
        assert_eq!(rig.times(), [0]);
        assert_eq!(rig.spans(), [0, 4, 0]);
    }
}

/// Scenario: a backend that stays away for longer than `max_elapsed_time`.
/// Guarantees: the last try is within the time; the request is counted as failed once, under its signal.
#[tokio::test(start_paused = true)]
async fn gives_up() {
    let yaml = "{sending_queue: {enabled: false}, retry_on_failure: {initial_interval: 1s, multiplier: 1, \
                max_interval: 1s, max_elapsed_time: 3s, randomization_factor: 0}}";
    let mut rig = Rig::open(yaml, (0..100).map(|_| away())).await;
    assert_eq!(&*rig.consume(records(4)).await.unwrap_err().message, "away");
    assert_eq!(rig.times(), [0, 1000, 2000, 3000]);
    assert_eq!((rig.counter("send_failed_log_records"), rig.spans()), (4, [0, 0, 0]));
}

/// Scenario: a backend that asks for a wait beyond `max_elapsed_time`, up to the longest that can be written.
/// Guarantees: it is given up at once instead of waiting for nothing, and nothing overflows.
#[tokio::test(start_paused = true)]
async fn gives_up_before_a_wait_that_is_too_long() {
    for wait in [Duration::from_secs(301), Duration::MAX] {
        let mut rig = Rig::open("{sending_queue: {enabled: false}}", [throttled(wait)]).await;
        rig.consume(spans(1)).await.unwrap_err();
        assert_eq!(rig.times(), [0]);
    }
}

/// Scenario: a backend that is away for 500 tries, with a `max_elapsed_time` of zero.
/// Guarantees: it is never given up.
#[tokio::test(start_paused = true)]
async fn never_gives_up() {
    let yaml = "{sending_queue: {enabled: false}, retry_on_failure: {max_elapsed_time: 0s}}";
    let mut rig = Rig::open(yaml, (0..500).map(|_| away())).await;
    rig.consume(spans(1)).await.unwrap();
    assert_eq!(rig.times().len(), 501);
    assert_eq!(rig.spans(), [1, 0, 0]);
}

/// Scenario: a backend that refuses two of five spans, one that refuses more than it was sent, and one that only warns.
/// Guarantees: none of it is sent again; what was refused counts as failed and the rest as sent.
#[tokio::test(start_paused = true)]
async fn partial_success() {
    for (rejected, counted) in [(2, [3, 2, 0]), (u64::MAX, [0, 5, 0]), (0, [5, 0, 0])] {
        let answer = Answer { rejected, message: "too old".to_owned() };
        let mut rig = Rig::open("{sending_queue: {enabled: false}}", [Ok(answer)]).await;
        rig.consume(spans(5)).await.unwrap();
        assert_eq!(rig.times(), [0]);
        assert_eq!(rig.spans(), counted);
    }
}
