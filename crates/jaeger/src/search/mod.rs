//! Searches as Jaeger asks them, with comparisons in the values of tags.

mod condition;
mod field;
mod matching;
mod number;
mod plan;
mod query;
mod tags;

pub use condition::Condition;
pub use query::{Search, SearchError, Tag};

pub(crate) use query::{micros, time, timestamp};
