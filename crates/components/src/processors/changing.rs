//! Processors that change spans in their place, and never refuse or drop any.

use std::sync::Arc;

use async_trait::async_trait;
use spanmill_otlp::Traces;
use spanmill_pipeline::{Batch, Component, ConsumeError, Consumer, Node};

/// What is done to a request of spans.
pub(super) trait Change: Send + Sync + 'static {
    fn change(&self, traces: &mut Traces);
}

/// Changes spans and passes them on; metrics and logs are passed on as they are.
struct Changing<C> {
    change: C,
    next: Arc<dyn Consumer>,
}

/// A processor that does this to spans.
pub(super) fn changing(change: impl Change, next: Arc<dyn Consumer>) -> Arc<dyn Node> {
    Arc::new(Changing { change, next })
}

// === impl Changing ===

#[async_trait]
impl<C: Change> Component for Changing<C> {}

#[async_trait]
impl<C: Change> Consumer for Changing<C> {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let batch = match batch {
            Batch::Traces(mut traces) => {
                self.change.change(&mut traces);
                Batch::Traces(traces)
            }
            other @ Batch::Opaque(_) => other,
        };
        self.next.consume(batch).await
    }
}
