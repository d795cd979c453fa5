//! What a server knows of a connection's life: whether it is at work, since when not, and whether it has become a nuisance.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long connections may do what. Without a time: for ever.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Terms {
    /// From the first byte of a request of HTTP/1, or from the beginning of the connection, to the end of its headers.
    pub(crate) head: Option<Duration>,
    /// Between two requests, and before the first.
    pub(crate) idle: Option<Duration>,
    /// In all. Then the client is asked to connect anew.
    pub(crate) age: Option<Duration>,
    /// How many more requests than were answered a client may give up; 0: any number.
    pub(crate) given_up: usize,
}

/// Why a connection has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Nothing happens on it.
    Idle,
    /// It has lived long enough.
    Old,
    /// Its headers do not come.
    SlowHead,
    /// It begins requests only to give them up.
    GivesUp,
}

/// The life of one connection. Times are milliseconds since it began.
#[derive(Debug)]
pub(crate) struct Life {
    began: Instant,
    /// Requests that are being answered.
    busy: AtomicUsize,
    /// When the last one was answered.
    idle_since: AtomicU64,
    /// Since when the headers of the next one are due; 0: not yet.
    head_since: AtomicU64,
    /// It speaks HTTP/2, where bytes that come do not mean that a request begins.
    multiplexed: AtomicBool,
    /// Requests given up beyond those that were answered, and how many of them are one too many.
    given_up: AtomicUsize,
    too_many: usize,
    nuisance: Notify,
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct AtWork {
    life: Arc<Life>,
    answered: bool,
}

/// A stream that tells a life what it reads.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    stream: S,
    life: Arc<Life>,
    heard: bool,
}

// === impl Life ===

impl Life {
    pub(crate) fn begin(terms: &Terms) -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            busy: AtomicUsize::new(0),
            idle_since: AtomicU64::new(0),
            head_since: AtomicU64::new(1),
            multiplexed: AtomicBool::new(false),
            given_up: AtomicUsize::new(0),
            too_many: if terms.given_up == 0 { usize::MAX } else { terms.given_up },
            nuisance: Notify::new(),
        })
    }

    pub(crate) fn request(self: &Arc<Self>) -> AtWork {
        self.busy.fetch_add(1, Relaxed);
        AtWork { life: Arc::clone(self), answered: false }
    }

    /// Whether it has to end by these terms; if not, when to look again.
    pub(crate) fn judge(&self, terms: &Terms) -> Result<Instant, Cause> {
        let now = Instant::now();
        if self.given_up.load(Relaxed) > self.too_many {
            return Err(Cause::GivesUp);
        }
        let after = |since: u64, time: Duration| self.began + Duration::from_millis(since) + time;
        // Nobody is woken when a request begins or ends, so the times are looked at once in each.
        let mut next = now + terms.head.into_iter().chain(terms.idle).min().unwrap_or(A_WHILE);
        if let Some(age) = terms.age {
            let due = after(0, age);
            if due <= now {
                return Err(Cause::Old);
            }
            next = next.min(due);
        }
        let head_since = self.head_since.load(Relaxed);
        let is_idle = self.busy.load(Relaxed) == 0;
        if let Some(head) = terms.head.filter(|_| is_idle && head_since > 0) {
            let due = after(head_since, head);
            if due <= now {
                return Err(Cause::SlowHead);
            }
            next = next.min(due);
        } else if let Some(idle) = terms.idle.filter(|_| is_idle) {
            let due = after(self.idle_since.load(Relaxed), idle);
            if due <= now {
                return Err(Cause::Idle);
            }
            next = next.min(due);
        }
        Ok(next)
    }

    /// Waits until too many requests have been given up.
    pub(crate) async fn nuisance(&self) {
        self.nuisance.notified().await;
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Without any time set a connection is looked at that often.
const A_WHILE: Duration = Duration::from_secs(60);

// === impl AtWork ===

impl AtWork {
    pub(crate) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let life = &self.life;
        if self.answered {
            // Two for one: who gets answers at all is no nuisance.
            let _ = life.given_up.fetch_update(Relaxed, Relaxed, |count| (count > 0).then(|| count.saturating_sub(2)));
        } else if life.given_up.fetch_add(1, Relaxed) == life.too_many {
            life.nuisance.notify_one();
        }
        life.idle_since.store(life.now(), Relaxed);
        life.head_since.store(0, Relaxed);
        life.busy.fetch_sub(1, Relaxed);
    }
}

// === impl Watched ===

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, life: Arc<Life>) -> Self {
        Self { stream, life, heard: false }
    }

    fn hears(&mut self, bytes: &[u8]) {
        if bytes.is_empty() || self.life.multiplexed.load(Relaxed) {
            return;
        }
        // How HTTP/2 begins, and no method of HTTP/1 that we serve.
        if !self.heard && bytes.starts_with(b"PRI") {
            self.life.multiplexed.store(true, Relaxed);
            self.life.head_since.store(0, Relaxed);
            return;
        }
        self.heard = true;
        if self.life.busy.load(Relaxed) == 0 && self.life.head_since.load(Relaxed) == 0 {
            self.life.head_since.store(self.life.now().max(1), Relaxed);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buffer);
        this.hears(buffer.filled().get(before..).unwrap_or_default());
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buffer)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn terms() -> Terms {
        Terms { head: Some(SECOND), idle: Some(10 * SECOND), age: Some(100 * SECOND), given_up: 3 }
    }

    fn says(life: &Arc<Life>, bytes: &[u8]) {
        Watched::new((), Arc::clone(life)).hears(bytes);
    }

    /// Scenario: a connection is silent, another sends half a request after a while, is at work for long, and is silent again.
    /// Guarantees: the first ends after the time for headers; the other for half a request after one second, for silence after ten,
    /// while at work only of age.
    #[tokio::test(start_paused = true)]
    async fn times() {
        let life = Life::begin(&terms());
        assert!(life.judge(&terms()).is_ok());
        advance(SECOND + Duration::from_millis(1)).await;
        assert_eq!(life.judge(&terms()), Err(Cause::SlowHead));

        let life = Life::begin(&terms());
        life.request().answered();
        advance(9 * SECOND).await;
        assert!(life.judge(&terms()).is_ok());
        says(&life, b"POST");
        advance(SECOND).await;
        assert_eq!(life.judge(&terms()), Err(Cause::SlowHead));
        let work = life.request();
        advance(50 * SECOND).await;
        assert!(life.judge(&terms()).is_ok());
        work.answered();
        advance(9 * SECOND).await;
        assert!(life.judge(&terms()).is_ok());
        advance(SECOND).await;
        assert_eq!(life.judge(&terms()), Err(Cause::Idle));
        let _work = life.request();
        advance(30 * SECOND).await;
        assert_eq!(life.judge(&terms()), Err(Cause::Old));
    }

    /// Scenario: a connection of HTTP/2 sends nothing but signs of life.
    /// Guarantees: that is no half request; it is idle.
    #[tokio::test(start_paused = true)]
    async fn signs_of_life() {
        let life = Life::begin(&terms());
        says(&life, b"PRI * HTTP/2.0");
        says(&life, b"ping");
        advance(9 * SECOND).await;
        assert!(life.judge(&terms()).is_ok());
        advance(SECOND).await;
        assert_eq!(life.judge(&terms()), Err(Cause::Idle));
    }

    /// Scenario: requests are given up, some between others that are answered.
    /// Guarantees: only who gives up far more than is answered is a nuisance, and that is told at once.
    #[tokio::test(start_paused = true)]
    async fn given_up() {
        let life = Life::begin(&terms());
        for _ in 0..20 {
            drop(life.request());
            drop(life.request());
            life.request().answered();
        }
        assert!(life.judge(&Terms::default()).is_ok());
        for _ in 0..4 {
            drop(life.request());
        }
        life.nuisance().await;
        assert_eq!(life.judge(&terms()), Err(Cause::GivesUp));
    }
}
