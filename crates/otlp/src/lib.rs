//! OTLP requests as immutable bytes with an index and edits.
//!
//! A [`Traces`] is the `ExportTraceServiceRequest` as it was received, an index of where its resources, scopes and
//! spans lie, and the edits made since. Reading borrows from the bytes; editing notes what to cut and what to add;
//! [`Traces::encode`] copies unedited runs as they are. Fields this crate does not know survive untouched.
//!
//! ```
//! use spanmill_otlp::{Part, Patch, Traces, Value};
//!
//! let request = bytes::Bytes::from_static(b"\x0a\x06\x12\x04\x12\x02\x2a\x00"); // one span with an empty name
//! let mut traces = Traces::parse(request)?;
//! let mut patch = Patch::new(Part::Span);
//! patch.append("gen_ai.operation.name", Value::Str("chat"));
//! traces.apply(spanmill_otlp::SpanIx::default(), &patch);
//! assert_eq!(traces.spans().next().and_then(|span| span.attribute("gen_ai.operation.name")?.as_str()), Some("chat"));
//! # Ok::<(), spanmill_otlp::Malformed>(())
//! ```

mod compose;
mod concat;
mod edit;
mod encode;
mod error;
mod float;
mod index;
pub mod json;
mod keys;
mod limits;
mod mend;
mod opaque;
mod outline;
mod patch;
mod patches;
mod revise;
pub mod short;
mod split;
mod text;
mod trace_state;
mod traces;
mod value;
mod view;
mod wire;

pub use compose::{ResourceParts, ScopeParts};
pub use edit::{ResourceIx, ScopeIx, SpanIx, Target};
pub use error::{Malformed, Reason};
pub use float::{parse_float, underscores_are_fine};
pub use keys::{Guesses, KeyTable, Slot};
pub use limits::Limits;
pub use opaque::{Opaque, Signal};
pub use patch::{Part, Patch, encode_attribute};
pub use patches::Patches;
pub use revise::Item;
pub use split::SplitLimit;
pub use text::put_plain_double;
pub use trace_state::{InvalidTraceState, MAX_ADJUSTED_COUNT, sampling_threshold};
pub use traces::Traces;
pub use value::{Value, put_any_value, put_key_value};
pub use view::{
    AnyValue, Attribute, Attributes, EventRef, Field, Fields, LinkRef, Message, Payload, Pos, ResourceRef, ScopeRef,
    SpanRef, StatusRef, ValueRef, Visitor,
};
pub use wire::put_field;
