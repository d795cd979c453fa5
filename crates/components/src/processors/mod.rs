//! What changes or drops spans on their way.

mod actions;
pub mod attributes;
mod background;
pub mod batch;
pub mod filter;
pub mod gen_ai_normalizer;
pub mod genai;
pub mod groupbyattrs;
pub mod groupbytrace;
mod identity;
mod literal;
mod offer;
pub mod resource;
mod selection;
pub mod span;

#[cfg(test)]
mod testing;
