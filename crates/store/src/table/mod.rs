//! Tables as DataFusion sees them: files and memory as one, pruned before planning.

mod bounds;
mod confined;
mod provider;

pub(crate) use bounds::{Bounds, bounds};
pub(crate) use provider::{Class, StoredTable};
