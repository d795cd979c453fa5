//! What sends batches on.

mod counts;
pub mod debug;
pub mod file;
pub mod load_balancing;
pub mod nop;
pub mod otlp_grpc;
pub mod otlp_http;
pub mod prometheus;
pub(crate) mod sending;
