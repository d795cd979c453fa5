use serde::Deserialize;
use spanmill_config::{ConfigError, Duration, Section};

use super::limiter::{Intervals, Limits};
use crate::memory::total_memory;

/// Options of the `memory_limiter` processor.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// Time between two looks at the memory in use.
    pub(super) check_interval: Duration,
    /// Least time between two tries to give freed memory back while the soft limit is exceeded.
    min_gc_interval_when_soft_limited: Duration,
    /// The same while the hard limit is exceeded.
    min_gc_interval_when_hard_limited: Duration,
    /// How far that time grows while giving back does not help; 0: not at all.
    max_gc_interval_when_soft_limited: Duration,
    /// The same while the hard limit is exceeded.
    max_gc_interval_when_hard_limited: Duration,
    /// The hard limit in MiB. It goes before `limit_percentage`.
    limit_mib: u32,
    /// How much below the hard limit requests are refused; 0: a fifth of it.
    spike_limit_mib: u32,
    /// The hard limit as a share of what the process may use: of its cgroup's limit, else of the machine's memory.
    limit_percentage: u32,
    /// How much below the hard limit requests are refused, as a share of the same; 0: a fifth of the hard limit.
    spike_limit_percentage: u32,
}

const MIB: u64 = 1 << 20;

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            check_interval: Duration::ZERO,
            min_gc_interval_when_soft_limited: Duration::from_secs(10),
            min_gc_interval_when_hard_limited: Duration::ZERO,
            max_gc_interval_when_soft_limited: Duration::from_secs(30),
            max_gc_interval_when_hard_limited: Duration::from_secs(30),
            limit_mib: 0,
            spike_limit_mib: 0,
            limit_percentage: 0,
            spike_limit_percentage: 0,
        }
    }
}

impl Config {
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        match config.mistake() {
            Some((option, message)) => Err(section.error(option, message)),
            None => Ok(config),
        }
    }

    /// The Collector's checks, in its order and its words.
    fn mistake(&self) -> Option<(&'static str, &'static str)> {
        let (min_soft, min_hard) = (self.min_gc_interval_when_soft_limited, self.min_gc_interval_when_hard_limited);
        let (max_soft, max_hard) = (self.max_gc_interval_when_soft_limited, self.max_gc_interval_when_hard_limited);
        let checks = [
            (
                self.check_interval.is_zero() || self.check_interval.is_negative(),
                "check_interval",
                "'check_interval' must be greater than zero",
            ),
            (
                min_soft < min_hard,
                "min_gc_interval_when_soft_limited",
                "'min_gc_interval_when_soft_limited' should be larger than 'min_gc_interval_when_hard_limited'",
            ),
            (
                max_soft.is_negative(),
                "max_gc_interval_when_soft_limited",
                "'max_gc_interval_when_soft_limited' must be non-negative",
            ),
            (
                max_hard.is_negative(),
                "max_gc_interval_when_hard_limited",
                "'max_gc_interval_when_hard_limited' must be non-negative",
            ),
            (
                !max_soft.is_zero() && max_soft < min_soft,
                "max_gc_interval_when_soft_limited",
                "'max_gc_interval_when_soft_limited' must be greater than or equal to 'min_gc_interval_when_soft_limited' (or 0 to disable)",
            ),
            (
                !max_hard.is_zero() && max_hard < min_hard,
                "max_gc_interval_when_hard_limited",
                "'max_gc_interval_when_hard_limited' must be greater than or equal to 'min_gc_interval_when_hard_limited' (or 0 to disable)",
            ),
            (
                !max_soft.is_zero() && !max_hard.is_zero() && max_soft < max_hard,
                "max_gc_interval_when_soft_limited",
                "'max_gc_interval_when_soft_limited' should be larger than or equal to 'max_gc_interval_when_hard_limited' (when both are set)",
            ),
            (
                self.limit_mib == 0 && self.limit_percentage == 0,
                "limit_mib",
                "'limit_mib' or 'limit_percentage' must be greater than zero",
            ),
            (
                self.limit_percentage > 100 || self.spike_limit_percentage > 100,
                "limit_percentage",
                "'limit_percentage' and 'spike_limit_percentage' must be greater than zero and less than or equal to hundred",
            ),
            (
                self.limit_mib > 0 && self.limit_mib <= self.spike_limit_mib,
                "spike_limit_mib",
                "'spike_limit_mib' must be smaller than 'limit_mib'",
            ),
            (
                self.limit_percentage > 0 && self.limit_percentage <= self.spike_limit_percentage,
                "spike_limit_percentage",
                "'spike_limit_percentage' must be smaller than 'limit_percentage'",
            ),
        ];
        checks.into_iter().find_map(|(wrong, option, message)| wrong.then_some((option, message)))
    }

    /// The limits in bytes.
    pub(super) fn limits(&self, section: &Section) -> Result<Limits, ConfigError> {
        if self.limit_mib > 0 {
            return Ok(Limits::new(u64::from(self.limit_mib) * MIB, u64::from(self.spike_limit_mib) * MIB));
        }
        let total = total_memory().ok_or_else(|| {
            let message = "failed to get total memory, use fixed memory settings (limit_mib)";
            section.error("limit_percentage", message)
        })?;
        let share = |percent: u32| total / 100 * u64::from(percent);
        Ok(Limits::new(share(self.limit_percentage), share(self.spike_limit_percentage)))
    }

    /// When to give freed memory back.
    pub(super) fn intervals(&self) -> Intervals {
        Intervals {
            check: self.check_interval.to_std(),
            min: [self.min_gc_interval_when_soft_limited.to_std(), self.min_gc_interval_when_hard_limited.to_std()],
            max: [self.max_gc_interval_when_soft_limited.to_std(), self.max_gc_interval_when_hard_limited.to_std()],
        }
    }
}
