//! OTLP over gRPC: tonic's server, with unary calls framed by hand so that received bytes stay where they are.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use spanmill_pipeline::{Code, ConsumeError, Signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_stream::StreamExt;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::transport::Server;
use tower::Service;

use super::access::Access;
use super::config::{Grpc, ServerParameters};
use super::intake::Intake;
use crate::net::compression::{Compression, DecompressError};
use crate::net::frame::{FrameError, OneMessage, read_message};
use crate::net::listen::{Listener, Peer};
use crate::net::service::grpc_path;
use crate::net::status;

/// Requests beyond this many bytes are granted to a connection before it must wait; whole batches, so that windows do not
/// slow senders down.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;

/// Larger than HTTP/2's default of 16 KiB: a batch arrives in fewer pieces, which have to be joined.
const FRAME_SIZE: u32 = 1 << 20;

/// The encodings that a client may use.
const ACCEPTED: &str = "identity,gzip,zstd,deflate,snappy";

/// One OTLP service.
#[derive(Clone)]
struct Export {
    signal: Signal,
    intake: Intake,
    access: Access,
    limit: usize,
}

macro_rules! services {
    ($($service:ident = $name:literal),*) => {$(
        #[derive(Clone)]
        struct $service(Export);

        impl NamedService for $service {
            const NAME: &'static str = $name;
        }

        impl Service<Request<Body>> for $service {
            type Response = Response<Body>;
            type Error = Infallible;
            type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

            fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: Request<Body>) -> Self::Future {
                let export = self.0.clone();
                Box::pin(async move { Ok(export.answer(request).await) })
            }
        }
    )*};
}

services!(
    TraceService = "opentelemetry.proto.collector.trace.v1.TraceService",
    MetricsService = "opentelemetry.proto.collector.metrics.v1.MetricsService",
    LogsService = "opentelemetry.proto.collector.logs.v1.LogsService"
);

/// Serves until `stop` changes, then finishes what is in flight.
pub(super) fn serve(
    listener: Listener,
    config: &Grpc,
    intake: &Intake,
    access: &Access,
    mut stop: watch::Receiver<bool>,
) -> JoinHandle<Result<(), tonic::transport::Error>> {
    let export = |signal| Export { signal, intake: intake.clone(), access: access.clone(), limit: config.limit() };
    let parameters = config.keepalive.as_ref().map(|keepalive| keepalive.server_parameters.clone());
    let mut server = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME_SIZE)
        .http2_max_header_list_size(64 << 10);
    if config.max_concurrent_streams > 0 {
        server = server.max_concurrent_streams(config.max_concurrent_streams);
    }
    server = keep_alive(server, &parameters.unwrap_or_default());
    // A signal that no pipeline takes is not served, so that clients are told by gRPC itself.
    let router = server
        .add_optional_service(intake.takes(Signal::Traces).then(|| TraceService(export(Signal::Traces))))
        .add_optional_service(intake.takes(Signal::Metrics).then(|| MetricsService(export(Signal::Metrics))))
        .add_optional_service(intake.takes(Signal::Logs).then(|| LogsService(export(Signal::Logs))));
    let listener = Arc::new(listener);
    let incoming = tokio_stream::iter(std::iter::repeat(listener))
        .then(|listener| async move { Ok::<_, std::io::Error>(listener.accept().await) });
    tokio::spawn(router.serve_with_incoming_shutdown(Box::pin(incoming), async move {
        // The sender is gone only when the receiver itself is.
        let _ = stop.wait_for(|stopping| *stopping).await;
    }))
}

fn keep_alive(server: Server, parameters: &ServerParameters) -> Server {
    let mut server = server
        .http2_keepalive_interval(parameters.time.positive())
        .http2_keepalive_timeout(Some(parameters.timeout.to_std()));
    if let Some(age) = parameters.max_connection_age.positive() {
        server = server.max_connection_age(age);
        if let Some(grace) = parameters.max_connection_age_grace.positive() {
            server = server.max_connection_age_grace(grace);
        }
    }
    server
}

// === impl Export ===

impl Export {
    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        match self.receive(request).await {
            // An export response without partial success is an empty message.
            Ok(()) => {
                let mut response = Response::new(Body::new(OneMessage::response(Bytes::new())));
                response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
                response
            }
            Err(error) => {
                let mut response = Response::new(Body::empty());
                *response.headers_mut() = status::headers(&error);
                if error.code == Code::Unimplemented {
                    response.headers_mut().insert("grpc-accept-encoding", HeaderValue::from_static(ACCEPTED));
                }
                response
            }
        }
    }

    async fn receive(&self, request: Request<Body>) -> Result<(), ConsumeError> {
        if request.uri().path() != grpc_path(self.signal) {
            let message = format!("unknown method {}", request.uri().path());
            return Err(ConsumeError::permanent(message).with_code(Code::Unimplemented));
        }
        let (head, body) = request.into_parts();
        let identity = self.access.admit(&head).await?;
        let encoding = head.headers.get("grpc-encoding").map_or(Ok(""), |value| value.to_str());
        let compression = encoding.ok().and_then(Compression::from_header).ok_or_else(|| {
            let message = "unknown grpc-encoding: expected gzip, zstd, deflate, snappy or identity";
            ConsumeError::permanent(message).with_code(Code::Unimplemented)
        })?;
        let address = head.extensions.get::<Peer>().and_then(|peer| peer.0);
        let message = read_message(body, self.limit).await.map_err(|error| frame_error(&error))?;
        let bytes = if message.compressed {
            compression.decompress(&message.bytes, self.limit).map_err(|error| decompress_error(&error))?
        } else {
            message.bytes
        };
        self.access.serve(head, address, identity, self.intake.take(self.signal, bytes)).await
    }
}

fn frame_error(error: &FrameError) -> ConsumeError {
    let code = match error {
        FrameError::TooLarge { .. } => Code::ResourceExhausted,
        FrameError::Body(_) => Code::Cancelled,
        FrameError::Truncated | FrameError::SeveralMessages | FrameError::Flag => Code::InvalidArgument,
    };
    ConsumeError::permanent(error.to_string()).with_code(code)
}

fn decompress_error(error: &DecompressError) -> ConsumeError {
    let code = match error {
        DecompressError::TooLarge(_) => Code::ResourceExhausted,
        DecompressError::Invalid { .. } => Code::InvalidArgument,
    };
    ConsumeError::permanent(error.to_string()).with_code(code)
}
