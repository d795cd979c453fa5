//! Requests that a backend refuses for good leave the queue for a folder: not before they are there.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use bytes::Bytes;
use spanmill_otlp::Signal;
use spanmill_pipeline::{Batch, Code};
use spanmill_wal::Seq;
use tokio::time::sleep;

use super::Cost;
use super::dead_letters::{Letter, Put};
use super::disk::Disk;
use super::ending::Phase;
use crate::exporters::sending::transport::SendError;
use crate::storage::blocking;

/// How long to wait before writing again what could not be written, at first and at most.
const WRITE_AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];

// === impl Disk ===

impl Disk {
    /// Sets a batch aside that is refused for good. Tells whether it is done with.
    pub(super) async fn bury(&self, batch: &Batch, error: &SendError) -> bool {
        self.set_aside(batch.signal(), batch.encode(), batch.item_count(), error).await
    }

    /// The same with a record that holds no request, beside the others: its checksum is right, so that what wrote it was of another version.
    pub(super) fn bury_unread(self: &Arc<Self>, seq: Seq, payload: Bytes, error: &dyn std::fmt::Display) {
        let error = SendError::permanent(Code::DataLoss, format!("the queue holds no request: {error}"));
        let disk = Arc::clone(self);
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        while unread.try_join_next().is_some() {}
        unread.spawn(async move {
            if disk.set_aside(Signal::Traces, payload, 0, &error).await {
                disk.release(Cost::default(), &[seq]);
            }
        });
    }

    /// Waits for what is being set aside beside the others.
    pub(super) async fn unread_is_done(&self) {
        let unread = std::mem::take(&mut *self.unread.lock().unwrap_or_else(PoisonError::into_inner));
        unread.join_all().await;
    }

    async fn set_aside(&self, signal: Signal, request: Bytes, items: usize, error: &SendError) -> bool {
        let Some(opened) = self.opened.get() else { return false };
        let letter = Arc::new(Letter::new(&self.id.to_string(), signal, request, items, error));
        let [first, most] = WRITE_AGAIN;
        let waits = ExponentialBuilder::default().with_min_delay(first).with_max_delay(most).without_max_times();
        for wait in waits.build() {
            let (letters, letter) = (Arc::clone(&opened.letters), Arc::clone(&letter));
            match blocking(move || letters.put(&letter)).await {
                Ok(Put::Kept(path)) => {
                    self.told_unwritten.store(false, Ordering::Relaxed);
                    tracing::warn!(queue = %self.id, items, path = %path.display(), "a request was set aside");
                    return true;
                }
                Ok(Put::NoRoom) => {
                    let what = "dead letters take their `max_dead_letter_size` already, dropping data";
                    tracing::error!(queue = %self.id, items, "{what}");
                    return true;
                }
                // Once, not for each that waits.
                Err(error) if !self.told_unwritten.swap(true, Ordering::Relaxed) => {
                    let what = "a request could not be set aside: it stays in the queue, and is tried again";
                    tracing::error!(%error, queue = %self.id, items, "{what}");
                }
                Err(_) => {}
            }
            let mut phase = self.phase.subscribe();
            tokio::select! {
                biased;
                _ = phase.wait_for(|phase| *phase != Phase::Open) => return false,
                () = sleep(wait) => {}
            }
        }
        false
    }
}
