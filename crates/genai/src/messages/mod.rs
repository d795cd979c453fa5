//! Messages: what a model was told and what it answered, from whatever form an instrumentation gave them, in the form of the
//! conventions.

mod canonical;
mod document;
mod events;
mod finish;
mod flat;
mod media;
mod message;
mod model;
mod part;
mod pieces;
mod raw;
mod request;
mod retrieved;
mod tool;

pub(crate) use canonical::is_canonical;
pub(crate) use document::{Side, understand, understand_system, understand_tools};
pub(crate) use events::{Held, is_numbered, read as read_event};
pub(crate) use finish::{finish, is_history};
pub(crate) use flat::{MOST_FLAT, gather, split_flat};
pub(crate) use model::{Conversation, Message, Part, Tool};
pub(crate) use pieces::Pieces;
pub(crate) use raw::Members;
pub(crate) use retrieved::{documents, gather_documents};
