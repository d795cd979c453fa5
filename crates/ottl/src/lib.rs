//! OTTL, the OpenTelemetry Transformation Language, on OTLP bytes.
//!
//! A text is parsed and compiled once, at start. The attribute keys that it reads are numbered; per span one scan notes
//! where their values lie, and the compiled tree runs on those. Nothing is decoded that is not asked for. Log records and metrics
//! come decoded; their attributes are read in the same way.
//!
//! ```
//! use spanmill_ottl::{Compiler, Condition, Context, Paths};
//!
//! let mut compiler = Compiler::new();
//! let slow = Condition::parse(&mut compiler, Paths::Unprefixed(Context::Span), "end_time - start_time > Duration(\"5s\")")?;
//! let slots = compiler.finish();
//! # let request = bytes::Bytes::from_static(b"\x0a\x06\x12\x04\x12\x02\x2a\x00");
//! let traces = spanmill_otlp::Traces::parse(request).expect("well-formed");
//! let mut frame = slots.frame();
//! for span in traces.spans() {
//!     frame.enter_resource(span.resource());
//!     frame.enter_scope(span.scope());
//!     frame.enter_span(span);
//!     assert_eq!(slow.eval(&frame), Ok(false));
//! }
//! # Ok::<(), spanmill_ottl::ParseError>(())
//! ```

mod ast;
mod compile;
mod condition;
mod context;
mod deletion;
mod editors;
mod eval;
mod functions;
mod parse;
mod parsed_statement;
mod record_sequence;
#[cfg(test)]
mod recorded;
mod sequence;
mod spare;
mod statement;
mod symbols;
mod value_expression;

pub use compile::{Compiler, Paths};
pub use condition::{Condition, ConditionError, ConditionSet, ErrorMode, ParseError, UnknownErrorMode};
pub use context::{Context, UnknownContext};
pub use deletion::Deletion;
pub use eval::EvalError;
pub use eval::client::ClientInfo;
pub use eval::frame::Frame;
pub use eval::record::Arena;
pub use eval::slots::Slots;
pub use functions::re2::{compile as compile_re2, compile_groups as compile_re2_groups};
pub use parsed_statement::ParsedStatement;
pub use sequence::{Sequence, SequenceErrors, SequenceText, SharedCache};
pub use statement::{Statement, StatementError};
pub use value_expression::{Number, ValueExpression};
