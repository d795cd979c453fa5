//! What changes or drops spans on their way.

mod background;
pub mod batch;
pub mod filter;
pub mod gen_ai_normalizer;
pub mod genai;
pub mod memory_limiter;
mod offer;
pub mod queuebatch;
pub mod resource_detection;

#[cfg(test)]
mod testing;
