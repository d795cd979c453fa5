//! The Collector's YAML configuration: merging, expansion, typed sections, errors with a place.

mod de;
mod document;
mod duration;
mod error;
mod id;
mod load;
mod node;
mod optional;
mod place;
mod section;
mod suggest;
mod yaml;

pub use document::{Components, Document, PipelineConfig, Service};
pub use duration::Duration;
pub use error::{ConfigError, Problem};
pub use id::{ComponentId, IdError, Kind, PipelineId, Signal};
pub use load::{Providers, Resolved, SetFlag, SetFlagError, Uri, UriError, load};
pub use node::{Entry, Map, Node, Value};
pub use optional::{NullableBlock, OptionalBlock};
pub use place::Place;
pub use section::Section;
