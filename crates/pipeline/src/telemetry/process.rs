//! What is measured of the process, when it is asked for.

use std::fs;
use std::time::Instant;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Counter, Gauge};

/// `otelcol_process_*`. On systems without `/proc` only the uptime is told.
pub(super) struct Process {
    began: Instant,
    uptime: Counter,
    cpu: Counter,
    resident: Gauge,
    obtained: Gauge,
}

// === impl Process ===

impl Process {
    /// Counts the uptime from now.
    pub(super) fn new() -> prometheus::Result<Self> {
        Ok(Self {
            began: Instant::now(),
            uptime: Counter::new("otelcol_process_uptime", "Uptime of the process")?,
            cpu: Counter::new("otelcol_process_cpu_seconds", "Total CPU user and system time in seconds")?,
            resident: Gauge::new("otelcol_process_memory_rss", "Total physical memory (resident set size)")?,
            obtained: Gauge::new(
                "otelcol_process_runtime_total_sys_memory_bytes",
                "Total bytes of memory obtained from the OS: resident pages that belong to no file",
            )?,
        })
    }

    fn refresh(&self) {
        advance(&self.uptime, self.began.elapsed().as_secs_f64());
        if let Some(seconds) = cpu_seconds() {
            advance(&self.cpu, seconds);
        }
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        for (gauge, field) in [(&self.resident, "VmRSS:"), (&self.obtained, "RssAnon:")] {
            if let Some(kilobytes) = status_field(&status, field) {
                gauge.set(kilobytes * 1024.0);
            }
        }
    }
}

impl Collector for Process {
    fn desc(&self) -> Vec<&Desc> {
        let counters = [&self.uptime, &self.cpu].into_iter().flat_map(Collector::desc);
        counters.chain([&self.resident, &self.obtained].into_iter().flat_map(Collector::desc)).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.refresh();
        let counters = [&self.uptime, &self.cpu].into_iter().flat_map(Collector::collect);
        counters.chain([&self.resident, &self.obtained].into_iter().flat_map(Collector::collect)).collect()
    }
}

fn advance(counter: &Counter, to: f64) {
    counter.inc_by((to - counter.get()).max(0.0));
}

/// User and system time of all threads. `/proc/self/schedstat` would be finer, but counts one thread.
fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may hold anything; what follows are numbers. User and system time are fields 14 and 15.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let (user, system) = (fields.next()?.parse::<f64>().ok()?, fields.next()?.parse::<f64>().ok()?);
    Some((user + system) / TICKS)
}

/// USER_HZ, which is 100 on every architecture that Linux has.
const TICKS: f64 = 100.0;

fn status_field(status: &str, field: &str) -> Option<f64> {
    let value = status.lines().find_map(|line| line.strip_prefix(field))?;
    value.trim().trim_end_matches("kB").trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: the process is measured twice, with work between.
    /// Guarantees: memory is more than nothing, and neither uptime nor CPU time goes back.
    #[test]
    #[cfg(target_os = "linux")]
    fn measures_this_process() {
        let process = Process::new().unwrap();
        let read = || {
            process.refresh();
            (process.uptime.get(), process.cpu.get(), process.resident.get(), process.obtained.get())
        };
        let first = read();
        let second = read();
        assert!(first.2 > 100_000.0 && first.3 > 10_000.0, "{first:?}");
        assert!(second.0 > first.0 && second.1 >= first.1, "{first:?} {second:?}");
    }
}
