//! What the benchmarks have in common: a load generator, subjects as processes, their CPU clocks and memory, summaries of figures.

pub mod cores;
mod error;
pub mod load;
pub mod machine;
pub mod process;
pub mod statistics;
pub mod traffic;

pub use error::BenchError;
