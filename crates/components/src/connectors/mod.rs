//! What joins one pipeline to others.

pub mod forward;
