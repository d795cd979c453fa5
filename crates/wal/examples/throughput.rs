//! What fsync before acknowledgement costs, beside the disk's own limit in the same run.
//!
//! `cargo run -p spanmill-wal --example throughput -- [directory] [records] [senders] [bytes]`. Run it on the disk in question:
//! the directory is created and removed, 32 senders of 32 KiB are the default. A reader consumes beside the senders, as in
//! use: once it commits, so that segments are used again, once it does not. Rounds of the log and of the plain loop alternate, so that both see the same neighbours.

use std::error::Error;
use std::fs::{self, File};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use spanmill_wal::{Options, Wal};

/// What a round measured.
struct Round {
    records: u64,
    bytes: u64,
    syncs: u64,
    took: Duration,
    /// Of each append, or of each write and sync.
    latencies: Vec<Duration>,
}

const ROUNDS: usize = 5;

/// Records between two commits of the reader.
const COMMIT_EVERY: u64 = 300;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().unwrap_or_else(|| "throughput-log".into()));
    let records = arguments.next().map_or(Ok(20_000), |text| text.parse::<usize>())?;
    let senders = arguments.next().map_or(Ok(32), |text| text.parse::<usize>())?;
    let bytes = arguments.next().map_or(Ok(32 << 10), |text| text.parse::<usize>())?;
    fs::create_dir_all(&dir)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;

    for (name, keeps_up) in [("a reader keeps up", true), ("the backlog grows", false)] {
        println!("{name}:");
        let (mut throughput, mut latency) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let log = runtime.block_on(log(dir.join("log"), records, senders, bytes, keeps_up))?;
            log.print("log");
            let group = log.bytes / log.syncs.max(1);
            let plain = plain(&dir.join("plain"), log.bytes, usize::try_from(group)?)?;
            plain.print("plain");
            throughput.push(log.bytes_a_second() / plain.bytes_a_second());
            latency.push(log.quantile_ms(0.5) / plain.quantile_ms(0.5));
        }
        throughput.sort_by(f64::total_cmp);
        latency.sort_by(f64::total_cmp);
        println!("  bytes a second, log / plain: {throughput:.2?}; p50, log / plain: {latency:.2?}");
    }
    fs::remove_dir_all(&dir)?;
    Ok(())
}

async fn log(
    dir: PathBuf,
    records: usize,
    senders: usize,
    bytes: usize,
    keeps_up: bool,
) -> Result<Round, Box<dyn Error>> {
    let wal = Wal::open(&dir, Options::default()).await?;
    let mut reader = wal.reader("reader").await?;
    let consume = tokio::spawn(async move {
        let mut read = 0_u64;
        while let Ok(record) = reader.next().await {
            read += 1;
            if keeps_up && read.is_multiple_of(COMMIT_EVERY) {
                let _ = reader.commit(record.seq).await;
            }
        }
    });
    let payload = Bytes::from((0..bytes).map(|byte| byte as u8).collect::<Vec<_>>());
    let before = wal.stats();
    let start = Instant::now();
    let senders = (0..senders).map(|_| {
        let (wal, payload) = (wal.clone(), payload.clone());
        tokio::spawn(async move {
            let mut latencies = Vec::new();
            for _ in 0..records / senders {
                let start = Instant::now();
                wal.append(0, payload.clone()).await?;
                latencies.push(start.elapsed());
            }
            Ok::<_, spanmill_wal::AppendError>(latencies)
        })
    });
    let mut latencies = Vec::new();
    for sender in senders.collect::<Vec<_>>() {
        latencies.extend(sender.await??);
    }
    let took = start.elapsed();
    let stats = wal.stats();
    wal.close().await?;
    consume.await?;
    fs::remove_dir_all(&dir)?;
    Ok(Round {
        records: stats.appended_records - before.appended_records,
        bytes: stats.appended_bytes - before.appended_bytes,
        syncs: stats.fsyncs - before.fsyncs,
        took,
        latencies,
    })
}

/// The same bytes in writes of the same size, each followed by a sync, into a file of zeros of the size of a segment.
fn plain(path: &Path, bytes: u64, group: usize) -> Result<Round, Box<dyn Error>> {
    let segment = 64 << 20;
    let mut file = File::options().create(true).truncate(true).write(true).open(path)?;
    file.write_all(&vec![0; segment])?;
    file.sync_all()?;
    let payload = (0..group).map(|byte| byte as u8).collect::<Vec<_>>();
    let mut latencies = Vec::new();
    let mut written = 0;
    let start = Instant::now();
    while written < bytes {
        let start = Instant::now();
        if file.stream_position()? + group as u64 > segment as u64 {
            file.rewind()?;
        }
        file.write_all(&payload)?;
        file.sync_data()?;
        written += group as u64;
        latencies.push(start.elapsed());
    }
    let took = start.elapsed();
    fs::remove_file(path)?;
    let syncs = latencies.len() as u64;
    Ok(Round { records: syncs, bytes: written, syncs, took, latencies })
}

// === impl Round ===

impl Round {
    fn bytes_a_second(&self) -> f64 {
        self.bytes as f64 / self.took.as_secs_f64()
    }

    fn quantile_ms(&self, share: f64) -> f64 {
        let mut latencies = self.latencies.clone();
        latencies.sort();
        let place = ((latencies.len().max(1) - 1) as f64 * share) as usize;
        latencies.get(place).map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    }

    fn print(&self, name: &str) {
        println!(
            "{name:>7}: {:>6.0} writes/s {:>5.0} MB/s  p50 {:.2} ms  p99 {:.2} ms  {} fdatasyncs of {} KiB",
            self.records as f64 / self.took.as_secs_f64(),
            self.bytes_a_second() / 1e6,
            self.quantile_ms(0.5),
            self.quantile_ms(0.99),
            self.syncs,
            self.bytes / self.syncs.max(1) / 1024,
        );
    }
}
