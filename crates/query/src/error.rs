//! Why a query has no answer.

use std::time::Duration;

use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;
use http::StatusCode;
use serde::Serialize;
use thiserror::Error;

/// A place in SQL; both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Position {
    /// Which line.
    pub line: u64,
    /// Which character of it.
    pub column: u64,
}

/// Why a query has no answer.
#[derive(Debug, Error)]
pub enum QueryError {
    /// The SQL is wrong, or is no query.
    #[error("{message}")]
    Sql {
        /// What is wrong.
        message: String,
        /// Where, if that is known.
        position: Option<Position>,
    },
    /// A parameter, or another part of the request, makes no sense.
    #[error("{0}")]
    Request(String),
    /// The answer cannot be written in any form that was asked for.
    #[error(
        "accept: none of {0} can be written; application/json, application/x-ndjson, text/csv and application/vnd.apache.arrow.stream can"
    )]
    Accept(String),
    /// No question has this name.
    #[error("there is no question {name:?}{}", likely(near))]
    UnknownQuestion {
        /// What was asked for.
        name: String,
        /// Names that look like it, the nearest first.
        near: Vec<&'static str>,
    },
    /// The SQL has too many bytes.
    #[error("the statement has {bytes} bytes, and {most} are allowed")]
    TooLong {
        /// How many it has.
        bytes: usize,
        /// How many it may have.
        most: usize,
    },
    /// Planning it would take too long.
    #[error("the statement is too complex: it has more than {most} {what}")]
    TooComplex {
        /// Of what it has too many.
        what: &'static str,
        /// How many it may have.
        most: usize,
    },
    /// The queries' memory is used up.
    #[error("the query needs more memory than there is: {0}")]
    Memory(String),
    /// It took too long.
    #[error("the query was stopped: it took more than {0:?}")]
    Time(Duration),
    /// Too many others run.
    #[error("too many queries run already; try again later")]
    Busy,
    /// The store failed.
    #[error("{0}")]
    Store(String),
}

// === impl QueryError ===

impl QueryError {
    /// The status of HTTP that says so.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Sql { .. } | Self::Request(_) => StatusCode::BAD_REQUEST,
            Self::Accept(_) => StatusCode::NOT_ACCEPTABLE,
            Self::UnknownQuestion { .. } => StatusCode::NOT_FOUND,
            Self::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooComplex { .. } | Self::Memory(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Time(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::Busy => StatusCode::TOO_MANY_REQUESTS,
            Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Where in the SQL it is, if that is known.
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Sql { position, .. } => *position,
            _ => None,
        }
    }
}

impl From<DataFusionError> for QueryError {
    fn from(error: DataFusionError) -> Self {
        let span = error.diagnostic().and_then(|diagnostic| diagnostic.span);
        let position = span.map(|span| Position { line: span.start.line, column: span.start.column });
        let (root, message) = (error.find_root(), error.find_root().strip_backtrace());
        match root {
            DataFusionError::SQL(parser, _) => from_parser(parser),
            DataFusionError::ResourcesExhausted(message) => Self::Memory(message.clone()),
            // What a function would make is a limit, too; others put their own words around it.
            _ if message.contains(TOO_MUCH) => Self::Memory(what_would_be_made(&message).to_owned()),
            // What spills writes to disk, whose bound is told as an error of I/O.
            _ if message.contains(SPILLED) => Self::Memory(message),
            DataFusionError::Plan(_)
            | DataFusionError::SchemaError(..)
            | DataFusionError::NotImplemented(_)
            | DataFusionError::Execution(_)
            | DataFusionError::ArrowError(..) => Self::Sql { message: without_kind(&message).to_owned(), position },
            DataFusionError::External(_) if PATTERNS.iter().any(|words| message.contains(words)) => {
                let reason = message.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
                Self::Sql { message: format!("the regular expression cannot be used: {}", reason.trim()), position }
            }
            // Patterns come with the query, whatever DataFusion thinks of its own kernels.
            DataFusionError::Internal(text) if text.contains(BAD_PATTERN) => {
                let reason = text.split(BAD_PATTERN).nth(1).and_then(|rest| rest.lines().next()).unwrap_or_default();
                Self::Sql { message: format!("the regular expression cannot be used{reason}"), position }
            }
            _ => Self::Store(message),
        }
    }
}

/// What functions of the store say that would make too much.
const TOO_MUCH: &str = " would make ";

/// From the name of the function to the end of what it says.
fn what_would_be_made(message: &str) -> &str {
    const END: &str = " are allowed";
    let Some(at) = message.find(TOO_MUCH) else { return message };
    let name = message.get(..at).and_then(|before| before.rfind([' ', '"', '(']));
    let said = message.get(name.map_or(0, |name| name + 1)..).unwrap_or(message);
    said.find(END).and_then(|end| said.get(..end + END.len())).unwrap_or(said)
}

const SPILLED: &str = "disk space during the spilling process has exceeded";

/// What the crate `regex` says of patterns.
const PATTERNS: [&str; 2] = ["regex parse error", "Compiled regex exceeds size limit"];

const BAD_PATTERN: &str = "Regular expression did not compile";

/// The parser says where at the end of its message.
fn from_parser(error: &ParserError) -> QueryError {
    let message = match error {
        ParserError::RecursionLimitExceeded => "the statement is nested too deeply".to_owned(),
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message.clone(),
    };
    let place = message.rsplit_once(" at Line: ").and_then(|(text, place)| {
        let (line, column) = place.split_once(", Column: ")?;
        Some((text.to_owned(), Position { line: line.parse().ok()?, column: column.parse().ok()? }))
    });
    match place {
        Some((message, position)) => QueryError::Sql { message, position: Some(position) },
        None => QueryError::Sql { message, position: None },
    }
}

/// The kind of an error tells the caller nothing that the message does not; sixty columns that a name is none of are too many to read.
fn without_kind(message: &str) -> &str {
    let message = message.split("\nValid fields are ").next().unwrap_or(message);
    // A function's own words stand between those of who asked it.
    let message = message.split("user-defined coercion failed with: ").last().unwrap_or(message);
    let message = message.split(" No function matches the given name").next().unwrap_or(message);
    [
        "Error during planning: ",
        "Schema error: ",
        "Execution error: ",
        "This feature is not implemented: ",
        "Arrow error: ",
    ]
    .iter()
    .find_map(|kind| message.strip_prefix(kind))
    .unwrap_or(message)
}

fn likely(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        names => format!("; did you mean {}?", names.join(" or ")),
    }
}
