//! Realistic GenAI OTLP traffic for demos and benchmarks.
//!
//! [`Traffic`] plays a morning of several services that call several providers' models, each traced by another instrumentation:
//! streamed and not, with tools and loops of them, errors, cold starts, large prompts. It is made from a seed, and the same seed and
//! the same clock give the same bytes. It knows what really happened, so that a test can compare what a collector makes of it.
//!
//! [`shape`] makes the uniform requests that benchmarks send, [`day`] a day of calls to fill a store with.

mod attributes;
mod call;
mod catalogue;
mod codec;
pub mod day;
mod dialect;
mod dice;
mod export;
pub mod shape;
mod story;
mod template;
mod text;
mod traffic;
mod truth;

pub use call::{Call, Cause, Outcome};
pub use codec::Raw;
pub use export::Export;
pub use template::Template;
pub use traffic::{Options, Traffic};
pub use truth::Truth;

#[cfg(test)]
mod tests;
