//! Connections to backends over TLS, for tonic.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use spanmill_pipeline::ComponentError;
use spanmill_tls::{Connector, TlsError, TlsStream};
use tokio::net::TcpStream;
use tower::{BoxError, Service};

/// Connects, and shakes hands.
#[derive(Debug, Clone)]
pub(crate) struct Secure {
    tcp: HttpConnector,
    tls: Connector,
}

/// Why nothing can start.
pub(crate) fn not_loaded(error: &TlsError) -> ComponentError {
    ComponentError::Other(format!("failed to load TLS config: {error}"))
}

// === impl Secure ===

impl Secure {
    pub(crate) fn new(tls: Connector) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        Self { tcp, tls }
    }
}

impl Service<Uri> for Secure {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let host = uri.host().unwrap_or_default().to_owned();
        let (connecting, tls) = (self.tcp.call(uri), self.tls.clone());
        Box::pin(async move { Ok(TokioIo::new(tls.connect(&host, connecting.await?.into_inner()).await?)) })
    }
}
