//! What tests of processors share.

use std::sync::Mutex;

use async_trait::async_trait;
use spanmill_otlp::Traces;
use spanmill_pipeline::{Batch, ConsumeError, Consumer};

/// Keeps the traces that it gets.
#[derive(Default)]
pub(super) struct Sink(pub(super) Mutex<Vec<Traces>>);

#[async_trait]
impl Consumer for Sink {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        if let Batch::Traces(traces) = batch {
            self.0.lock().unwrap().push(traces);
        }
        Ok(())
    }
}
