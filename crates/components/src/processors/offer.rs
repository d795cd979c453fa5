//! Offering a batch to the next component until it is taken over: what processors do that answered their senders already.

use std::time::Duration;

use spanmill_pipeline::{Batch, ConsumeError, Consumer};
use tokio::sync::watch;
use tokio::time::sleep;

/// First and longest wait before a batch is offered again that the next component refused for now.
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(5);

/// Offers the batch until it is taken over, or refused for good. Once `stop` says so, a refusal is for good, after one more try.
pub(super) async fn offer(
    next: &dyn Consumer,
    batch: Batch,
    stop: &mut watch::Receiver<bool>,
) -> Result<(), ConsumeError> {
    let items = batch.item_count();
    let batch = batch.freeze();
    let mut delay = FIRST_RETRY;
    loop {
        let error = match next.consume(batch.clone()).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if !error.retryable || *stop.borrow() {
            return Err(error);
        }
        tracing::warn!(%error, items, "batch refused for now, offering it again");
        tokio::select! {
            () = sleep(error.retry_after.unwrap_or(delay)) => {}
            // One more try right away, then the batch is given up.
            _ = stop.wait_for(|stopping| *stopping) => {}
        }
        delay = (delay * 2).min(LONGEST_RETRY);
    }
}
