//! When sending begins, and what is lost when it is given up.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use spanmill_pipeline::Abandoned;

use super::Shared;
use super::transport::Transport;

// === impl Shared ===

impl<T: Transport> Shared<T> {
    /// Works once all has started that starts with it. Where that never happens, what is on disk is left there, and what came into memory
    /// meanwhile is sent at the end.
    pub(super) async fn in_time(self: Arc<Self>, started: impl Future<Output = ()>, work: impl Future<Output = ()>) {
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            () = started => {}
            _ = stop.wait_for(Option::is_some) => if self.queue.is_durable() {
                return;
            },
        }
        work.await;
    }

    /// Counts what is not sent any more as lost, where it is in memory.
    pub(super) fn abandon(&self) -> Abandoned {
        for (signal, items) in self.queue.held().into_iter().filter(|(_, items)| *items > 0) {
            self.metrics.failed(signal, items);
            if self.options.wait_for_result {
                // Who sent it hears so.
                continue;
            }
            self.lost.fetch_add(items, Ordering::Relaxed);
            tracing::error!(items, signal = signal.as_str(), "given up before it was sent, dropping data");
        }
        match self.lost.load(Ordering::Relaxed) {
            0 => Abandoned::Kept,
            items => Abandoned::Lost(items),
        }
    }
}
