//! What runs beside the pipelines.
