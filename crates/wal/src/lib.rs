//! A segmented write-ahead log with group commit and several durable readers.
//!
//! One thread writes: it takes all records that wait, writes them at once, forces them to the disk with one `fdatasync`, and only
//! then acknowledges them. While it does, the next group gathers, so that waiting on purpose would only make it slower. Each
//! reader has a cursor in a file of its own; a segment is removed when all cursors have passed it. A full log refuses appends;
//! it loses nothing.
//!
//! The crate's README has the file format, and what survives which mishap.
//!
//! ```
//! use bytes::Bytes;
//! use spanmill_wal::{Options, Wal};
//!
//! # let directory = tempfile::tempdir()?;
//! # let dir = directory.path().join("log");
//! # let options = Options { segment_bytes: 1 << 20, ..Options::default() };
//! # let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
//! # runtime.block_on(async {
//! let wal = Wal::open(&dir, options).await?;
//! let mut reader = wal.reader("exporter").await?;
//!
//! let seq = wal.append(0, Bytes::from_static(b"a request")).await?; // durable from here on
//!
//! let record = reader.next().await?;
//! assert_eq!((record.seq, &record.payload[..]), (seq, &b"a request"[..]));
//! reader.commit(record.seq).await?; // not read again from here on
//!
//! wal.close().await?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod active;
mod clock;
mod cursor;
mod damage;
mod error;
mod files;
mod frame;
mod helper;
mod marks;
mod open;
mod options;
mod place;
mod reader;
mod recent;
mod record;
mod retention;
mod scan;
mod segment;
mod segments;
mod shared;
mod slots;
mod stats;
#[cfg(test)]
mod tests;
mod wal;
mod window;
mod writer;

/// Where `marks` has its atomics from; its test puts others in their place.
mod atomic {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
}

pub use error::{AppendError, CursorError, Failure, OpenError, ReadError};
pub use options::{Fsync, Options};
pub use reader::{Committer, Reader};
pub use record::{Payload, Record, Seq};
pub use stats::{CursorStats, Stats};
pub use wal::Wal;
