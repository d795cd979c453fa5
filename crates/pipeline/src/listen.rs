//! Listening on TCP, and serving HTTP there.

use std::error::Error;
use std::future::Future;
use std::io;
use std::iter;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt;
use hyper::body::{Body, Incoming};
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use spanmill_tls::{Acceptor, Stream};
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::sync::watch;
use tonic::service::Routes;

use crate::closing::{BACKLOG, Closing, finish};

/// A port that is listened on, with TLS or without. Made of a listener alone, it is without.
#[derive(Debug)]
pub struct Port {
    listener: TcpListener,
    tls: Option<Acceptor>,
}

/// Listens on `host:port`, as Go does: no host means all interfaces, of IPv6 too where there is such a thing, and of a name's addresses an
/// IPv4 one is taken first, so that clients given `127.0.0.1` find it.
///
/// # Errors
///
/// Fails when the name cannot be resolved or none of its addresses be bound.
pub async fn bind(endpoint: &str) -> io::Result<TcpListener> {
    TcpListener::bind(addresses(endpoint).await?.as_slice()).await
}

/// What [`bind`] tries, in order.
pub(crate) async fn addresses(endpoint: &str) -> io::Result<Vec<SocketAddr>> {
    if let Some(port) = endpoint.strip_prefix(':') {
        let of_ipv6 = lookup_host(format!("[::]:{port}")).await?;
        return Ok(of_ipv6.chain(lookup_host(format!("0.0.0.0:{port}")).await?).collect());
    }
    let mut addresses: Vec<SocketAddr> = lookup_host(endpoint).await?.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    Ok(addresses)
}

/// The next connection, once one can be accepted: a process that has no file descriptors left tries again.
pub async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::debug!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

/// Serves gRPC until `shutdown`, as [`serve`] does HTTP.
pub async fn serve_grpc(port: impl Into<Port>, services: Routes, shutdown: impl Future<Output = ()> + Send) {
    let services = TowerToHyperService::new(services.prepare().into_axum_router());
    serve(port, Builder::new(TokioExecutor::new()).http2_only(), services, shutdown).await;
}

/// Serves HTTP until `shutdown`; requests that run then are finished. What goes wrong with one connection, or while the process has no file
/// descriptors left, concerns no other.
pub async fn serve<S, B>(
    port: impl Into<Port>,
    builder: Builder<TokioExecutor>,
    service: S,
    shutdown: impl Future<Output = ()> + Send,
) where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let port = port.into();
    let (stop, stopping) = watch::channel(false);
    let mut shutdown = pin!(shutdown);
    loop {
        let stream = tokio::select! {
            biased;
            () = &mut shutdown => break,
            stream = port.accept() => stream,
        };
        serve_one(stream, &builder, service.clone(), stopping.clone());
    }
    // Who is connected already is not turned away.
    for stream in iter::from_fn(|| port.accept().now_or_never()).take(BACKLOG) {
        serve_one(stream, &builder, service.clone(), stopping.clone());
    }
    drop((port, stopping));
    // Connections listen until they are closed.
    let _ = stop.send(true);
    stop.closed().await;
}

fn serve_one<S, B>(stream: Stream<TcpStream>, builder: &Builder<TokioExecutor>, service: S, stop: watch::Receiver<bool>)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let service = Closing::new(service, stop.clone());
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    tokio::spawn(async move {
        if let Err(error) = finish(connection, stop).await {
            tracing::debug!(%error, "a connection ended");
        }
    });
}

// === impl Port ===

impl Port {
    /// A port whose connections are made secure by `tls`, where there is one.
    pub fn new(listener: TcpListener, tls: Option<Acceptor>) -> Self {
        Self { listener, tls }
    }

    /// Its address.
    ///
    /// # Errors
    ///
    /// Fails when the system does.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The next connection. Its handshake is its own affair, and holds up no other.
    pub async fn accept(&self) -> Stream<TcpStream> {
        let stream = accept(&self.listener).await;
        // A small answer must not wait for more to send; where it cannot be set, only latency suffers.
        let _ = stream.set_nodelay(true);
        match &self.tls {
            Some(tls) => tls.accept(stream),
            None => Stream::plain(stream),
        }
    }
}

impl From<TcpListener> for Port {
    fn from(listener: TcpListener) -> Self {
        Self::new(listener, None)
    }
}
