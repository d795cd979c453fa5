//! Memory while spans come and come.

use std::sync::Arc;
use std::time::{Duration, Instant};

use spanmill_bench_kit::BenchError;
use spanmill_bench_kit::load::{CLIENTS, Load, Until, run};
use spanmill_bench_kit::traffic::{Compression, SPANS, Traffic};
use spanmill_loadgen::shape::Shape;
use xtask::product;

use crate::fill::float;
use crate::ingest::{Subject, start, tempdir};

/// What was seen.
#[derive(Debug, Clone)]
pub(crate) struct Sustained {
    pub(crate) minutes: u64,
    /// Spans a second that were taken in.
    pub(crate) rate: f64,
    pub(crate) refused: u64,
    /// The most memory in each minute, in MiB.
    pub(crate) mib: Vec<f64>,
    /// CPU time a span, in microseconds.
    pub(crate) micros: f64,
}

const RATE: u64 = 20_000;

/// Sends 20,000 spans a second for so many minutes.
pub(crate) async fn sustain(minutes: u64) -> Result<Sustained, BenchError> {
    let binary = product::binary()?;
    let (folder, data) = (tempdir()?, tempdir()?);
    let (process, port) = start(Subject::Spanmill, &binary, folder, data.path()).await?;
    let traffic = Arc::new(Traffic::new(Shape::Small, Compression::None));
    let requests = minutes * 60 * RATE / SPANS as u64;
    let every = Duration::from_secs(1).mul_f64(float(SPANS as u64) / float(RATE));
    let began = Instant::now();
    let sending = tokio::spawn(async move {
        run(port, &traffic, 0, Load { until: Until::Count(requests), clients: CLIENTS, every: Some(every) }).await
    });
    let mut mib: Vec<f64> = Vec::new();
    while !sending.is_finished() {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let minute = usize::try_from(began.elapsed().as_secs() / 60).unwrap_or(0);
        let now = process.resident_mib()?;
        match mib.get_mut(minute) {
            Some(most) => *most = most.max(now),
            None => {
                println!(
                    "sustain: minute {}, {now:.0} MiB, at most {:.0} before",
                    minute + 1,
                    mib.last().unwrap_or(&now)
                );
                mib.push(now);
            }
        }
    }
    let took = began.elapsed();
    let sent = sending.await.unwrap_or_else(|error| Err(BenchError::io("sending")(std::io::Error::other(error))))?;
    let spans = float(sent.accepted.len() as u64 * SPANS as u64);
    let cpu = process.finish(Duration::from_secs(120))?;
    mib.truncate(usize::try_from(minutes).unwrap_or(usize::MAX).max(1));
    let micros = cpu.as_secs_f64() * 1e6 / spans;
    Ok(Sustained { minutes, rate: spans / took.as_secs_f64(), refused: sent.refused, mib, micros })
}
