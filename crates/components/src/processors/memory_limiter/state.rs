//! Whether requests are refused, and how much may come before somebody has to look at the memory again.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use tokio::sync::Notify;

/// What the checks have found, and what has come since.
#[derive(Debug)]
pub(super) struct State {
    soft: u64,
    refusing: AtomicBool,
    /// Bytes that came since the last look.
    come: AtomicU64,
    /// Bytes after which there has to be another.
    look_after: AtomicU64,
    hurry: Notify,
}

/// A look costs some microseconds: there is none for less than this.
const LEAST: u64 = 1 << 20;

/// Bytes become several times as many while they are decompressed, changed and sent, and other ways in may fill the memory at the same time.
const SHARE: u64 = 8;

// === impl State ===

impl State {
    pub(super) fn new(soft: u64, used: Option<u64>) -> Self {
        let state = Self {
            soft,
            refusing: AtomicBool::new(false),
            come: AtomicU64::new(0),
            look_after: AtomicU64::new(LEAST),
            hurry: Notify::new(),
        };
        state.looked(used.unwrap_or(0));
        state
    }

    /// Whether so many bytes are refused. Where much has come since the last look at the memory in use, it is looked at before the next check is
    /// due: what comes in a second may be more than there is.
    pub(super) fn refuses(&self, bytes: u64, used: impl FnOnce() -> Option<u64>) -> bool {
        if self.refusing.load(Relaxed) {
            return true;
        }
        let come = self.come.fetch_add(bytes, Relaxed).saturating_add(bytes);
        if come < self.look_after.load(Relaxed) {
            return false;
        }
        let Some(used) = used() else { return false };
        self.looked(used);
        let above = used >= self.soft;
        if above {
            self.refusing.store(true, Relaxed);
            self.hurry.notify_one();
        }
        above
    }

    /// What a check has come to.
    pub(super) fn decide(&self, refuse: bool, used: u64) {
        self.looked(used);
        self.refusing.store(refuse, Relaxed);
    }

    /// Waits until a check is due before its time.
    pub(super) async fn hurry(&self) {
        self.hurry.notified().await;
    }

    fn looked(&self, used: u64) {
        self.come.store(0, Relaxed);
        self.look_after.store((self.soft.saturating_sub(used) / SHARE).max(LEAST), Relaxed);
    }

    #[cfg(test)]
    pub(super) fn is_refusing(&self) -> bool {
        self.refusing.load(Relaxed)
    }
}
