//! What runs beside the pipelines.

pub mod basicauth;
pub mod bearertokenauth;
pub mod file_storage;
pub mod health_check;
pub mod pprof;
mod watched;
pub mod zpages;
