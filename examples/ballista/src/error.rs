//! Why nothing was answered.

use std::io;

use ballista_core::error::BallistaError;
use datafusion::error::DataFusionError;
use spanmill_query::QueryError;
use spanmill_store::StoreError;
use thiserror::Error;

/// Why nothing was answered, or a process could not go on.
#[derive(Debug, Error)]
pub enum BallistaStoreError {
    /// The question makes no sense.
    #[error("{0}")]
    Question(#[from] QueryError),
    /// It has parameters that Ballista cannot keep to.
    #[error("{0} is a limit that the store keeps to, and Ballista does not; `spanmill query` has it")]
    Limit(&'static str),
    /// The store cannot be opened.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The query cannot be planned, or failed.
    #[error("{0}")]
    Engine(#[from] DataFusionError),
    /// The scheduler or an executor failed.
    #[error("{0}")]
    Ballista(#[from] BallistaError),
    /// The system refused something.
    #[error("{what}: {source}")]
    Io {
        /// What.
        what: String,
        /// Why.
        source: io::Error,
    },
}
