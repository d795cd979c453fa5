use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;

use crate::batch::Batch;
use crate::consume::{ConsumeError, Consumer};

/// Gives every consumer the same bytes, all at once.
pub(super) struct FanOut {
    targets: Vec<Arc<dyn Consumer>>,
}

/// One consumer for several; a single one needs nothing in between.
pub(super) fn fan_out(mut targets: Vec<Arc<dyn Consumer>>) -> Option<Arc<dyn Consumer>> {
    match targets.len() {
        0 => None,
        1 => targets.pop(),
        _ => Some(Arc::new(FanOut { targets })),
    }
}

// === impl FanOut ===

#[async_trait]
impl Consumer for FanOut {
    /// Succeeds when all took the batch over.
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let frozen = batch.freeze();
        let results = join_all(self.targets.iter().map(|target| target.consume(frozen.clone()))).await;
        let errors: Vec<ConsumeError> = results.into_iter().filter_map(Result::err).collect();
        combine(&errors)
    }
}

/// As the Collector joins errors: one that is permanent makes the whole permanent, since a retry would repeat what the others have taken;
/// the code is that of the first error of the decisive sort; the delay is the longest that was asked for.
fn combine(errors: &[ConsumeError]) -> Result<(), ConsumeError> {
    let Some(decisive) = errors.iter().find(|error| !error.retryable).or_else(|| errors.first()) else {
        return Ok(());
    };
    let (code, retryable) = (decisive.code, decisive.retryable);
    let retry_after = errors.iter().filter_map(|error| error.retry_after).max().filter(|_| retryable);
    let messages: Vec<&str> = errors.iter().map(|error| &*error.message).collect();
    Err(ConsumeError { code, retryable, retry_after, message: messages.join("; ").into() })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::consume::Code;

    /// Scenario: no error, several retryable ones, and a permanent one among retryable ones.
    /// Guarantees: success needs all; retryable ones stay retryable with the longest delay; one permanent error decides, without a delay.
    #[test]
    fn errors_combine() {
        assert!(combine(&[]).is_ok());

        let full = ConsumeError::retryable("full").with_code(Code::ResourceExhausted);
        let soon = full.clone().with_retry_after(Duration::from_secs(1));
        let later = ConsumeError::retryable("away").with_retry_after(Duration::from_secs(7));
        let error = combine(&[soon.clone(), later.clone()]).unwrap_err();
        assert_eq!((error.code, error.retryable), (Code::ResourceExhausted, true));
        assert_eq!(error.retry_after, Some(Duration::from_secs(7)));
        assert_eq!(&*error.message, "full; away");

        let error = combine(&[soon, ConsumeError::permanent("bad"), later]).unwrap_err();
        assert_eq!((error.code, error.retryable, error.retry_after), (Code::Internal, false, None));
    }
}
