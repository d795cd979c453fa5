use std::future::pending;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::{Event, ServiceError};

/// What the service was told and has not done yet. Reloads that gather are one; stopping comes first.
pub(super) struct Orders {
    events: mpsc::Receiver<Event>,
    reload: Option<&'static str>,
    /// Until when everything must have stopped.
    stop: Option<Instant>,
    limit: Duration,
}

// === impl Orders ===

impl Orders {
    /// Stopping may take until `limit`.
    pub(super) fn new(events: mpsc::Receiver<Event>, limit: Duration) -> Self {
        Self { events, reload: None, stop: None, limit }
    }

    /// Waits for what is to be done: to reload, for a reason, or, without one, to stop.
    pub(super) async fn next(&mut self) -> Option<&'static str> {
        loop {
            while let Ok(event) = self.events.try_recv() {
                self.note(event);
            }
            if self.stop.is_some() {
                return None;
            }
            if let Some(why) = self.reload.take() {
                return Some(why);
            }
            self.hear().await;
        }
    }

    /// Waits until it is told to stop.
    pub(super) async fn told_to_stop(&mut self) {
        while self.stop.is_none() {
            self.hear().await;
        }
    }

    /// Until when everything must have stopped, from now on.
    pub(super) fn deadline(&mut self) -> Instant {
        *self.stop.get_or_insert_with(|| Instant::now() + self.limit)
    }

    /// Does what must not be given up half way, and hears meanwhile. Told to stop, it has until the deadline; told again, it ends at once.
    pub(super) async fn during<T>(&mut self, work: impl Future<Output = T>) -> Result<T, ServiceError> {
        let mut work = pin!(work);
        loop {
            let stop = self.stop;
            tokio::select! {
                biased;
                done = work.as_mut() => return Ok(done),
                again = self.hear_again() => if again {
                    return Err(ServiceError::Interrupted);
                },
                () = at(stop) => return Err(ServiceError::Late),
            }
        }
    }

    /// Stops, unless it is told so again.
    pub(super) async fn while_stopping<T>(&mut self, work: impl Future<Output = T>) -> Result<T, ServiceError> {
        self.deadline();
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                done = work.as_mut() => return Ok(done),
                again = self.hear_again() => if again {
                    return Err(ServiceError::Interrupted);
                },
            }
        }
    }

    /// Hears one thing; whether that is to stop, a second time.
    async fn hear_again(&mut self) -> bool {
        let Some(event) = self.events.recv().await else { return pending().await };
        let again = self.stop.is_some() && matches!(event, Event::Stop(_));
        self.note(event);
        again
    }

    async fn hear(&mut self) {
        match self.events.recv().await {
            Some(event) => self.note(event),
            None => {
                self.deadline();
            }
        }
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Stop(why) => {
                tracing::info!(why, "told to stop");
                self.deadline();
            }
            Event::Reload(why) => self.reload = Some(why),
        }
    }
}

/// Waits until then; for ever where there is no end.
async fn at(end: Option<Instant>) {
    match end {
        Some(end) => sleep_until(end).await,
        None => pending().await,
    }
}
