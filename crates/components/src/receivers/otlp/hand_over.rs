//! Handing a batch over to the end, whether or not its sender waits for that.
//!
//! A client that goes away takes the future of its request with it. A queue may have written the batch by then, and delivers it; but what was
//! cut off is counted nowhere, and nobody could tell what came in from what went out. So it goes on for a moment.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use spanmill_pipeline::{Client, ConsumeError};
use tokio::runtime::Handle;
use tokio::time::timeout;

/// A batch on its way into a pipeline.
pub(super) struct HandOver {
    rest: Option<Pin<Box<dyn Future<Output = Taken> + Send>>>,
}

type Taken = Result<(), ConsumeError>;

/// How long it goes on without its client. Queues take milliseconds; what takes longer waits for room or for a backend, and its client sends it
/// again.
const FAREWELL: Duration = Duration::from_secs(1);

// === impl HandOver ===

impl HandOver {
    /// `taking` counts what becomes of it, also where it is dropped.
    pub(super) fn new(taking: impl Future<Output = Taken> + Send + 'static) -> Self {
        Self { rest: Some(Box::pin(taking)) }
    }
}

impl Future for HandOver {
    type Output = Taken;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Taken> {
        // Taken out, so that after a panic nothing is left to go on with.
        let Some(mut rest) = self.rest.take() else { return Poll::Pending };
        let polled = rest.as_mut().poll(context);
        if polled.is_pending() {
            self.rest = Some(rest);
        }
        polled
    }
}

impl Drop for HandOver {
    fn drop(&mut self) {
        let (Some(rest), Ok(runtime)) = (self.rest.take(), Handle::try_current()) else { return };
        let client = Client::current(Client::clone);
        runtime.spawn(client.scope(timeout(FAREWELL, rest)));
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::sync::oneshot;

    use super::*;

    /// What reports at its end, and how it ended.
    struct Ending(Option<oneshot::Sender<Option<String>>>);

    impl Ending {
        fn end(mut self) {
            let tenant = Client::current(|client| client.tenant.as_deref().unwrap_or_default().to_owned());
            self.0.take().unwrap().send(Some(tenant)).unwrap();
        }
    }

    impl Drop for Ending {
        fn drop(&mut self) {
            if let Some(ended) = self.0.take() {
                ended.send(None).unwrap();
            }
        }
    }

    /// Begins, for a client of a tenant, what ends when it is told to, and drops it.
    fn begun() -> (oneshot::Sender<()>, oneshot::Receiver<Option<String>>) {
        let ((go, gone), (ended, ending)) = (oneshot::channel::<()>(), oneshot::channel());
        let ended = Ending(Some(ended));
        let over = HandOver::new(async move {
            let _ = gone.await;
            ended.end();
            Ok(())
        });
        let client = Client { tenant: Some("shop".into()), ..Client::default() };
        assert!(client.scope(over).now_or_never().is_none());
        (go, ending)
    }

    /// Scenario: a hand-over is dropped in its midst, and could go on a moment later, or never.
    /// Guarantees: it comes to its end, for the same client; what never goes on is dropped after a second.
    #[tokio::test(start_paused = true)]
    async fn goes_on_for_a_moment() {
        let (go, ending) = begun();
        go.send(()).unwrap();
        assert_eq!(ending.await.unwrap().as_deref(), Some("shop"));
        let ((_go, ending), began) = (begun(), tokio::time::Instant::now());
        assert_eq!(ending.await.unwrap(), None);
        assert_eq!(began.elapsed().as_secs(), 1);
    }
}
