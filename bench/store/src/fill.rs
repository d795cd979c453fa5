//! A day of spans, from OTLP bytes to one file an hour.

use std::path::Path;
use std::time::{Duration, Instant};

use spanmill_bench_kit::BenchError;
use spanmill_loadgen::day::Day;
use spanmill_otlp::Traces;
use spanmill_store::{Options, Store};

use crate::meter::{bytes_of, processor_time};

/// What filling a store took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filled {
    pub(crate) spans: u64,
    /// Bytes a span as OTLP.
    pub(crate) otlp_bytes: f64,
    /// Bytes a span in files of `spans`, and of the sums by the minute.
    pub(crate) file_bytes: [f64; 2],
    /// CPU time a span, in microseconds: to memory, to files, putting files together.
    pub(crate) micros: [f64; 3],
}

/// 22 November 2026, midnight.
pub(crate) const BEGIN_UNIX_NANO: u64 = 1_795_305_600_000_000_000;

/// Where a store that is used again says what filling it took.
const NOTE: &str = "filled.json";

/// The options of the store: as they are by default, but that the day may be any.
pub(crate) fn options(folder: &Path) -> Options {
    let mut options = Options::new(folder.to_string_lossy());
    options.max_past = Duration::from_secs(1 << 33);
    options.max_future = Duration::from_secs(1 << 33);
    options.grace = Duration::ZERO;
    options.query_threads = 2;
    options
}

/// Fills the folder, unless it is.
pub(crate) async fn fill(folder: &Path, spans: u64) -> Result<Filled, BenchError> {
    let note = folder.join(NOTE);
    if let Some(filled) = std::fs::read_to_string(&note).ok().and_then(|text| read(&text)) {
        println!("fill: {} spans are there already", filled.spans);
        return Ok(filled);
    }
    let store = Store::open(options(folder), "bench").await.map_err(other("opening the store"))?;
    let (mut otlp_bytes, mut sealed_bytes) = (0_usize, 0);
    let mut cpu = [Duration::ZERO; 3];
    let mut said = Instant::now();
    let mut done = 0_usize;
    for request in Day::new(BEGIN_UNIX_NANO, spans, 7) {
        otlp_bytes += request.len();
        let before = processor_time()?;
        let traces = Traces::parse(request).map_err(other("reading a request"))?;
        done += traces.span_count();
        store.add(&traces, None);
        let added = processor_time()?;
        cpu[0] += added.saturating_sub(before);
        if store.wants_seal() {
            sealed_bytes += store.seal().await.map_err(other("writing files"))?.bytes;
            cpu[1] += processor_time()?.saturating_sub(added);
        }
        if said.elapsed() > Duration::from_secs(5) {
            println!("fill: {done} of {spans} spans, {} MB in files", sealed_bytes / 1_000_000);
            said = Instant::now();
        }
    }
    let before = processor_time()?;
    store.seal().await.map_err(other("writing files"))?;
    let sealed = processor_time()?;
    cpu[1] += sealed.saturating_sub(before);
    // What is replaced goes in the round after.
    for _ in 0..2 {
        store.upkeep().await.map_err(other("putting files together"))?;
    }
    cpu[2] = processor_time()?.saturating_sub(sealed);
    let each = |total: f64| total / float(spans);
    let bytes = |table: &str| Ok::<_, BenchError>(each(float(bytes_of(&folder.join(table), &["parquet"])?)));
    let filled = Filled {
        spans,
        otlp_bytes: each(float(otlp_bytes as u64)),
        file_bytes: [bytes("spans")?, bytes("usage_1m")?],
        micros: cpu.map(|time| each(time.as_secs_f64() * 1e6)),
    };
    std::fs::write(&note, write(filled)).map_err(BenchError::io("writing a note"))?;
    println!("fill: {filled:?}");
    Ok(filled)
}

fn write(filled: Filled) -> String {
    let Filled { spans, otlp_bytes, file_bytes, micros } = filled;
    serde_json::json!([spans, otlp_bytes, file_bytes, micros]).to_string()
}

fn read(text: &str) -> Option<Filled> {
    let (spans, otlp_bytes, file_bytes, micros) = serde_json::from_str(text).ok()?;
    Some(Filled { spans, otlp_bytes, file_bytes, micros })
}

/// An error of the store, as one of the machine.
pub(crate) fn other<E: std::error::Error + Send + Sync + 'static>(what: &str) -> impl FnOnce(E) -> BenchError {
    let what = what.to_owned();
    move |error| BenchError::io(what)(std::io::Error::other(error))
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
pub(crate) fn float(number: u64) -> f64 {
    number as f64
}
