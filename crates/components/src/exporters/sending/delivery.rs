//! From the queue to the backend: a batch is sent until it works, or no longer makes sense.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use spanmill_pipeline::{Batch, Signal};
use spanmill_wal::Seq;
use tokio::time::{Instant, sleep_until};

use super::Shared;
use super::batcher::Joined;
use super::pending::{Outcome, settle};
use super::pieces::Pieces;
use super::queue::Queue;
use super::retry::{Retry, Schedule};
use super::transport::{Answer, SendError, Transport};

/// A batch that was not sent.
#[derive(Clone)]
struct Unsent {
    error: SendError,
    /// It was not given up: the exporter is stopping.
    interrupted: bool,
}

/// What became of a batch that the backend did not refuse.
enum Done {
    Sent,
    /// It waits in the queue again, behind the others.
    Postponed,
}

/// How a batch stands to others.
struct Standing {
    /// The oldest request in it: those after it are not forgotten before it is.
    oldest: Option<Seq>,
    /// What it has behind it, where it was postponed.
    retry: Option<Box<Retry>>,
}

/// A batch that is tried until it works.
struct Attempt<'a> {
    batch: &'a Batch,
    oldest: Option<Seq>,
    began: Instant,
    retry: Box<Retry>,
}

/// A batch has failed, and is still tried.
struct Trouble<'a>(&'a Queue);

/// In thirty years: beyond what an instant can tell, it makes no difference.
const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);

// === impl Shared ===

impl<T: Transport> Shared<T> {
    /// Sends one request after the other.
    pub(super) async fn work(self: Arc<Self>) {
        while let Some(item) = self.queue.take().await {
            let retry = self.queue.postponed(&item).await;
            self.deliver(Joined::one(item, retry)).await;
        }
    }

    /// Sends a batch on behalf of whoever sent its requests.
    pub(super) async fn deliver(&self, mut joined: Joined) {
        match joined.client.take() {
            None => self.finish(joined).await,
            Some(client) => client.scope(self.finish(joined)).await,
        }
    }

    /// Sends a batch, tells who waits for it, and gives its room in the queue back.
    async fn finish(&self, joined: Joined) {
        let mut outcome = Outcome::default();
        let oldest = joined.pending.iter().filter_map(|pending| pending.seq()).min();
        let mut standing = Standing { oldest, retry: joined.retry };
        for batch in &joined.batches {
            if let Err(Unsent { error, interrupted }) = self.send(batch, &mut standing).await {
                outcome.add(&Err(error.into()), interrupted);
                if interrupted && self.queue.is_durable() {
                    // All of its requests stay, so that the rest would be sent twice.
                    break;
                }
            }
        }
        settle(joined.pending, &outcome, &self.queue);
        self.metrics.queue_size(self.queue.size());
    }

    /// Sends a batch that has no place in a queue.
    pub(super) async fn send_now(&self, batch: &Batch) -> Result<(), SendError> {
        let sent = self.send(batch, &mut Standing { oldest: None, retry: None }).await;
        sent.map_err(|unsent| unsent.error)
    }

    /// Sends a batch, in pieces where the backend takes only such.
    async fn send(&self, batch: &Batch, standing: &mut Standing) -> Result<(), Unsent> {
        let mut pieces = Pieces::new(batch.clone(), &self.sizes);
        let (mut result, mut too_large) = (Ok(()), None);
        while let Some(piece) = pieces.next() {
            let bytes = piece.encoded_len();
            let unsent = match self.send_one(&piece, standing).await {
                Ok(Done::Sent) => {
                    pieces.taken(bytes);
                    continue;
                }
                Ok(Done::Postponed) => continue,
                Err(unsent) => unsent,
            };
            if unsent.error.too_large {
                let smaller = pieces.too_large(piece);
                if too_large.is_none() && smaller {
                    tracing::warn!(bytes, error = %unsent.error, "the request is too large, it is sent in pieces");
                }
                too_large = Some(unsent);
                continue;
            }
            result = Err(self.give_up(&piece, unsent).await);
            if self.stays(&result) {
                return result;
            }
        }
        // As one where that can be, and at the end: each is a file, and until here the queue has the whole request.
        for (piece, unsent) in pieces.refused().into_iter().zip(std::iter::repeat(too_large).flatten()) {
            result = Err(self.give_up(&piece, unsent).await);
            if self.stays(&result) {
                return result;
            }
        }
        result
    }

    /// Whether the whole request stays in the queue: whatever else of it were sent now would be sent twice.
    fn stays(&self, result: &Result<(), Unsent>) -> bool {
        self.queue.is_durable() && result.as_ref().is_err_and(|unsent| unsent.interrupted)
    }

    /// What becomes of a batch that is not sent; where it could not be set aside before the exporter stopped, it was interrupted.
    async fn give_up(&self, batch: &Batch, unsent: Unsent) -> Unsent {
        let (items, error) = (batch.item_count(), &unsent.error);
        let stays = if self.queue.is_durable() && !unsent.interrupted {
            tracing::error!(%error, items, "exporting failed, setting the request aside");
            !self.queue.bury(batch, error).await
        } else {
            self.queue.is_durable()
        };
        if stays {
            tracing::info!(%error, items, "exporting failed, the request stays in the queue");
            return Unsent { interrupted: true, ..unsent };
        }
        self.metrics.failed(batch.signal(), items);
        if self.queue.is_durable() {
            return unsent;
        }
        if self.options.enabled {
            if unsent.interrupted {
                self.lost.fetch_add(items, Ordering::Relaxed);
            }
            tracing::error!(%error, items, "exporting failed, dropping data");
        } else {
            tracing::error!(%error, items, "exporting failed, rejecting data");
        }
        unsent
    }

    /// Sends until it works, or no longer makes sense, and counts.
    async fn send_one(&self, batch: &Batch, standing: &mut Standing) -> Result<Done, Unsent> {
        let running = self.metrics.begin(batch.signal());
        let result = self.try_to_send(batch, standing).await;
        if let Some(running) = running {
            running.end(result.as_ref().err().map(|unsent| unsent.error.to_string()));
        }
        result
    }

    async fn try_to_send(&self, batch: &Batch, standing: &mut Standing) -> Result<Done, Unsent> {
        let interrupted = |error| Err(Unsent { error, interrupted: true });
        let (signal, items, request) = (batch.signal(), batch.item_count(), self.transport.request(batch));
        let retry = standing.retry.take().unwrap_or_else(|| {
            let schedule = Schedule::new(&self.retry, self.queue.is_durable());
            Box::new(Retry { schedule, at: Instant::now() })
        });
        let mut attempt = Attempt { batch, oldest: standing.oldest, began: Instant::now(), retry };
        let mut trouble = None;
        loop {
            if attempt.retry.at > Instant::now() {
                trouble.get_or_insert_with(|| Trouble::begin(&self.queue));
                let pause = self.pause(attempt.retry.at);
                attempt = match self.unless_in_the_way(attempt, pause).await {
                    Some((attempt, ())) => attempt,
                    None => return Ok(Done::Postponed),
                };
            }
            if self.queue.is_over() {
                return interrupted(SendError::unreachable("the exporter is stopping"));
            }
            let answer = async {
                tokio::select! {
                    answer = self.transport.send(signal, request.clone()) => Some(answer),
                    () = self.patience_ends() => None,
                }
            };
            let answer = if trouble.is_none() {
                answer.await
            } else {
                match self.unless_in_the_way(attempt, answer).await {
                    Some((back, answer)) => {
                        attempt = back;
                        answer
                    }
                    None => return Ok(Done::Postponed),
                }
            };
            let error = match answer {
                Some(Ok(answer)) => {
                    self.report(signal, items, &answer);
                    return Ok(Done::Sent);
                }
                Some(Err(error)) => error,
                None => {
                    let message = "the backend has not answered, and the exporter is stopping";
                    return interrupted(SendError::unreachable(message));
                }
            };
            let Some(wait) = attempt.retry.schedule.next(&error) else {
                return Err(Unsent { error, interrupted: false });
            };
            if self.stop.borrow().is_some() {
                return interrupted(error);
            }
            tracing::info!(%error, interval = ?wait, "exporting failed, will retry after an interval");
            attempt.retry.at = Instant::now() + wait.min(FAR);
        }
    }

    /// Goes on with a batch that keeps failing; none where it has made room for others instead.
    async fn unless_in_the_way<'a, O>(
        &self,
        attempt: Attempt<'a>,
        going_on: impl Future<Output = O>,
    ) -> Option<(Attempt<'a>, O)> {
        tokio::pin!(going_on);
        tokio::select! {
            done = &mut going_on => return Some((attempt, done)),
            () = self.queue.is_in_the_way(attempt.oldest, attempt.began) => {}
        }
        let retry = self.queue.postpone(attempt.batch, attempt.retry).await?;
        // There was no room for that.
        Some((Attempt { retry, ..attempt }, going_on.await))
    }

    /// Waits for the next try.
    async fn pause(&self, at: Instant) {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = sleep_until(at) => {}
            _ = stop.wait_for(Option::is_some) => {}
        }
    }

    /// When an answer is no longer waited for: some time after the exporter was told to stop, where the next start sends the request again.
    async fn patience_ends(&self) {
        if !self.queue.is_durable() {
            return std::future::pending().await;
        }
        let deadline = self.stop.clone().wait_for(Option::is_some).await.ok().and_then(|deadline| *deadline);
        match deadline {
            Some(deadline) => sleep_until(deadline).await,
            // The sender lives as long as the exporter.
            None => std::future::pending().await,
        }
    }

    fn report(&self, signal: Signal, items: usize, answer: &Answer) {
        let rejected = usize::try_from(answer.rejected).unwrap_or(usize::MAX).min(items);
        if rejected > 0 || !answer.message.is_empty() {
            tracing::warn!(message = answer.message, rejected, "partial success");
        }
        self.metrics.sent(signal, items - rejected);
        if rejected > 0 {
            self.metrics.failed(signal, rejected);
        }
    }
}

// === impl Trouble ===

impl<'a> Trouble<'a> {
    fn begin(queue: &'a Queue) -> Self {
        queue.trouble(true);
        Self(queue)
    }
}

impl Drop for Trouble<'_> {
    fn drop(&mut self) {
        self.0.trouble(false);
    }
}
