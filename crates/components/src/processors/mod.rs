//! What changes or drops spans on their way.

mod actions;
pub mod attributes;
mod background;
pub mod batch;
mod changing;
pub mod filter;
pub mod gen_ai_normalizer;
pub mod genai;
pub mod groupbyattrs;
pub mod groupbytrace;
mod identity;
mod ignored;
mod literal;
pub mod memory_limiter;
mod offer;
mod pass_through;
pub mod probabilistic_sampler;
pub mod queuebatch;
pub mod redaction;
pub mod resource;
pub mod resource_detection;
mod sampling;
mod selection;
pub mod span;
pub mod tail_sampling;

#[cfg(test)]
mod testing;
pub mod transform;
