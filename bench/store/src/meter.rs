//! Clocks and disks.

use std::path::Path;
use std::time::{Duration, Instant};

use spanmill_bench_kit::BenchError;

use crate::engine::Timed;

/// Takes the time of an answer.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    began: Instant,
    cpu: Duration,
}

// === impl Stopwatch ===

impl Stopwatch {
    pub(crate) fn start() -> Result<Self, BenchError> {
        Ok(Self { began: Instant::now(), cpu: processor_time()? })
    }

    /// What an answer of so many rows took.
    pub(crate) fn stop(&self, rows: usize) -> Result<Timed, BenchError> {
        let wall = self.began.elapsed();
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        Ok(Timed { wall: millis(wall), cpu: millis(processor_time()?.saturating_sub(self.cpu)), rows })
    }
}

/// Time on a processor of all threads of this process, in nanoseconds; the times of `/proc/self/stat` are too coarse for parts.
pub(crate) fn processor_time() -> Result<Duration, BenchError> {
    let failed = || BenchError::io("reading /proc/self/task");
    let mut total = 0_u64;
    for task in std::fs::read_dir("/proc/self/task").map_err(failed())? {
        let text = std::fs::read_to_string(task.map_err(failed())?.path().join("schedstat")).unwrap_or_default();
        total += text.split(' ').next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(total))
}

/// Bytes of all files under a folder whose names end in one of these ways.
pub(crate) fn bytes_of(folder: &Path, extensions: &[&str]) -> Result<u64, BenchError> {
    let failed = || BenchError::io(format!("reading {}", folder.display()));
    let mut total = 0;
    for entry in std::fs::read_dir(folder).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        let path = entry.path();
        if path.is_dir() {
            total += bytes_of(&path, extensions)?;
        } else if path.extension().is_some_and(|own| extensions.iter().any(|wanted| own == *wanted)) {
            total += entry.metadata().map_err(failed())?.len();
        }
    }
    Ok(total)
}
