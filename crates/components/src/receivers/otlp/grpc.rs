//! OTLP over gRPC, with unary calls framed by hand so that received bytes stay where they are.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Request, Response};
use http_body_util::Either;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use spanmill_pipeline::{Code, ConsumeError, Signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::access::Access;
use super::config::{Grpc, ServerParameters};
use super::gate::{Gate, too_large};
use super::intake::Intake;
use super::refusals::Reason;
use crate::net::compression::Compression;
use crate::net::frame::{FrameError, OneMessage, read_message};
use crate::net::life::Terms;
use crate::net::listen::{Listener, Peer};
use crate::net::serve::Server;
use crate::net::service::grpc_path;
use crate::net::status;

/// Bytes that are granted to a connection, and to one of its requests, before it must wait; whole batches, so that windows do not slow senders
/// down, but no more than a share of what all requests may hold.
const CONNECTION_WINDOW: usize = 16 << 20;
const LEAST_CONNECTION_WINDOW: usize = 1 << 20;
const WINDOWS: usize = 32;

/// Larger than HTTP/2's default of 16 KiB: a batch arrives in fewer pieces, which have to be joined.
const FRAME_SIZE: u32 = 1 << 20;

/// Most requests at a time on one connection, where the configuration does not say.
const STREAMS: u32 = 1000;

/// Within which time a connection must have begun to speak HTTP/2.
const PREFACE: std::time::Duration = std::time::Duration::from_secs(75);

/// The encodings that a client may use.
const ACCEPTED: &str = "identity,gzip,zstd,deflate,snappy";

/// The `Export` methods.
#[derive(Clone)]
struct Export {
    intake: Intake,
    access: Access,
}

type Answer = Response<Either<OneMessage, Empty<Bytes>>>;

/// Serves until `stop` changes, then finishes what is in flight.
pub(super) fn serve(
    listener: Listener,
    config: &Grpc,
    intake: &Intake,
    access: Access,
    stop: watch::Receiver<bool>,
) -> JoinHandle<()> {
    let parameters = config.keepalive.as_ref().map(|keepalive| keepalive.server_parameters.clone()).unwrap_or_default();
    let gate = intake.gate();
    let export = Arc::new(Export { intake: intake.clone(), access });
    let answer = move |request: Request<Incoming>, peer: Peer| {
        let export = Arc::clone(&export);
        async move { export.answer(request, peer).await }
    };
    let server = Server {
        answer,
        protocol: protocol(config, &parameters, gate),
        terms: Terms {
            head: Some(PREFACE),
            idle: parameters.max_connection_idle.positive(),
            age: parameters.max_connection_age.positive(),
            given_up: gate.limits().max_given_up,
        },
        grace: parameters.max_connection_age_grace.positive(),
        places: gate.places(),
        refused: {
            let intake = intake.clone();
            Arc::new(move |what| intake.gate().unserved(what))
        },
    };
    tokio::spawn(server.run(listener, stop))
}

fn protocol(config: &Grpc, parameters: &ServerParameters, gate: &Gate) -> Builder<TokioExecutor> {
    let window = (gate.in_flight() / WINDOWS).clamp(LEAST_CONNECTION_WINDOW, CONNECTION_WINDOW);
    let window = u32::try_from(window).unwrap_or(u32::MAX);
    let mut builder = Builder::new(TokioExecutor::new()).http2_only();
    builder
        .http2()
        .timer(TokioTimer::new())
        .initial_stream_window_size(window / 4)
        .initial_connection_window_size(window)
        .max_frame_size(FRAME_SIZE)
        .max_header_list_size(gate.limits().header_bytes())
        .max_concurrent_streams(if config.max_concurrent_streams == 0 {
            STREAMS
        } else {
            config.max_concurrent_streams
        })
        .keep_alive_interval(parameters.time.positive())
        .keep_alive_timeout(parameters.timeout.to_std());
    builder
}

// === impl Export ===

impl Export {
    async fn answer(&self, request: Request<Incoming>, peer: Peer) -> Answer {
        let (head, body) = request.into_parts();
        let Some(signal) = self.signal(head.uri.path()) else {
            let message = format!("unknown method {}", head.uri.path());
            return refusal(&ConsumeError::permanent(message).with_code(Code::Unimplemented));
        };
        match self.receive(signal, head, body, peer).await {
            // An export response without partial success is an empty message.
            Ok(()) => {
                let mut response = Response::new(Either::Left(OneMessage::response(Bytes::new())));
                response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
                response
            }
            Err(error) => refusal(&error),
        }
    }

    /// The signal whose method it is, where a pipeline takes it.
    fn signal(&self, path: &str) -> Option<Signal> {
        let signals = [Signal::Traces, Signal::Metrics, Signal::Logs];
        signals.into_iter().find(|signal| grpc_path(*signal) == path).filter(|signal| self.intake.takes(*signal))
    }

    async fn receive(&self, signal: Signal, head: Parts, body: Incoming, peer: Peer) -> Result<(), ConsumeError> {
        let gate = self.intake.gate();
        let identity = self.access.admit(&head, gate).await?;
        let encoding = head.headers.get("grpc-encoding").map_or(Ok(""), |value| value.to_str());
        let compression = encoding.ok().and_then(Compression::from_header).ok_or_else(|| {
            let message = "unknown grpc-encoding: expected gzip, zstd, deflate, snappy or identity";
            ConsumeError::permanent(message).with_code(Code::Unimplemented)
        })?;
        let tenant = gate.tenant(&head.headers)?;
        let mut admitted = gate.enter(self.intake.next(signal)).await?;
        let message = read_message(body, gate.largest(), gate.pace(), &mut admitted).await;
        let message = message.map_err(|error| frame_error(gate, error))?;
        let bytes = if message.compressed { admitted.decompress(compression, message.bytes)? } else { message.bytes };
        self.access.serve(head, peer.0, identity, self.intake.take(signal, bytes, tenant, admitted.into_room())).await
    }
}

fn refusal(error: &ConsumeError) -> Answer {
    let mut response = Response::new(Either::Right(Empty::new()));
    *response.headers_mut() = status::headers(error);
    if error.code == Code::Unimplemented {
        response.headers_mut().insert("grpc-accept-encoding", HeaderValue::from_static(ACCEPTED));
    }
    response
}

fn frame_error(gate: &Gate, error: FrameError) -> ConsumeError {
    match error {
        FrameError::TooLarge { .. } => gate.refuse(Reason::Size, too_large(error.to_string())),
        FrameError::Body(error) => gate.body_error(error),
        FrameError::Truncated | FrameError::SeveralMessages | FrameError::Flag => gate.malformed(error.to_string()),
    }
}
