//! The `batch` block of the queue: when requests are joined and sent, how they are split, and who hears of the result.

use http::HeaderMap;

use super::*;

/// Scenario: two small requests and then nothing, under the defaults.
/// Guarantees: they leave as one, 200 ms after the first.
#[tokio::test(start_paused = true)]
async fn timeout_sends() {
    let mut rig = Rig::open("{sending_queue: {batch: {}}}", []).await;
    rig.consume(spans(2)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(150)).await;
    rig.consume(spans(3)).await.unwrap();
    assert_eq!(rig.next_items().await, (5, 200));
    // The next batch has a time of its own.
    rig.consume(spans(1)).await.unwrap();
    assert_eq!(rig.next_items().await, (1, 400));
}

/// Scenario: requests up to `min_size`, counted in items and in bytes.
/// Guarantees: they leave as one as soon as it is reached.
#[tokio::test(start_paused = true)]
async fn min_size_sends() {
    let len = Batch::from(spans(4)).encoded_len();
    let by_items = "sizer: items, min_size: 10".to_owned();
    for options in [by_items, format!("sizer: bytes, min_size: {}", 2 * len + 1)] {
        let mut rig = Rig::open(&format!("{{sending_queue: {{batch: {{{options}}}}}}}"), []).await;
        for _ in 0..3 {
            rig.consume(spans(4)).await.unwrap();
        }
        assert_eq!(rig.next_items().await, (12, 0), "{options}");
        assert!(rig.is_quiet().await);
    }
}

/// Scenario: 25 spans with a `max_size` of 10 items, and of as many bytes as 10 spans take.
/// Guarantees: what leaves keeps to the limit, and nothing is lost or doubled.
#[tokio::test(start_paused = true)]
async fn max_size_splits() {
    let len = Batch::from(spans(10)).encoded_len();
    for (sizer, size) in [("items", 10), ("bytes", len)] {
        let yaml = format!("{{sending_queue: {{batch: {{sizer: {sizer}, min_size: {size}, max_size: {size}}}}}}}");
        let mut rig = Rig::open(&yaml, []).await;
        rig.consume(spans(25)).await.unwrap();
        let mut items = 0;
        while items < 25 {
            let one = rig.next().await;
            assert!(if sizer == "items" { one.items <= size } else { one.bytes <= size }, "{one:?}");
            items += one.items;
        }
        assert_eq!(items, 25);
        rig.exporter.shutdown().await.unwrap();
        assert_eq!(rig.spans(), [25, 0, 0]);
        assert!(rig.times().is_empty());
    }
}

/// Scenario: four requests of five spans, with batches of exactly eight; the last request waits for its result.
/// Guarantees: what a split leaves over is joined with what comes next, and leaves at the timeout at last; who waits hears once all of the
/// request is sent, and nothing takes room any more.
#[tokio::test(start_paused = true)]
async fn what_is_left_over_is_joined() {
    let yaml =
        "{sending_queue: {wait_for_result: true, sizer: items, batch: {min_size: 8, max_size: 8, flush_timeout: 10s}}}";
    let mut rig = Rig::open(yaml, []).await;
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(rig.consuming(spans(5)));
    }
    assert_eq!(rig.next_items().await, (8, 0));
    assert_eq!(rig.next_items().await, (8, 0));
    assert!(!answers[3].is_finished());
    assert_eq!(rig.next_items().await, (4, 10_000));
    for answer in answers {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(rig.exporter.shared.queue.size(), 0);
}

/// Scenario: the part of a request that fills a batch is refused for good, what is left over of it is taken.
/// Guarantees: its sender hears of the refusal, and not before the rest is done with.
#[tokio::test(start_paused = true)]
async fn a_part_that_is_refused_is_told() {
    let yaml = "{sending_queue: {wait_for_result: true, batch: {min_size: 4, max_size: 4, flush_timeout: 1s}}}";
    let rig = Rig::open(yaml, [refused()]).await;
    let began = Instant::now();
    let error = rig.consuming(spans(6)).await.unwrap().unwrap_err();
    assert_eq!((error.code, began.elapsed().as_millis()), (Code::InvalidArgument, 1000));
    assert_eq!(rig.spans(), [2, 4, 0]);
}

/// Scenario: requests of two tenants and of nobody, with a partition by the tenant; and without batches.
/// Guarantees: what leaves is of one tenant, whose it is is known, and nothing else about the client; without batches everything is.
#[tokio::test(start_paused = true)]
async fn partitions_stay_apart() {
    let of = |tenant: &'static str| {
        let headers = HeaderMap::from_iter([("x-tenant".parse().unwrap(), http::HeaderValue::from_static(tenant))]);
        Client { headers: Some(headers), ..Client::default() }
    };
    let mut rig = Rig::open("{sending_queue: {batch: {partition: {metadata_keys: [X-Tenant]}}}}", []).await;
    for (tenant, count) in [("a", 1), ("b", 2), ("a", 4)] {
        of(tenant).scope(rig.consume(spans(count))).await.unwrap();
    }
    rig.consume(spans(8)).await.unwrap();
    let mut sent = [rig.next().await, rig.next().await, rig.next().await].map(|one| (one.tenant, one.items));
    sent.sort();
    assert_eq!(sent, [(vec![], 8), (vec!["a".to_owned()], 5), (vec!["b".to_owned()], 2)]);

    let mut rig = Rig::open("{}", []).await;
    of("a").scope(rig.consume(spans(1))).await.unwrap();
    assert_eq!(rig.next().await.tenant, ["a"]);
}

/// Scenario: spans and log records in turn.
/// Guarantees: each signal has a batch of its own.
#[tokio::test(start_paused = true)]
async fn signals_stay_apart() {
    let mut rig = Rig::open("{sending_queue: {batch: {}}}", []).await;
    for _ in 0..2 {
        rig.consume(spans(1)).await.unwrap();
        rig.consume(records(2)).await.unwrap();
    }
    let (one, other) = (rig.next().await, rig.next().await);
    let mut seen = [(one.signal.as_str(), one.items), (other.signal.as_str(), other.items)];
    seen.sort();
    assert_eq!(seen, [("logs", 4), ("traces", 2)]);
}

/// Scenario: clients wait for the result of requests that are split into two batches, of which the backend refuses the second.
/// Guarantees: both are sent and counted by themselves, and who has a part in the second hears of the refusal.
#[tokio::test(start_paused = true)]
async fn who_has_a_part_hears_of_it() {
    let yaml = "{sending_queue: {wait_for_result: true, batch: {min_size: 4, max_size: 4}}}";
    let rig = Rig::open(yaml, [Ok(Answer::default()), refused()]).await;
    let (one, other) = (rig.consuming(spans(3)), rig.consuming(spans(3)));
    one.await.unwrap().unwrap();
    assert_eq!(other.await.unwrap().unwrap_err().code, Code::InvalidArgument);
    assert_eq!(rig.spans(), [4, 2, 0]);
}

/// Scenario: a queue for two requests, both of which wait to be joined.
/// Guarantees: what waits to be joined takes room in the queue, until it is sent.
#[tokio::test(start_paused = true)]
async fn waiting_requests_take_room() {
    let mut rig = Rig::open("{sending_queue: {queue_size: 2, batch: {}}}", []).await;
    rig.consume(spans(1)).await.unwrap();
    rig.consume(spans(1)).await.unwrap();
    assert!(rig.consume(spans(1)).await.unwrap_err().retryable);
    assert_eq!(rig.next_items().await, (2, 200));
    // The room is given back before the next timer runs.
    tokio::time::sleep(Duration::from_millis(1)).await;
    rig.consume(spans(1)).await.unwrap();
}

/// Scenario: the end comes long before a batch would be sent.
/// Guarantees: it is sent before shutdown is done.
#[tokio::test(start_paused = true)]
async fn shutdown_sends_what_is_held() {
    let mut rig = Rig::open("{sending_queue: {batch: {flush_timeout: 1h}}}", []).await;
    rig.consume(spans(2)).await.unwrap();
    rig.consume(records(1)).await.unwrap();
    rig.exporter.shutdown().await.unwrap();
    assert_eq!(rig.times(), [0, 0]);
    assert_eq!((rig.spans(), rig.counter("sent_log_records")), ([2, 0, 0], 1));
}
