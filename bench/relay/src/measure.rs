//! One measurement: a sink, a subject, load, and the difference of the CPU clocks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use spanmill_bench_kit::BenchError;
use spanmill_bench_kit::cores::Cores;
use spanmill_bench_kit::load::{Sent, send};
use spanmill_bench_kit::process::{Process, free_port};
use spanmill_bench_kit::traffic::{SPANS, Traffic};

use crate::inspect;
use crate::sink::Sink;
use crate::subject::{Binaries, Subject};

/// What was seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// CPU time per span taken in, in microseconds.
    pub(crate) micros: f64,
    /// Spans per second that it took in; with clients that wait for each answer.
    pub(crate) spans_per_second: f64,
    /// The most memory it ever held, in MiB.
    pub(crate) peak_mib: f64,
    /// From its start until it listened, in milliseconds.
    pub(crate) start_up_millis: f64,
    /// Requests that it refused.
    pub(crate) refused: u64,
    /// Spans that it took in, should have passed on, and did not.
    pub(crate) lost: u64,
}

/// How long traffic runs before the clocks are read.
const WARM_UP: Duration = Duration::from_secs(1);

/// Measures under the load of so many clients for so long; `None` where the subject's binary is missing.
pub(crate) async fn measure(
    subject: Subject,
    binaries: &Binaries,
    traffic: &Arc<Traffic>,
    load: (usize, Duration),
    cores: Cores,
) -> Result<Option<Measured>, BenchError> {
    let (clients, duration) = load;
    let sink = Sink::start().await?;
    let port = free_port().await?;
    let folder = tempfile::tempdir().map_err(BenchError::io("making a folder"))?;
    let command = subject.command(binaries, (port, sink.port), traffic.compression(), folder.path())?;
    let Some(command) = command else { return Ok(None) };
    let mut process = Process::start(subject.name(), command, folder, cores)?;
    let start_up = process.listens(port).await?;

    let passing = traffic.passing();
    let expected = |sent: &Sent| -> u64 {
        let spans = |number: &u64| match passing.get(traffic.kind(*number)) {
            Some(left) if subject.filters() => *left,
            _ => count(SPANS),
        };
        sent.accepted.iter().map(spans).sum()
    };

    let warm = send(port, traffic, 0, clients, WARM_UP).await?;
    if warm.accepted.is_empty() {
        return Err(process.problem(format!("it takes nothing: {}", warm.problem.unwrap_or_default())));
    }
    if subject.relays() {
        sink.wait_for(expected(&warm)).await;
        if let Some(problem) = inspect::problem(subject, sink.last()) {
            return Err(process.problem(problem));
        }
    }

    let (arrived, cpu, since) = (sink.spans(), process.cpu()?, Instant::now());
    let first = count(warm.accepted.len()) + warm.refused;
    let sent = send(port, traffic, first, clients, duration).await?;
    let elapsed = since.elapsed();
    let mut lost = 0;
    if subject.relays() {
        let wanted = arrived + expected(&sent);
        lost = wanted.saturating_sub(sink.wait_for(wanted).await);
    }
    let used = process.cpu()?.saturating_sub(cpu);
    let spans = float(count(sent.accepted.len() * SPANS));
    Ok(Some(Measured {
        micros: used.as_secs_f64() * 1e6 / spans,
        spans_per_second: spans / elapsed.as_secs_f64(),
        peak_mib: process.peak_mib()?,
        start_up_millis: start_up.as_secs_f64() * 1e3,
        refused: sent.refused,
        lost,
    }))
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "counts of spans stay far below 2^53")]
fn float(number: u64) -> f64 {
    number as f64
}
