//! Small pages for machines over HTTP: metrics, health.

use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use spanmill_tls::{Acceptor, Stream};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::auth::AuthError;
use crate::closing::{Closing, finish};
use crate::listen::Port;
use crate::listeners::Listeners;

/// A server of pages. Dropping it ends it some time later; `stop` waits until the port is free.
#[derive(Debug)]
pub struct Pages {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinSet<()>,
}

/// Where pages are shown, and to whom. Made of an endpoint alone: to everybody.
#[derive(Clone, Default)]
pub struct Site {
    /// `host:port`: see [`bind`].
    pub endpoint: String,
    /// TLS, where it is spoken.
    pub tls: Option<Acceptor>,
    /// Who decides, where not everybody may see them.
    pub guard: Option<Guard>,
}

/// Decides whether who asks may see; the error is what is said otherwise.
pub type Guard = Arc<dyn Fn(Parts) -> BoxFuture<'static, Result<(), AuthError>> + Send + Sync>;

/// An answer to a GET.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// The content type.
    pub content_type: &'static str,
    /// The content.
    pub body: Bytes,
}

/// Answers for a path, which begins with `/`, and a query; `None` where there is nothing.
type Answer = dyn Fn(&str, &str) -> BoxFuture<'static, Option<Page>> + Send + Sync;

/// How many connections are served at a time; more wait in the system's queue.
const CONNECTIONS: usize = 64;
/// How long a client may take to ask.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long those that have asked may take to read their answers in the end.
const CLOSING: Duration = Duration::from_secs(1);

// === impl Pages ===

impl Pages {
    /// Listens at a site: see [`Listeners::bind`].
    ///
    /// # Errors
    ///
    /// Fails when the name cannot be resolved or none of its addresses be bound.
    pub async fn serve(
        listeners: &Listeners,
        site: impl Into<Site>,
        answer: impl Fn(&str) -> Option<Page> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::serve_queries(listeners, site, move |path, _| answer(path)).await
    }

    /// As [`Pages::serve`], for pages that are asked for with a query, which may be empty.
    ///
    /// # Errors
    ///
    /// Fails when the name cannot be resolved or none of its addresses be bound.
    pub async fn serve_queries(
        listeners: &Listeners,
        site: impl Into<Site>,
        answer: impl Fn(&str, &str) -> Option<Page> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::serve_slowly(listeners, site, move |path, query| Box::pin(ready(answer(path, query)))).await
    }

    /// As [`Pages::serve_queries`], for pages that take their time.
    ///
    /// # Errors
    ///
    /// Fails when the name cannot be resolved or none of its addresses be bound.
    pub async fn serve_slowly(
        listeners: &Listeners,
        site: impl Into<Site>,
        answer: impl Fn(&str, &str) -> BoxFuture<'static, Option<Page>> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let Site { endpoint, tls, guard } = site.into();
        let port = Port::new(listeners.bind(&endpoint).await?, tls);
        let address = port.local_addr()?;
        let (stop, stopping) = watch::channel(false);
        let mut task = JoinSet::new();
        task.spawn(accept(port, guard, Arc::new(answer), stopping));
        Ok(Self { address, stop, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Releases the port. Requests under way are finished, within a second.
    pub async fn stop(mut self) {
        // With nobody listening the server has ended.
        let _ = self.stop.send(true);
        let _ = timeout(CLOSING, self.task.join_next()).await;
        self.task.shutdown().await;
    }
}

async fn accept(port: Port, guard: Option<Guard>, answer: Arc<Answer>, mut stop: watch::Receiver<bool>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            // Who is connected already is not turned away.
            biased;
            accepted = next(&port, &slots) => accepted,
            _ = stop.wait_for(|stopping| *stopping) => break,
        };
        let Some((stream, slot)) = accepted else { continue };
        while connections.try_join_next().is_some() {}
        let (guard, answer, stop) = (guard.clone(), Arc::clone(&answer), stop.clone());
        connections.spawn(async move {
            let service = service_fn(move |request| respond(guard.clone(), Arc::clone(&answer), request));
            let mut server = http1::Builder::new();
            let server = server.timer(TokioTimer::new()).header_read_timeout(PATIENCE).max_buf_size(16 * 1024);
            let service = Closing::new(service, stop.clone());
            // A client that goes away is not worth a word.
            let _ = finish(server.serve_connection(TokioIo::new(stream), service), stop).await;
            drop(slot);
        });
    }
    drop(port);
    while connections.join_next().await.is_some() {}
}

/// The next connection, once there may be one more.
async fn next(port: &Port, slots: &Arc<Semaphore>) -> Option<(Stream<TcpStream>, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    Some((port.accept().await, slot))
}

async fn respond(
    guard: Option<Guard>,
    answer: Arc<Answer>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let admitted = match guard {
        Some(guard) => guard(request.into_parts().0).await,
        None => Ok(()),
    };
    let page = match (admitted, method) {
        (Err(error), _) => Page::text(error.status().as_u16(), error.to_string()),
        (Ok(()), Method::GET | Method::HEAD) => answer(uri.path(), uri.query().unwrap_or_default())
            .await
            .unwrap_or_else(|| Page::text(404, "404 page not found\n")),
        (Ok(()), _) => Page::text(405, "405 method not allowed\n"),
    };
    let mut response = Response::new(Full::new(page.body));
    *response.status_mut() = StatusCode::from_u16(page.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(page.content_type));
    Ok(response)
}

// === impl Site ===

impl From<&str> for Site {
    fn from(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), ..Self::default() }
    }
}

impl From<&String> for Site {
    fn from(endpoint: &String) -> Self {
        endpoint.as_str().into()
    }
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { endpoint, tls, guard } = self;
        let mut shown = f.debug_struct("Site");
        shown.field("endpoint", endpoint).field("tls", tls).field("guard", &guard.is_some()).finish()
    }
}

// === impl Page ===

impl Page {
    /// A plain text.
    pub fn text(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", body: body.into() }
    }

    /// A page for people.
    pub fn html(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, content_type: "text/html; charset=utf-8", body: body.into() }
    }

    /// A JSON document.
    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, content_type: "application/json", body: body.into() }
    }
}
