//! The span store: OTLP bytes become Arrow rows in memory, then Parquet files by the hour; DataFusion answers SQL about both as one.
//!
//! * [`Store::add`] encodes the spans of a request straight into columns ([`encode`]).
//! * [`Store::seal`] writes what is in memory to files and makes them part of the store in one step ([`manifest`]).
//! * [`Store::traces`] gives spans back as OTLP ([`decode`]).
//! * [`Store::query`] answers SQL about memory and files at one moment ([`table`], [`session`]).
//!
//! Where the store is, a folder or a bucket, and what its files look like to other engines, stands in the crate's README.

mod batches;
mod bloom;
mod cluster;
mod decode;
mod encode;
mod file;
mod functions;
mod gather;
mod histogram;
mod hot;
mod manifest;
mod options;
mod pause;
mod place;
mod rollup;
mod runtime;
mod schema;
mod seal;
mod session;
mod store;
mod table;
mod upkeep;
mod upload;
mod views;

pub use cluster::Cluster;
pub use decode::{DecodeError, SpanTables, StoredTrace, TraceOptions, attribute_values, attributes, resource_spans};
pub use options::Options;
pub use place::PlaceError;
pub use schema::{AttributeColumn, Table, Unit, attribute_column, span_column};
pub use session::{Answer, Description, QueryOptions};
pub use store::{Owner, Sealed, Store, StoreError};
pub use upkeep::Upkeep;

/// Whether an attribute stands in `content`, whatever its size.
pub fn is_content(key: &str) -> bool {
    schema::is_content(key.as_bytes())
}
