//! What sends batches on.

mod counts;
pub mod file;
pub mod nop;
