//! Where bytes are kept.
//!
//! * [`write_file`] writes a file as a whole, so that it outlives a loss of power;
//! * [`open`] opens an object store by its address.

mod file;
mod objects;

pub use file::{sync_folder, write_file};
pub use objects::{OpenError, open};
