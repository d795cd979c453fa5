//! The command line of questions: asks a running server or a store itself, and writes answers for people and for programs.
//!
//! A [`Source`] answers what is [`Asked`]; [`Output`] writes the [`Answer`]. A [`Catalogue`] knows the words that a prompt completes.

mod answer;
mod asked;
mod catalogue;
mod error;
mod local;
mod output;
mod remote;
mod source;
mod table;
mod vertical;

pub use answer::Answer;
pub use asked::{Asked, What};
pub use catalogue::Catalogue;
pub use error::ConsoleError;
pub use output::{Output, OutputFormat};
pub use source::Source;
pub use table::list_of_questions;
