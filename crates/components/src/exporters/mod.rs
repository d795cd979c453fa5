//! What sends batches on.

pub mod nop;
