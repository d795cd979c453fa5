//! Closing connections so that no request is cut.
//!
//! HTTP/2 has a word for it, GOAWAY. Over HTTP/1.1 a server that closes a connection on which nothing happens may just miss a request that is
//! under way to it; and one that was made a moment ago would be closed before its first request came. So connections stay open for a short
//! time after the server was told to stop, and the next answer on each of them says that it is the last one.

#[cfg(test)]
mod tests;

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::service::Service;
use hyper::{Request, Response, Version};
use hyper_util::server::graceful::GracefulConnection;
use tokio::sync::watch;
use tokio::time::{Sleep, sleep};

/// How long a connection waits for one more request.
pub const LINGER: Duration = Duration::from_millis(300);
/// So many connections may wait at a socket, and are still served when its server stops.
pub const BACKLOG: usize = 1024;

/// A service whose answers over HTTP/1.1 close their connections once it was told to stop.
#[derive(Debug, Clone)]
pub struct Closing<S> {
    service: S,
    stop: watch::Receiver<bool>,
}

/// A connection that, told to end, first waits for a short time.
#[derive(Debug)]
pub struct Lingering<C> {
    connection: Pin<Box<C>>,
    /// Until when it waits, once it was told.
    until: Option<Pin<Box<Sleep>>>,
    told: bool,
}

/// Serves a connection, some time longer than until `stop` becomes true: a request that is on its way then is answered.
///
/// # Errors
///
/// Fails as the connection does.
pub async fn finish<C: GracefulConnection>(connection: C, mut stop: watch::Receiver<bool>) -> C::Output {
    let mut connection = Lingering::new(connection);
    tokio::select! {
        ended = &mut connection => return ended,
        told = stop.wait_for(|stopping| *stopping) => {
            // Without its sender the server is gone, and nobody waits for more requests.
            if told.is_err() {
                connection.until = Some(Box::pin(sleep(Duration::ZERO)));
            }
        }
    }
    connection.graceful_shutdown();
    connection.await
}

// === impl Lingering ===

impl<C: GracefulConnection> Lingering<C> {
    /// Serves as the connection does.
    pub fn new(connection: C) -> Self {
        Self { connection: Box::pin(connection), until: None, told: false }
    }

    /// Ends the connection soon, after the requests that are there by then.
    pub fn graceful_shutdown(&mut self) {
        if !self.told {
            self.until.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        }
    }
}

impl<C: GracefulConnection> Future for Lingering<C> {
    type Output = C::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<C::Output> {
        let this = self.get_mut();
        if let Some(until) = &mut this.until
            && until.as_mut().poll(cx).is_ready()
        {
            (this.until, this.told) = (None, true);
            this.connection.as_mut().graceful_shutdown();
        }
        this.connection.as_mut().poll(cx)
    }
}

// === impl Closing ===

impl<S> Closing<S> {
    /// Closes when `stop` becomes true.
    pub fn new(service: S, stop: watch::Receiver<bool>) -> Self {
        Self { service, stop }
    }
}

impl<S, B> Service<Request<Incoming>> for Closing<S>
where
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: 'static,
    B: 'static,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, S::Error>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let keeps_alive = request.version() <= Version::HTTP_11;
        let (answering, stop) = (self.service.call(request), self.stop.clone());
        Box::pin(async move {
            let mut response = answering.await?;
            if keeps_alive && *stop.borrow() {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response)
        })
    }
}
