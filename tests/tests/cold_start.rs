//! Spanmill is there at once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::process::Command;
use std::time::{Duration, Instant};

use spanmill_tests::collector::write_config;
use spanmill_tests::http::Client;
use spanmill_tests::process::{Running, connects, folder};
use spanmill_tests::{figure, ports, spanmill, spans};

/// How often it is started at least, and at most: machines that run tests are busy, so what counts is what it can do.
const STARTS: usize = 10;
const MOST_STARTS: usize = 100;

const LIMIT: Duration = Duration::from_millis(50);

/// Scenario: the release build is started with the `genai` processor and a receiver for gRPC and HTTP, again and again.
/// Guarantees: within 50 ms of its start it has taken a request (the best of the starts; the median is reported).
#[test]
fn serves_within_fifty_milliseconds() {
    let mut times = Vec::new();
    while times.len() < STARTS || (times.iter().all(|time| *time > LIMIT) && times.len() < MOST_STARTS) {
        times.push(start_and_serve());
    }
    times.sort_unstable();
    let [best, median] = [times[0], times[times.len() / 2]];
    figure("cold_start", &format!("start to serving: {best:.1?} at best, {median:.1?} median of {}", times.len()));
    assert!(best <= LIMIT, "{times:?}");
}

fn start_and_serve() -> Duration {
    let [grpc, http] = ports::several();
    let folder = folder("cold-start");
    let config = format!(
        "
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{grpc}'}}, http: {{endpoint: '127.0.0.1:{http}'}}}}}}}}
processors: {{genai: {{}}}}
exporters: {{nop: {{}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [genai], exporters: [nop]}}}}
"
    );
    let mut command = Command::new(spanmill());
    command.arg("--config").arg(write_config(&folder, &config));
    let request = spans::request("cold-start", 1, 1);
    let client = Client::new();

    let began = Instant::now();
    let mut process = Running::start("spanmill", &mut command, folder);
    while !(connects(grpc) && connects(http)) {
        assert!(process.ended().is_none() && began.elapsed() < Duration::from_secs(30), "{}", process.log());
        spanmill_tests::wait::pause(Duration::from_micros(200));
    }
    assert_eq!(client.export(http, &request).status, 200);
    began.elapsed()
}
