//! What changes or drops spans on their way.

mod background;
pub mod batch;
pub mod filter;
pub mod gen_ai_normalizer;
pub mod genai;
mod ignored;
mod offer;
mod pass_through;

#[cfg(test)]
mod testing;
pub mod transform;
