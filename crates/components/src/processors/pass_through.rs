//! What a processor of spans is in pipelines of other signals where it has nothing to change.

use std::sync::Arc;

use async_trait::async_trait;
use spanmill_pipeline::{Batch, Component, ConsumeError, Consumer};

/// Passes everything on as it is.
pub(super) struct PassThrough {
    next: Arc<dyn Consumer>,
}

// === impl PassThrough ===

impl PassThrough {
    pub(super) fn new(next: Arc<dyn Consumer>) -> Self {
        Self { next }
    }
}

#[async_trait]
impl Component for PassThrough {}

#[async_trait]
impl Consumer for PassThrough {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        self.next.consume(batch).await
    }
}
