use std::time::Duration as StdDuration;

use serde::Deserialize;
use spanmill_config::{ConfigError, Duration, Section};

/// Options of the `groupbytrace` processor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Options {
    /// How long a trace waits for more of its spans, from the first one on.
    wait_duration: Duration,
    /// How many traces may wait. One more makes the oldest one give way, with its spans.
    num_traces: i64,
    /// Accepted: one task does the work, which is little.
    num_workers: i64,
    /// Not supported, as in the Collector.
    discard_orphans: bool,
    /// Not supported, as in the Collector.
    store_on_disk: bool,
}

/// The options in effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) wait: StdDuration,
    pub(super) traces: usize,
}

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self {
            wait_duration: Duration::from_secs(1),
            num_traces: 1_000_000,
            num_workers: 1,
            discard_orphans: false,
            store_on_disk: false,
        }
    }
}

// === impl Config ===

impl Config {
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let options: Options = section.parse()?;
        for (option, given) in [("discard_orphans", options.discard_orphans), ("store_on_disk", options.store_on_disk)]
        {
            if given {
                return Err(section.error(option, "not supported"));
            }
        }
        for (option, number) in [("num_traces", options.num_traces), ("num_workers", options.num_workers)] {
            if number < 0 {
                return Err(section.error(option, "must not be negative"));
            }
        }
        // With none the Collector fails at the first span.
        let traces = usize::try_from(options.num_traces).unwrap_or(usize::MAX).max(1);
        Ok(Self { wait: options.wait_duration.positive().unwrap_or_default(), traces })
    }
}
