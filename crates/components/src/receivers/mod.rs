//! Where batches come from.

pub mod nop;
