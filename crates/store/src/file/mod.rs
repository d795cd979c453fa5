//! Parquet files of the store.

mod properties;
mod write;

pub(crate) use properties::properties;
pub(crate) use write::{Encoded, encode, time_range};
