//! What runs beside the pipelines.

pub mod api_keys;
mod arguments;
pub mod basicauth;
pub mod bearertokenauth;
pub mod file_storage;
pub mod headers_setter;
pub mod health_check;
pub mod oidc;
pub mod pprof;
mod watched;
pub mod zpages;
