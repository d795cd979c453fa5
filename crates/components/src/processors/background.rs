//! Work that goes on after a request was answered: a task that takes requests from a queue, and its life cycle.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use spanmill_pipeline::{ComponentError, ConsumeError};
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// A task with a queue before it, of requests of type `T`.
pub(super) struct Background<T> {
    /// The processor's name, for messages.
    name: &'static str,
    sender: Mutex<Option<mpsc::Sender<T>>>,
    /// Tells the task that no retry shall be waited for any more.
    stopping: watch::Sender<bool>,
    state: Mutex<State>,
}

/// A task that was not started yet.
type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

enum State {
    New(Work),
    Running(JoinHandle<()>),
    Stopped,
}

/// Requests that may wait for the task. When it is behind, receivers wait in turn, and so do their clients.
pub(super) const WAITING_REQUESTS: usize = 16;

/// How long a request waits for room before its sender is asked to come again.
pub(super) const ROOM: Duration = Duration::from_secs(5);

// === impl Background ===

impl<T: Send + 'static> Background<T> {
    /// `work` makes the task of its queue, and of a flag that says when to stop. Its queue ends when the task has to.
    pub(super) fn new<W>(name: &'static str, work: impl FnOnce(mpsc::Receiver<T>, watch::Receiver<bool>) -> W) -> Self
    where
        W: Future<Output = ()> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel(WAITING_REQUESTS);
        let (stopping, stop) = watch::channel(false);
        let state = Mutex::new(State::New(Box::pin(work(receiver, stop))));
        Self { name, sender: Mutex::new(Some(sender)), stopping, state }
    }

    pub(super) fn start(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::New(work) = std::mem::replace(&mut *state, State::Stopped) {
            *state = State::Running(tokio::spawn(work));
        }
    }

    /// Ends the queue, and waits until the task has sent what it holds.
    pub(super) async fn shutdown(&self) -> Result<(), ComponentError> {
        drop(self.sender.lock().unwrap_or_else(PoisonError::into_inner).take());
        let _ = self.stopping.send(true);
        let state = std::mem::replace(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner), State::Stopped);
        if let State::Running(handle) = state {
            let ended = handle.await;
            ended.map_err(|error| ComponentError::Other(format!("the {} worker ended badly: {error}", self.name)))?;
        }
        Ok(())
    }

    /// Hands a request to the task, once there is room.
    pub(super) async fn send(&self, request: T) -> Result<(), ConsumeError> {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let stopped = || ConsumeError::retryable(format!("the {} processor is stopping", self.name));
        sender.ok_or_else(stopped)?.send_timeout(request, ROOM).await.map_err(|error| match error {
            SendTimeoutError::Timeout(_) => {
                let message = format!("the {} processor is full: what follows it refuses for now", self.name);
                ConsumeError::retryable(message).with_retry_after(ROOM)
            }
            SendTimeoutError::Closed(_) => stopped(),
        })
    }
}

/// Waits for a moment, or for ever where there is none.
pub(super) async fn until(moment: Option<Instant>) {
    match moment {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
