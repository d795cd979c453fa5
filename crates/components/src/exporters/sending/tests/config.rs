//! What is refused in `sending_queue` and `retry_on_failure`.

use super::*;

fn check(yaml: &str) -> Result<(), String> {
    let section = Section::from_yaml("exporters::test", yaml).unwrap();
    let read = || {
        let options: Options = section.parse()?;
        options.sending_queue.check(&section)?;
        options.retry_on_failure.check(&section)
    };
    // One problem, without the place, which is that of a text in memory.
    read().map_err(|error| {
        let problem = &error.problems()[0];
        format!("{}: {}", problem.path.trim_start_matches("exporters::test::"), problem.message)
    })
}

/// Scenario: values that cannot be meant, each by itself.
/// Guarantees: each is refused in the Collector's words, with the path of the option.
#[test]
fn refused() {
    for (yaml, expected) in [
        ("{sending_queue: {num_consumers: 0}}", "sending_queue::num_consumers: `num_consumers` must be positive"),
        ("{sending_queue: {queue_size: 0}}", "sending_queue::queue_size: `queue_size` must be positive"),
        (
            "{sending_queue: {storage: file_storage, wait_for_result: true}}",
            "sending_queue::wait_for_result: `wait_for_result` is not supported with a persistent queue configured with `storage`",
        ),
        (
            "{sending_queue: {batch: {sizer: requests}}}",
            "sending_queue::batch::sizer: `batch` supports only `items` or `bytes` sizer",
        ),
        (
            "{sending_queue: {sizer: requests, batch: {min_size: 1}}}",
            "sending_queue::batch::sizer: `batch` supports only `items` or `bytes` sizer",
        ),
        (
            "{sending_queue: {sizer: bytes, queue_size: 10, batch: {min_size: 11}}}",
            "sending_queue::batch::min_size: `min_size` must be less than or equal to `queue_size`",
        ),
        (
            "{sending_queue: {batch: {flush_timeout: 0s}}}",
            "sending_queue::batch::flush_timeout: `flush_timeout` must be positive",
        ),
        (
            "{sending_queue: {batch: {min_size: 20, max_size: 10}}}",
            "sending_queue::batch::max_size: `max_size` (10) must be greater or equal to `min_size` (20)",
        ),
        (
            "{sending_queue: {sizer: items, queue_size: 10, batch: {min_size: 11}}}",
            "sending_queue::batch::min_size: `min_size` must be less than or equal to `queue_size`",
        ),
        (
            "{sending_queue: {batch: {partition: {metadata_keys: [tenant, Tenant]}}}}",
            "sending_queue::batch::partition::metadata_keys: duplicate entry in metadata_keys: \"tenant\" (case-insensitive)",
        ),
        (
            "{retry_on_failure: {initial_interval: -1s}}",
            "retry_on_failure::initial_interval: 'initial_interval' must be non-negative",
        ),
        (
            "{retry_on_failure: {randomization_factor: 1.5}}",
            "retry_on_failure::randomization_factor: 'randomization_factor' must be within [0, 1]",
        ),
        ("{retry_on_failure: {multiplier: -1}}", "retry_on_failure::multiplier: 'multiplier' must be non-negative"),
        (
            "{retry_on_failure: {max_interval: -1s}}",
            "retry_on_failure::max_interval: 'max_interval' must be non-negative",
        ),
        (
            "{retry_on_failure: {max_elapsed_time: -1s}}",
            "retry_on_failure::max_elapsed_time: 'max_elapsed_time' must be non-negative",
        ),
        (
            "{retry_on_failure: {max_elapsed_time: 1s}}",
            "retry_on_failure::max_elapsed_time: 'max_elapsed_time' must not be less than 'initial_interval'",
        ),
        (
            "{retry_on_failure: {max_elapsed_time: 20s}}",
            "retry_on_failure::max_elapsed_time: 'max_elapsed_time' must not be less than 'max_interval'",
        ),
    ] {
        assert_eq!(check(yaml).unwrap_err(), expected, "{yaml}");
    }
}

/// Scenario: the same values in blocks that are off, and sizes that cannot be compared.
/// Guarantees: they are accepted, as in the Collector.
#[test]
fn accepted() {
    for yaml in [
        "{}",
        "{sending_queue: {enabled: false, num_consumers: 0, queue_size: 0}}",
        "{sending_queue: {batch: {enabled: false, flush_timeout: 0s}}}",
        "{sending_queue: {storage: file_storage}}",
        "{sending_queue: {queue_size: 10, batch: {min_size: 11}}}",
        "{retry_on_failure: {enabled: false, randomization_factor: 1}}",
        "{retry_on_failure: {max_elapsed_time: 0s, initial_interval: 1h}}",
    ] {
        check(yaml).unwrap();
    }
}
