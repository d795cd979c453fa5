//! What ownership costs when very many traces are open: nanoseconds a span with an empty usage memory, and after a million traces
//! passed; with the default memory, which forgets most of them, and with one that holds them all.
//! `cargo run --release -p spanmill-genai --example open_traces`

use std::error::Error;
use std::time::{Duration, Instant};

use spanmill_genai::{Engine, Options};
use spanmill_loadgen::Template;
use spanmill_loadgen::shape::Shape;
use spanmill_otlp::Traces;

const SPANS: usize = 512;
/// Each span of the template is a trace of its own.
const TRACES: usize = 1_000_000;
const WINDOW: usize = 200;

fn main() -> Result<(), Box<dyn Error>> {
    for memory in [Options::default().usage_memory, 128 << 20] {
        let engine = Engine::new(&Options { usage_memory: memory, ..Options::default() })?;
        let template = Template::new(Shape::Small, SPANS, 1);
        let mut times: Vec<Duration> = Vec::new();
        let mut evicted = 0;
        for number in 0..(TRACES / SPANS + WINDOW) as u64 {
            let mut traces = Traces::parse(template.fresh(number))?;
            let begin = Instant::now();
            evicted += engine.process(&mut traces).evicted;
            times.push(begin.elapsed());
        }
        // The lower quartile: what others do on the machine only adds.
        let quartile = |times: &[Duration]| {
            let mut times = times.to_vec();
            times.sort_unstable();
            times.get(times.len() / 4).map_or(0, |time| time.as_nanos() as u64 / SPANS as u64)
        };
        let (first, last) = (times.get(..WINDOW).unwrap_or(&[]), times.get(times.len() - WINDOW..).unwrap_or(&[]));
        println!(
            "{:4} MiB: {:4} ns a span with no open trace, {:4} ns with a million; {evicted} entries gave way, peak memory {} MiB",
            memory >> 20,
            quartile(first),
            quartile(last),
            peak_mib(),
        );
    }
    Ok(())
}

/// Peak memory of the process, where the system tells it.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
