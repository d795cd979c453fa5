//! Ages need the wall clock, since they outlive the process.

#[allow(clippy::disallowed_types, reason = "wall-clock time is meant: ages outlive the process")]
use std::time::SystemTime;
use std::{fmt, time::Duration};

/// Tells the time.
pub(crate) trait Clock: fmt::Debug + Send + Sync {
    /// Since 1970.
    fn now(&self) -> Duration;
}

/// The clock of the system.
#[derive(Debug)]
pub(crate) struct WallClock;

// === impl WallClock ===

impl Clock for WallClock {
    #[allow(clippy::disallowed_types, reason = "wall-clock time is meant: ages outlive the process")]
    fn now(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }
}
