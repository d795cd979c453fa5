//! What is known about GenAI telemetry: how each instrumentation names, counts and times things, and how its spans are
//! brought to the GenAI semantic conventions, so that every source says the same.
//!
//! The knowledge is data: `sources/*.yaml`, one file an instrumentation, and `vocabulary.yaml`. An [`Engine`] compiles
//! it at start and normalises requests: it recognises the source of each span, writes standard attributes, makes token
//! counts comparable, decides which span owns the usage of a call, and derives rates, buckets and flags.
//!
//! ```
//! use spanmill_genai::{Engine, Options};
//! use spanmill_otlp::Traces;
//!
//! let engine = Engine::new(&Options::default())?;
//! let mut traces = Traces::parse(bytes::Bytes::new())?;
//! let tally = engine.process(&mut traces);
//! assert_eq!(tally.owners, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod builtin;
mod call;
mod catalogue;
pub mod content;
mod datum;
mod derive;
mod encoded;
mod engine;
mod errors;
mod explain;
mod hash;
mod instant;
mod memo;
mod memory;
mod messages;
pub mod normalizer;
mod options;
mod own;
mod parts;
mod pattern;
mod price;
mod python;
mod read;
mod source;
mod target;
mod tools;
mod vocabulary;
mod write;

pub use catalogue::CatalogueError;
pub use engine::{Engine, Tally};
pub use explain::{AttributeExplanation, PriceExplanation, SpanExplanation};
pub use options::{Conventions, Options, OptionsError, OwnSource, PriceTable, Pricing, SchemaUrl, SlowSmall};
pub use price::{PriceError, PriceOverride};
