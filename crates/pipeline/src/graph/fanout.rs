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
pub(crate) fn fan_out(mut targets: Vec<Arc<dyn Consumer>>) -> Option<Arc<dyn Consumer>> {
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
        ConsumeError::join(&errors)
    }
    /// Where one takes nothing, none is asked to: a retry would repeat what the others have taken.
    fn ready(&self) -> Result<(), ConsumeError> {
        self.targets.iter().try_for_each(|target| target.ready())
    }
}
