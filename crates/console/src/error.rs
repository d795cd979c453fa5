//! Why nothing was answered.

use std::io;

use arrow::error::ArrowError;
use spanmill_query::QueryError;
use spanmill_store::StoreError;
use thiserror::Error;

/// Why nothing was answered.
#[derive(Debug, Error)]
pub enum ConsoleError {
    /// What was asked, or how, makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The query has no answer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The server refused or failed.
    #[error("{message}")]
    Refused {
        /// The status of HTTP.
        status: u16,
        /// What it says.
        message: String,
    },
    /// The server cannot be reached.
    #[error("{url} does not answer: {reason}; --url names another server, --store a folder or bucket")]
    Unreachable {
        /// Where it should be.
        url: String,
        /// Why not.
        reason: String,
    },
    /// The answer cannot be understood, or broke off.
    #[error("the answer broke off: {0}")]
    Broken(#[from] ArrowError),
    /// The form has no place for such values.
    #[error("{form} cannot hold the answer: {reason}; CAST(… AS VARCHAR) makes a text of a value")]
    Form {
        /// The form.
        form: &'static str,
        /// What it cannot hold.
        reason: String,
    },
    /// The store cannot be opened.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Something cannot be written.
    #[error("{what}: {source}")]
    Io {
        /// What cannot be done.
        what: String,
        /// Why not.
        source: io::Error,
    },
}

// === impl ConsoleError ===

impl ConsoleError {
    /// How a command should end: 1 where the question was wrong, 2 where there was nobody to answer it, 3 where it took more than it may.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Form { .. } | Self::Io { .. } => 1,
            Self::Query(error) => of_status(error.status().as_u16()),
            Self::Refused { status, .. } => of_status(*status),
            Self::Unreachable { .. } | Self::Broken(_) | Self::Store(_) => 2,
        }
    }
}

fn of_status(status: u16) -> u8 {
    match status {
        413 | 422 | 429 | 504 => 3,
        400..=499 => 1,
        _ => 2,
    }
}
