//! The load generator: four clients that each send one request after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full, Limited};
use tokio::task::JoinSet;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tower::{Service, ServiceExt};

use crate::codec::EXPORT;
use crate::error::BenchError;
use crate::traffic::{Compression, Traffic};

/// Requests under way at once, each on a connection of its own.
pub(crate) const CLIENTS: usize = 4;

/// What a run of load led to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sent {
    /// The numbers of the requests that were answered with success.
    pub(crate) accepted: Vec<u64>,
    /// How many were refused, all of them tried again later with other ids.
    pub(crate) refused: u64,
    /// What the first refusal said.
    pub(crate) problem: Option<String>,
}

/// A connection to a port on loopback, made when it is first used.
pub(crate) fn channel(port: u16) -> Result<Channel, BenchError> {
    let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?
        .tcp_nodelay(true)
        .initial_stream_window_size(4 << 20)
        .initial_connection_window_size(16 << 20);
    Ok(endpoint.connect_lazy())
}

/// Sends for that long, beginning with the request of that number; always sends at least one request a client.
pub(crate) async fn send(
    port: u16,
    traffic: &Arc<Traffic>,
    first: u64,
    duration: Duration,
) -> Result<Sent, BenchError> {
    let (next, end) = (Arc::new(AtomicU64::new(first)), Instant::now() + duration);
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(client(channel(port)?, Arc::clone(traffic), Arc::clone(&next), end));
    }
    let mut all = Sent::default();
    for sent in clients.join_all().await {
        all.accepted.extend(sent.accepted);
        all.refused += sent.refused;
        all.problem = all.problem.or(sent.problem);
    }
    Ok(all)
}

async fn client(mut channel: Channel, traffic: Arc<Traffic>, next: Arc<AtomicU64>, end: Instant) -> Sent {
    let mut sent = Sent::default();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        match export(&mut channel, traffic.frame(number), traffic.compression()).await {
            Ok(()) => sent.accepted.push(number),
            Err(problem) => {
                sent.refused += 1;
                sent.problem.get_or_insert(problem);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        if Instant::now() >= end {
            return sent;
        }
    }
}

/// Sends one framed message and says what was answered, unless that is success.
async fn export(channel: &mut Channel, frame: Bytes, compression: Compression) -> Result<(), String> {
    const MAX_ANSWER: usize = 64 << 10;
    let mut request = Request::post(EXPORT).header("content-type", "application/grpc").header("te", "trailers");
    if compression != Compression::None {
        request = request.header("grpc-encoding", compression.as_str());
    }
    let request = request.body(Body::new(Full::new(frame))).map_err(|error| error.to_string())?;
    let ready = channel.ready().await.map_err(|error| error.to_string())?;
    let response = ready.call(request).await.map_err(|error| error.to_string())?;
    let (head, body) = response.into_parts();
    if let Some(answer) = status(&head.headers) {
        return answer;
    }
    #[expect(clippy::disallowed_methods, reason = "limited")]
    let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| error.to_string())?;
    body.trailers().and_then(status).unwrap_or_else(|| Err("no grpc-status".to_owned()))
}

fn status(headers: &HeaderMap) -> Option<Result<(), String>> {
    let code = headers.get("grpc-status")?.as_bytes();
    let message = headers.get("grpc-message").map(|text| String::from_utf8_lossy(text.as_bytes()).into_owned());
    let problem = || format!("status {}: {}", String::from_utf8_lossy(code), message.unwrap_or_default());
    Some(if code == b"0" { Ok(()) } else { Err(problem()) })
}
