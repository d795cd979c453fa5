//! Processors that change what passes in its place, and never drop any of it.

use std::sync::Arc;

use async_trait::async_trait;
use spanmill_otlp::{Malformed, Opaque, Traces};
use spanmill_pipeline::{Batch, Component, ConsumeError, Consumer, Node};

use crate::records::refusal;

/// What is done to a request.
pub(super) trait Change: Send + Sync + 'static {
    /// Changes spans.
    fn change(&self, traces: &mut Traces);

    /// What becomes of metrics or logs: nothing else, where only spans are changed.
    fn revise(&self, opaque: Opaque) -> Result<Opaque, Malformed> {
        Ok(opaque)
    }
}

/// Changes requests and passes them on.
struct Changing<C> {
    change: C,
    next: Arc<dyn Consumer>,
}

/// A processor that does this.
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
            Batch::Opaque(opaque) => Batch::Opaque(self.change.revise(opaque).map_err(refusal)?),
        };
        self.next.consume(batch).await
    }
}
