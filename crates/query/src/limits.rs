//! What a query may take.

use std::time::Duration;

/// What a query may take. The memory of all queries together is an option of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Rows of an answer; more are cut off, and the answer says so. Default: 10,000.
    pub rows: u64,
    /// Bytes of an answer as it is sent; more rows are cut off, and the answer says so. Default: 64 MiB.
    pub bytes: usize,
    /// Time from the beginning of planning to the last row. Default: 30 seconds.
    pub time: Duration,
    /// Bytes of SQL. Default: 256 KiB.
    pub text: usize,
    /// Queries that run at once. Default: one a processor.
    pub concurrent: usize,
    /// Queries that wait for others to end; more are turned away. Default: 64.
    pub waiting: usize,
    /// How long a query waits for others before it is turned away. Default: 5 seconds.
    pub wait: Duration,
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            rows: 10_000,
            bytes: 64 << 20,
            time: Duration::from_secs(30),
            text: 256 << 10,
            concurrent: std::thread::available_parallelism().map_or(1, usize::from),
            waiting: 64,
            wait: Duration::from_secs(5),
        }
    }
}
