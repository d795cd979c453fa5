//! What runs beside the pipelines.

pub mod health_check;
