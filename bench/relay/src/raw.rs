//! A relay that passes request bytes on without looking at them, written with the usual gRPC library: the yardstick.

use std::convert::Infallible;
use std::future::Future;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use spanmill_bench_kit::BenchError;
use spanmill_bench_kit::load::EXPORT;
use spanmill_bench_kit::load::channel;
use spanmill_loadgen::Raw;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::server::{NamedService, UnaryService};
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status};

use crate::options::RawRelay;

/// Larger than any message of the benchmark.
const MAX_MESSAGE: usize = 64 << 20;

type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A gRPC service that hands the bytes of requests to a function.
pub(crate) struct ByteService<F>(Arc<F>);

/// Serves until the listener fails. `handle` gets the bytes of each request, decompressed.
pub(crate) async fn serve<F, A>(listener: TcpListener, handle: F) -> Result<(), BenchError>
where
    F: Fn(Bytes) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Response<Bytes>, Status>> + Send + 'static,
{
    Server::builder()
        .tcp_nodelay(true)
        .initial_stream_window_size(4 << 20)
        .initial_connection_window_size(16 << 20)
        .serve_with_incoming(ByteService(Arc::new(handle)), TcpListenerStream::new(listener))
        .await?;
    Ok(())
}

/// Relays until it is ended.
pub(crate) fn run(options: &RawRelay) -> Result<(), BenchError> {
    let workers = std::thread::available_parallelism().map_or(1, Into::into);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .map_err(BenchError::io("starting a runtime"))?;
    runtime.block_on(relay(options))
}

async fn relay(options: &RawRelay) -> Result<(), BenchError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.listen))
        .await
        .map_err(BenchError::io("binding the relay's port"))?;
    let channels: Vec<Channel> = (0..4).map(|_| channel(options.send_to)).collect::<Result<_, _>>()?;
    let (next, gzip) = (AtomicUsize::new(0), options.gzip);
    serve(listener, move |bytes| {
        let turn = next.fetch_add(1, Ordering::Relaxed);
        let chosen = channels.iter().cycle().nth(turn % 4).cloned();
        async move {
            let chosen = chosen.ok_or_else(|| Status::internal("no channel"))?;
            let mut client = tonic::client::Grpc::new(chosen).max_decoding_message_size(MAX_MESSAGE);
            if gzip {
                client = client.send_compressed(CompressionEncoding::Gzip);
            }
            client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
            client.unary(Request::new(bytes), http::uri::PathAndQuery::from_static(EXPORT), Raw).await
        }
    })
    .await
}

// === impl ByteService ===

impl<F> Clone for ByteService<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F> NamedService for ByteService<F> {
    const NAME: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";
}

impl<F, A> UnaryService<Bytes> for ByteService<F>
where
    F: Fn(Bytes) -> A,
    A: Future<Output = Result<Response<Bytes>, Status>> + Send + 'static,
{
    type Response = Bytes;
    type Future = Answer<Result<Response<Bytes>, Status>>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        Box::pin((self.0)(request.into_inner()))
    }
}

impl<F, A> tower::Service<http::Request<Body>> for ByteService<F>
where
    F: Fn(Bytes) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Response<Bytes>, Status>> + Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(Raw)
                .accept_compressed(CompressionEncoding::Gzip)
                .accept_compressed(CompressionEncoding::Zstd)
                .apply_max_message_size_config(Some(MAX_MESSAGE), Some(MAX_MESSAGE));
            Ok(grpc.unary(service, request).await)
        })
    }
}
