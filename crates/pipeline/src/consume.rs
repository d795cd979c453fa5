use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::batch::Batch;

/// Takes batches over. `consume` resolves when responsibility has passed: a receiver answers success only after that.
#[async_trait]
pub trait Consumer: Send + Sync {
    /// Takes the batch over, or says why not and whether a retry can help.
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError>;
}

/// Why a batch was not taken over.
#[derive(Debug, Clone, Error)]
#[error("{message}")]
pub struct ConsumeError {
    /// The reason as a gRPC status code; receivers translate it to HTTP.
    pub code: Code,
    /// Whether the same batch may be accepted later.
    pub retryable: bool,
    /// When to retry, where that is known.
    pub retry_after: Option<Duration>,
    /// For people.
    pub message: Arc<str>,
}

/// gRPC status codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are gRPC's, defined at https://grpc.io/docs/guides/status-codes/")]
pub enum Code {
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
    Unauthenticated = 16,
}

// === impl ConsumeError ===

impl ConsumeError {
    /// Refused for now: a retry can help.
    pub fn retryable(message: impl Into<Arc<str>>) -> Self {
        Self { code: Code::Unavailable, retryable: true, retry_after: None, message: message.into() }
    }

    /// Refused for good.
    pub fn permanent(message: impl Into<Arc<str>>) -> Self {
        Self { code: Code::Internal, retryable: false, retry_after: None, message: message.into() }
    }

    /// The same with another code.
    #[must_use]
    pub fn with_code(self, code: Code) -> Self {
        Self { code, ..self }
    }

    /// The same with a delay.
    #[must_use]
    pub fn with_retry_after(self, delay: Duration) -> Self {
        Self { retry_after: Some(delay), ..self }
    }
}
