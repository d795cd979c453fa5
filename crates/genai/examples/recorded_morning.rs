//! Writes simulated traffic as the engine leaves it, for tests of what comes after the engine, and what really happened:
//! `cargo run -p spanmill-genai --example recorded_morning -- crates/query/tests/data`
//!
//! `morning.otlp` is a sequence of requests in protobuf, each behind its length in four bytes, the highest first; `morning.json` lists
//! the calls.

use std::error::Error;
use std::time::Duration;

use serde_json::json;
use spanmill_genai::{Engine, Options};
use spanmill_loadgen::{Options as TrafficOptions, Traffic};
use spanmill_otlp::Traces;

/// 26 November 2026, 12:00 UTC.
const NOON: u64 = 1_795_694_400_000_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let options = TrafficOptions { seed: 7, calls: 800, now_unix_nano: NOON, period: Duration::from_secs(4 * 3_600) };
    let traffic = Traffic::generate(&options);
    let engine = Engine::new(&Options::default())?;
    let mut requests = Vec::new();
    for export in traffic.exports {
        let mut traces = Traces::parse(export.bytes)?;
        engine.process(&mut traces);
        let bytes = traces.encode();
        requests.extend_from_slice(&u32::try_from(bytes.len())?.to_be_bytes());
        requests.extend_from_slice(&bytes);
    }
    let calls: Vec<_> = traffic
        .truth
        .calls
        .iter()
        .map(|call| {
            json!({
                "service": call.service,
                "provider": call.provider,
                "model": call.response_model,
                "trace_id": call.trace_id.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
                "start_unix_nano": call.start_unix_nano,
                "duration_ns": u64::try_from(call.duration.as_nanos()).unwrap_or(u64::MAX),
                "ttft_ns": call.time_to_first_token.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
                "input_tokens": call.input_tokens,
                "cached_tokens": call.cached_tokens,
                "output_tokens": call.output_tokens,
                "answered": call.outcome.is_ok(),
                "duplicates": call.duplicates,
                "slow_small": call.slow_small().map(|cause| cause.as_str()),
            })
        })
        .collect();
    std::fs::create_dir_all(&folder)?;
    std::fs::write(format!("{folder}/morning.otlp"), requests)?;
    std::fs::write(format!("{folder}/morning.json"), serde_json::to_vec(&calls)?)?;
    Ok(())
}
