//! The load generator: clients that each send one request after the other.

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

use crate::BenchError;
use crate::traffic::{Compression, Traffic};

/// The gRPC method that all subjects offer and call.
pub const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Requests under way at once, unless more are asked for.
pub const CLIENTS: usize = 4;

/// How much is sent, and how fast.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// When it ends.
    pub until: Until,
    /// How many clients send at a time, each on a connection of its own.
    pub clients: usize,
    /// The time from one request to the next; as fast as the subject answers where there is none.
    pub every: Option<Duration>,
}

/// When a run of load ends.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// At that moment, but not before every client has sent a request.
    Time(Instant),
    /// After so many requests.
    Count(u64),
}

/// Whose turn it is.
struct Turn {
    next: Arc<AtomicU64>,
    first: u64,
    began: Instant,
    load: Load,
}

/// What a run of load led to.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    /// The numbers of the requests that were answered with success.
    pub accepted: Vec<u64>,
    /// How long each of them took.
    pub latencies: Vec<Duration>,
    /// How many were refused, all of them tried again later with other ids.
    pub refused: u64,
    /// What the first refusal said.
    pub problem: Option<String>,
}

/// A connection to a port on loopback, made when it is first used.
pub fn channel(port: u16) -> Result<Channel, BenchError> {
    let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?
        .tcp_nodelay(true)
        .initial_stream_window_size(4 << 20)
        .initial_connection_window_size(16 << 20);
    Ok(endpoint.connect_lazy())
}

/// Sends for that long, beginning with the request of that number; always sends at least one request a client.
pub async fn send(
    port: u16,
    traffic: &Arc<Traffic>,
    first: u64,
    clients: usize,
    duration: Duration,
) -> Result<Sent, BenchError> {
    run(port, traffic, first, Load { until: Until::Time(Instant::now() + duration), clients, every: None }).await
}

/// Sends requests as `load` says, beginning with the one of that number.
pub async fn run(port: u16, traffic: &Arc<Traffic>, first: u64, load: Load) -> Result<Sent, BenchError> {
    let (next, began) = (Arc::new(AtomicU64::new(first)), Instant::now());
    let mut clients = JoinSet::new();
    for _ in 0..load.clients {
        let turn = Turn { next: Arc::clone(&next), first, began, load };
        clients.spawn(client(channel(port)?, Arc::clone(traffic), turn));
    }
    let mut all = Sent::default();
    for sent in clients.join_all().await {
        all.accepted.extend(sent.accepted);
        all.latencies.extend(sent.latencies);
        all.refused += sent.refused;
        all.problem = all.problem.or(sent.problem);
    }
    Ok(all)
}

async fn client(mut channel: Channel, traffic: Arc<Traffic>, turn: Turn) -> Sent {
    let mut sent = Sent::default();
    while let Some(number) = turn.take().await {
        let frame = traffic.frame(number);
        let began = Instant::now();
        match export(&mut channel, frame, traffic.compression()).await {
            Ok(()) => {
                sent.accepted.push(number);
                sent.latencies.push(began.elapsed());
            }
            Err(problem) => {
                sent.refused += 1;
                sent.problem.get_or_insert(problem);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
    sent
}

// === impl Turn ===

impl Turn {
    /// The number of the next request, once it is due; `None` where there is no further one.
    async fn take(&self) -> Option<u64> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let place = number - self.first;
        if let Some(every) = self.load.every {
            let due = self.began + every.mul_f64(u32::try_from(place).map_or(f64::MAX, f64::from));
            tokio::time::sleep_until(due.into()).await;
        }
        match self.load.until {
            Until::Time(end) => place < self.load.clients as u64 || Instant::now() < end,
            Until::Count(count) => place < count,
        }
        .then_some(number)
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
