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

    /// Whether a batch would be refused now, whatever it is: receivers ask before they read a large one, so that what cannot be taken costs
    /// no memory.
    ///
    /// # Errors
    ///
    /// Fails with what the batch would be refused with.
    fn ready(&self) -> Result<(), ConsumeError> {
        Ok(())
    }
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

    /// What several consumers answered, as one: success where there is no error. As the Collector joins errors: one that is permanent makes
    /// the whole permanent, since a retry would repeat what the others have taken; the code is that of the first error of the decisive sort;
    /// the delay is the longest that was asked for.
    ///
    /// # Errors
    ///
    /// Fails where there is any error.
    pub fn join(errors: &[Self]) -> Result<(), Self> {
        let Some(decisive) = errors.iter().find(|error| !error.retryable).or_else(|| errors.first()) else {
            return Ok(());
        };
        let (code, retryable) = (decisive.code, decisive.retryable);
        let retry_after = errors.iter().filter_map(|error| error.retry_after).max().filter(|_| retryable);
        let messages: Vec<&str> = errors.iter().map(|error| &*error.message).collect();
        Err(Self { code, retryable, retry_after, message: messages.join("; ").into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: no error, several retryable ones, and a permanent one among retryable ones.
    /// Guarantees: success needs all; retryable ones stay retryable with the longest delay; one permanent error decides, without a delay.
    #[test]
    fn errors_combine() {
        assert!(ConsumeError::join(&[]).is_ok());

        let full = ConsumeError::retryable("full").with_code(Code::ResourceExhausted);
        let soon = full.clone().with_retry_after(Duration::from_secs(1));
        let later = ConsumeError::retryable("away").with_retry_after(Duration::from_secs(7));
        let error = ConsumeError::join(&[soon.clone(), later.clone()]).unwrap_err();
        assert_eq!((error.code, error.retryable), (Code::ResourceExhausted, true));
        assert_eq!(error.retry_after, Some(Duration::from_secs(7)));
        assert_eq!(&*error.message, "full; away");

        let error = ConsumeError::join(&[soon, ConsumeError::permanent("bad"), later]).unwrap_err();
        assert_eq!((error.code, error.retryable, error.retry_after), (Code::Internal, false, None));
    }
}
