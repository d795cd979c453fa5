//! What changes or drops spans on their way.

mod background;
pub mod batch;
pub mod filter;
pub mod gen_ai_normalizer;
pub mod genai;
mod offer;
pub mod probabilistic_sampler;
pub mod redaction;
mod sampling;
pub mod tail_sampling;

#[cfg(test)]
mod testing;
