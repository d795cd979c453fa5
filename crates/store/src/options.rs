//! What can be decided about a store.

use std::time::Duration;

/// What can be decided about a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// A folder, or the address of an object store: `s3://bucket/folder`, `gs://…`, `az://…`.
    pub address: String,
    /// Options of the object store, as the crate `object_store` names them, such as `aws_endpoint`.
    pub object_store: Vec<(String, String)>,
    /// Rows that are in no file yet take no more bytes than this before they are written to files. Default: 128 MiB.
    pub hot_max_bytes: usize,
    /// They wait no longer than this. Default: 10 minutes.
    pub hot_max_age: Duration,
    /// Spans that started earlier than this ago stand in the hour they arrived in. Default: 7 days.
    pub max_past: Duration,
    /// The same for spans that start later than this from now. Default: 10 minutes.
    pub max_future: Duration,
    /// Larger attributes go to the table `content`, in encoded bytes. Default: 4 KiB.
    pub max_attribute: usize,
    /// Level of zstd in files. Default: 3.
    pub compression_level: i32,
    /// Whole hours are put together into one file a table when they ended longer ago than this. Default: 1 hour.
    pub compact_after: Duration,
    /// Files are removed this long after nothing refers to them, for queries that still read them. Default: 5 minutes.
    pub grace: Duration,
    /// Hours that ended longer ago are removed. Default: never.
    pub max_age: Option<Duration>,
    /// The oldest hours are removed where the store is larger, in bytes. Default: never.
    pub max_bytes: Option<u64>,
    /// Memory of all queries together, in bytes, of which each takes half at most; on disk they take at most four times as much. Default: 512 MiB.
    pub query_memory: usize,
    /// How many threads a query may use. Default: one a processor.
    pub query_threads: usize,
}

// === impl Options ===

impl Options {
    /// The defaults, for a store at `address`.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            object_store: Vec::new(),
            hot_max_bytes: 128 << 20,
            hot_max_age: Duration::from_secs(600),
            max_past: Duration::from_secs(7 * 86_400),
            max_future: Duration::from_secs(600),
            max_attribute: 4 << 10,
            compression_level: 3,
            compact_after: Duration::from_secs(3_600),
            grace: Duration::from_secs(300),
            max_age: None,
            max_bytes: None,
            query_memory: 512 << 20,
            query_threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}
