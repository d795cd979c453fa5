//! Traces outside of the store.
//!
//! * [`OtlpFile`] reads files of OTLP requests, whatever wrote them; [`Writer`] writes them.
//! * [`import`] and [`export`] do so for a store; [`find`] finds a trace by the beginning of its id.
//! * [`Waterfall`] is a trace as people look at it: a tree of spans with what they cost.

mod find;
mod read;
mod transfer;
mod waterfall;
mod write;

pub use find::find;
pub use read::{FileError, OtlpFile};
pub use transfer::{Counts, TransferError, Wanted, export, import};
pub use waterfall::{Row, Style, Waterfall};
pub use write::{Format, Writer};
