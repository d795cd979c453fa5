//! Where batches come from.

pub mod nop;
pub mod otlp;
