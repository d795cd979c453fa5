//! Connections to backends over unix sockets, for tonic.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::rt::TokioIo;
use spanmill_tls::Connector;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tower::{BoxError, Service};

/// Connects to a socket, whatever the URI says, and shakes hands where there is TLS.
#[derive(Debug, Clone)]
pub(crate) struct Local {
    path: Arc<Path>,
    tls: Option<Connector>,
}

/// A connection, with or without TLS.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

// === impl Local ===

impl Local {
    pub(crate) fn new(path: PathBuf, tls: Option<Connector>) -> Self {
        Self { path: path.into(), tls }
    }
}

impl Service<Uri> for Local {
    type Response = TokioIo<Box<dyn Duplex>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { path, tls } = self.clone();
        Box::pin(async move {
            let stream = UnixStream::connect(path).await?;
            let stream: Box<dyn Duplex> = match tls {
                Some(tls) => Box::new(tls.connect(uri.host().unwrap_or_default(), stream).await?),
                None => Box::new(stream),
            };
            Ok(TokioIo::new(stream))
        })
    }
}
