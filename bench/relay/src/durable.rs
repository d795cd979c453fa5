//! What a queue on disk takes in that is synced before a request is answered: spans a second and latency, beside what the disk does with the
//! same bytes in the same run.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use spanmill_bench_kit::BenchError;
use spanmill_bench_kit::cores::Cores;
use spanmill_bench_kit::load::{self, Load, Until, send};
use spanmill_bench_kit::process::{Process, free_port};
use spanmill_bench_kit::statistics::Summary;
use spanmill_bench_kit::traffic::{Compression, Traffic};
use spanmill_loadgen::shape::Shape;

use crate::options::Durable;
use crate::sink::Sink;
use crate::subject::{Binaries, Subject};

/// Size of the file that the disk alone is measured with, as the queue's segments have it.
const SEGMENT: u64 = 64 << 20;
/// How long the disk alone is measured.
const ALONE: Duration = Duration::from_secs(1);
const WARM_UP: Duration = Duration::from_secs(1);
const SUBJECTS: [Subject; 2] = [Subject::SpanmillDurable, Subject::OtelcolDurable];

/// What one repetition saw, times in milliseconds.
struct Seen {
    spans_per_second: f64,
    p50: f64,
    p99: f64,
    refused: u64,
}

/// Measures and prints.
pub(crate) fn run(options: &Durable) -> Result<(), BenchError> {
    let binaries = Binaries::find(&SUBJECTS)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(BenchError::io("starting a runtime"))?;
    let traffic = Arc::new(Traffic::of(Shape::Small, Compression::None, options.spans));
    let request = traffic.frame(0).len();
    let (mut limits, mut syncs, mut group_syncs) = (Vec::new(), Vec::new(), Vec::new());
    let mut seen: [Vec<Seen>; 2] = Default::default();
    for _ in 0..options.reps {
        let folder = tempfile::tempdir().map_err(BenchError::io("making a folder"))?;
        // Every sender waits for its answer: no group holds more than a request of each.
        let groups = alone(folder.path(), request * options.clients)?;
        limits.push(spans(options.clients * options.spans * groups.len()) / ALONE.as_secs_f64());
        group_syncs.push(quantile(&groups, 0.5));
        syncs.push(quantile(&alone(folder.path(), request)?, 0.5));
        for (subject, seen) in SUBJECTS.into_iter().zip(&mut seen) {
            seen.extend(runtime.block_on(measure(subject, &binaries, &traffic, options))?);
        }
    }
    let median = |values: &[f64]| Summary::of(values.iter().copied()).map_or(f64::NAN, |summary| summary.median);
    let (limit, sync, group_sync) = (median(&limits), median(&syncs), median(&group_syncs));
    println!("{} clients, {} spans ({request} bytes) a request", options.clients, options.spans);
    println!("the disk alone: {limit:.0} spans/s in groups of a request of each client, each written and synced");
    println!("to write and sync: {group_sync:.2} ms for such a group, {sync:.2} ms for one request");
    for (subject, seen) in SUBJECTS.into_iter().zip(&seen) {
        let of = |figure: fn(&Seen) -> f64| median(&seen.iter().map(figure).collect::<Vec<_>>());
        let (rate, p50, p99) = (of(|seen| seen.spans_per_second), of(|seen| seen.p50), of(|seen| seen.p99));
        let refused: u64 = seen.iter().map(|seen| seen.refused).sum();
        println!(
            "{}: {rate:.0} spans/s, {:.2} of the disk's; p50 {p50:.2} ms, {:.2} of a group's sync; p99 {p99:.2} ms; {refused} refused",
            subject.name(),
            rate / limit,
            p50 / group_sync,
        );
    }
    Ok(())
}

/// How long each write of so many bytes takes, synced, to a file that was written before.
fn alone(folder: &Path, bytes: usize) -> Result<Vec<Duration>, BenchError> {
    let failed = || BenchError::io("measuring the disk alone");
    let mut file = File::create(folder.join("alone")).map_err(failed())?;
    file.write_all(&vec![0; SEGMENT as usize]).and_then(|()| file.sync_all()).map_err(failed())?;
    file.rewind().map_err(failed())?;
    let payload: Vec<u8> = (0..bytes).map(|byte| byte as u8).collect();
    let (began, mut times) = (Instant::now(), Vec::new());
    while began.elapsed() < ALONE {
        let began = Instant::now();
        if file.stream_position().map_err(failed())? + bytes as u64 > SEGMENT {
            file.rewind().map_err(failed())?;
        }
        file.write_all(&payload).and_then(|()| file.sync_data()).map_err(failed())?;
        times.push(began.elapsed());
    }
    Ok(times)
}

async fn measure(
    subject: Subject,
    binaries: &Binaries,
    traffic: &Arc<Traffic>,
    options: &Durable,
) -> Result<Option<Seen>, BenchError> {
    let (sink, port) = (Sink::start().await?, free_port().await?);
    let folder = tempfile::tempdir().map_err(BenchError::io("making a folder"))?;
    let command = subject.command(binaries, (port, sink.port), Compression::None, folder.path())?;
    let Some(command) = command else { return Ok(None) };
    // The disk's own threads need cores, too.
    let mut process = Process::start(subject.name(), command, folder, Cores::Shared)?;
    process.listens(port).await?;
    let warm = send(port, traffic, 0, options.clients, WARM_UP).await?;
    if warm.accepted.is_empty() {
        return Err(process.problem(format!("it takes nothing: {}", warm.problem.unwrap_or_default())));
    }
    let (first, since) = (warm.accepted.len() as u64 + warm.refused, Instant::now());
    let every = options.rate.map(|rate| Duration::from_secs_f64(spans(options.spans) / f64::from(rate)));
    let until = Until::Time(since + Duration::from_secs(options.seconds));
    let sent = load::run(port, traffic, first, Load { until, clients: options.clients, every }).await?;
    let elapsed = since.elapsed();
    Ok(Some(Seen {
        spans_per_second: spans(sent.accepted.len() * options.spans) / elapsed.as_secs_f64(),
        p50: quantile(&sent.latencies, 0.5),
        p99: quantile(&sent.latencies, 0.99),
        refused: sent.refused,
    }))
}

/// In milliseconds.
fn quantile(times: &[Duration], share: f64) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    let at = (spans(times.len()) * share) as usize;
    times.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

#[expect(clippy::cast_precision_loss, reason = "counts of spans stay far below 2^53")]
fn spans(count: usize) -> f64 {
    count as f64
}
