//! Questions about stored spans: SQL within limits, over HTTP and in the process, and named questions.
//!
//! * [`QueryService`] answers queries within [`Limits`], on threads of its own, so that a hostile query does not hold up a pipeline.
//! * [`router`] and [`serve`] are the HTTP interface: `POST /v1/sql`, `GET /v1/questions`, `GET /v1/questions/NAME`.
//! * [`Question`] is a question with a name: documented SQL with parameters.

mod access;
mod error;
mod format;
mod guard;
mod http;
mod limits;
mod moment;
mod parameter;
mod question;
mod rows;
mod service;

pub use access::{Access, User};
pub use error::{Position, QueryError};
pub use format::{Csv, Format, repeated_name, type_name};
pub use http::{router, serve};
pub use limits::Limits;
pub use moment::{Moment, MomentError};
pub use parameter::Parameters;
pub use question::{Parameter, ParameterKind, Question};
pub use rows::Rows;
pub use service::{QueryService, Request};
pub use spanmill_store::Description;
