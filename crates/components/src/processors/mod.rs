//! What changes or drops spans on their way.

pub mod batch;
pub mod filter;
pub mod gen_ai_normalizer;
pub mod genai;
mod offer;
