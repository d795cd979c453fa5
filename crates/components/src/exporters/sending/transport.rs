use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use spanmill_pipeline::auth::CredentialsError;
use spanmill_pipeline::{Abandoned, Batch, Code, ComponentError, ConsumeError, Host, Signal};

/// Sends one request and waits for the answer.
#[async_trait]
pub(crate) trait Transport: Send + Sync + 'static {
    /// What is sent: made once of a batch, however often it is tried.
    type Request: Clone + Send + Sync;

    /// Whether it looks at the spans of a batch. Where it does not, a queue on disk does not parse them either.
    const READS_SPANS: bool = true;

    /// The request of a batch.
    fn request(&self, batch: &Batch) -> Self::Request;

    /// Success means that the backend has answered it, even if it took only a part.
    async fn send(&self, signal: Signal, request: Self::Request) -> Result<Answer, SendError>;

    /// Whether success means no more than that it is in a queue of its own.
    fn queues(&self) -> bool {
        false
    }

    /// Finds what it needs of the service, before anything is sent.
    async fn start(&self, _host: &Host) -> Result<(), ComponentError> {
        Ok(())
    }

    /// Lets go of all that it holds at once; what became of it.
    async fn abandon(&self) -> Abandoned {
        Abandoned::Kept
    }

    /// Lets go of what it holds, after the last request.
    async fn stop(&self) -> Result<(), ComponentError> {
        Ok(())
    }
}

/// A good answer. With partial success the backend refused items, which are not sent again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// How many items the backend refused.
    pub(crate) rejected: u64,
    /// What it had to say.
    pub(crate) message: String,
}

/// A request that did not arrive, or was refused.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub(crate) struct SendError {
    pub(crate) code: Code,
    pub(crate) retryable: bool,
    /// The backend takes smaller requests only.
    pub(crate) too_large: bool,
    /// The wait that the backend asked for.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) message: String,
}

// === impl Answer ===

impl Answer {
    /// Reads an encoded export response; those of all signals number their fields alike.
    pub(crate) fn decode(encoded: &[u8]) -> Result<Self, prost::DecodeError> {
        let partial = ExportTraceServiceResponse::decode(encoded)?.partial_success.unwrap_or_default();
        Ok(Self { rejected: u64::try_from(partial.rejected_spans).unwrap_or(0), message: partial.error_message })
    }
}

// === impl SendError ===

impl SendError {
    /// The backend could not be reached, or broke off.
    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self { code: Code::Unavailable, retryable: true, too_large: false, retry_after: None, message: message.into() }
    }

    /// It makes no sense to try again.
    pub(crate) fn permanent(code: Code, message: impl Into<String>) -> Self {
        Self { code, retryable: false, too_large: false, retry_after: None, message: message.into() }
    }
}

impl From<CredentialsError> for SendError {
    fn from(error: CredentialsError) -> Self {
        let retryable = matches!(error, CredentialsError::NotYet(_));
        Self { retryable, ..Self::permanent(Code::Unauthenticated, error.to_string()) }
    }
}

impl From<ConsumeError> for SendError {
    fn from(error: ConsumeError) -> Self {
        let ConsumeError { code, retryable, retry_after, message } = error;
        Self { code, retryable, too_large: false, retry_after, message: message.to_string() }
    }
}

impl From<SendError> for ConsumeError {
    fn from(error: SendError) -> Self {
        Self {
            code: error.code,
            retryable: error.retryable,
            retry_after: error.retry_after,
            message: error.message.into(),
        }
    }
}
