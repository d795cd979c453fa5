//! The memory of this process.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Memory that can be measured, and given back.
pub(super) trait Memory: Send {
    /// Bytes in use; none where that cannot be told.
    fn used(&self) -> Option<u64>;
    /// Gives what was freed and is still held back to the system.
    fn give_back(&self);
}

/// What the system says of this process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process;

/// Several pipelines have a limiter each, but the memory is one: within this time of one giving back, the others need not.
const SHARED: Duration = Duration::from_millis(500);

static GIVEN_BACK: Mutex<Option<Instant>> = Mutex::new(None);

// === impl Process ===

impl Memory for Process {
    /// Resident pages that belong to no file: the program's own code is not what can be saved on.
    fn used(&self) -> Option<u64> {
        parse(&std::fs::read_to_string("/proc/self/status").ok()?)
    }

    fn give_back(&self) {
        let mut given_back = GIVEN_BACK.lock().unwrap_or_else(PoisonError::into_inner);
        if given_back.is_none_or(|at| at.elapsed() > SHARED) {
            spanmill_allocator::give_back_freed_memory();
            *given_back = Some(Instant::now());
        }
    }
}

fn parse(status: &str) -> Option<u64> {
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
    let kibibytes = field("RssAnon:").or_else(|| field("VmRSS:"))?.trim().trim_end_matches("kB").trim();
    Some(kibibytes.parse::<u64>().ok()?.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: what Linux says of a process, of an old kernel without the field, and something else.
    /// Guarantees: bytes of memory that belongs to no file, else all resident ones, else nothing.
    #[test]
    fn parses() {
        assert_eq!(parse("Name:\tx\nVmRSS:\t  2048 kB\nRssAnon:\t  1024 kB\n"), Some(1 << 20));
        assert_eq!(parse("VmRSS:\t  2048 kB\n"), Some(2 << 20));
        assert_eq!(parse("VmSize:\t1 kB"), None);
    }

    /// Scenario: this process is measured and gives back.
    /// Guarantees: there is something, and it works.
    #[test]
    #[cfg(target_os = "linux")]
    fn this_process() {
        assert!(Process.used().is_some_and(|bytes| bytes > 10_000));
        Process.give_back();
    }
}
