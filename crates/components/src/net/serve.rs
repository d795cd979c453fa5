//! Serving connections of HTTP: how many there are, how long each lives, and how they end.

use std::convert::Infallible;
use std::future::Future;
use std::iter;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use spanmill_pipeline::{BACKLOG, Closing, Lingering};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::life::{Cause, Life, Terms, Watched};
use super::listen::{Connection, Listener, Peer};

/// Answers requests, and how it treats connections.
pub(crate) struct Server<A> {
    /// The answers.
    pub(crate) answer: A,
    /// How they speak HTTP.
    pub(crate) protocol: Builder<TokioExecutor>,
    /// How long they live.
    pub(crate) terms: Terms,
    /// How long requests have once a connection is old; without a time: as long as they take.
    pub(crate) grace: Option<Duration>,
    /// Places for connections; beyond them new ones are closed at once.
    pub(crate) places: Arc<Semaphore>,
    /// Is told of what is not served.
    pub(crate) refused: Arc<dyn Fn(Unserved) + Send + Sync>,
}

/// What is not served without anybody having seen a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unserved {
    /// There are too many connections.
    Connections,
    /// Headers did not come in time.
    SlowHead,
    /// A client gave up one request after the other.
    GivenUp,
    /// What came is no HTTP, or nothing that may come: headers that are too large, frames that HTTP/2 forbids or that are too many.
    Protocol,
}

/// How long a connection that is asked to end may take, where nothing else is said.
const FAREWELL: Duration = Duration::from_secs(5);

/// When a connection ends.
enum End {
    /// Not yet.
    Open,
    /// When its requests are answered, at the latest then.
    By(Option<Instant>),
}

// === impl Server ===

impl<A, F, B> Server<A>
where
    A: Fn(Request<Incoming>, Peer) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    /// Serves connections until `stop` changes, then finishes what is in flight.
    pub(crate) async fn run(self, listener: Listener, mut stop: watch::Receiver<bool>) {
        let server = Arc::new(self);
        let mut connections = JoinSet::new();
        loop {
            let connection = tokio::select! {
                connection = listener.accept() => connection,
                Some(_) = connections.join_next() => continue,
                // The sender is gone only when the receiver itself is.
                _ = stop.wait_for(|stopping| *stopping) => break,
            };
            server.take(connection, &stop, &mut connections);
        }
        // Who is connected already is not turned away.
        for connection in iter::from_fn(|| listener.accept().now_or_never()).take(BACKLOG) {
            server.take(connection, &stop, &mut connections);
        }
        drop(listener);
        while connections.join_next().await.is_some() {}
    }

    /// Attends to a connection, if there is a place for it.
    fn take(self: &Arc<Self>, connection: Connection, stop: &watch::Receiver<bool>, connections: &mut JoinSet<()>) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            (self.refused)(Unserved::Connections);
            return;
        };
        let (server, stop) = (Arc::clone(self), stop.clone());
        connections.spawn(async move {
            server.attend(connection, stop).await;
            drop(place);
        });
    }

    async fn attend(&self, connection: Connection, mut stop: watch::Receiver<bool>) {
        let (peer, life) = (connection.peer(), Life::begin(&self.terms));
        let stream = TokioIo::new(Watched::new(connection, Arc::clone(&life)));
        let service = service_fn(|request| {
            let (work, answering) = (life.request(), (self.answer)(request, peer));
            async move {
                let response = answering.await;
                work.answered();
                Ok::<_, Infallible>(response)
            }
        });
        let service = Closing::new(service, stop.clone());
        let mut serving = pin!(Lingering::new(self.protocol.serve_connection(stream, service)));
        let mut end = End::Open;
        loop {
            let judgement = match &end {
                End::Open => life.judge(&self.terms),
                End::By(Some(latest)) if *latest <= Instant::now() => return,
                End::By(latest) => Ok(latest.unwrap_or_else(|| Instant::now() + FAREWELL)),
            };
            let look = match judgement {
                Ok(look) => look,
                Err(cause @ (Cause::Idle | Cause::Old)) => {
                    let time = if cause == Cause::Old { self.grace } else { Some(FAREWELL) };
                    end = End::By(time.map(|time| Instant::now() + time));
                    serving.graceful_shutdown();
                    continue;
                }
                Err(Cause::SlowHead) => return (self.refused)(Unserved::SlowHead),
                Err(Cause::GivesUp) => return (self.refused)(Unserved::GivenUp),
            };
            tokio::select! {
                biased;
                ended = serving.as_mut() => return self.note(ended),
                _ = stop.wait_for(|stopping| *stopping), if matches!(end, End::Open) => {
                    end = End::By(None);
                    serving.graceful_shutdown();
                }
                () = life.nuisance() => {}
                () = sleep_until(look) => {}
            }
        }
    }

    fn note(&self, ended: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
        let Err(error) = ended else { return };
        tracing::debug!(error = &*error, "a connection ended badly");
        if error.downcast_ref::<hyper::Error>().is_some_and(is_protocol) {
            (self.refused)(Unserved::Protocol);
        }
    }
}

/// Whether a connection was ended for what came on it: not by its client, and not because it broke.
fn is_protocol(error: &hyper::Error) -> bool {
    let of_h2 = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<h2::Error>());
    error.is_parse() || of_h2.is_some_and(h2::Error::is_library)
}
