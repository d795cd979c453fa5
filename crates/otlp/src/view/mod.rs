//! Borrowed views of a request. They see edits, decode nothing that is not asked for, and allocate nothing.

mod attribute;
mod event;
mod message;
mod resource;
mod span;
mod value;

pub use crate::wire::Payload;
pub use attribute::{Attribute, Attributes};
pub use event::{EventRef, LinkRef};
pub use message::{Field, Fields, Message, Pos, Visitor};
pub use resource::{ResourceRef, ScopeRef};
pub use span::{SpanRef, StatusRef};
pub use value::{AnyValue, ValueRef};
