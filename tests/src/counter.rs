//! A backend that counts spans: OTLP over HTTP, as little of it as `otlp_http` exporters need.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A running backend. It ends with this value.
#[derive(Debug)]
pub struct Counter {
    /// Where it listens on loopback.
    pub port: u16,
    spans: Spans,
    _serving: JoinSet<()>,
}

/// How often each span of each trace came.
type Spans = Arc<Mutex<HashMap<(Vec<u8>, Vec<u8>), u32>>>;

// === impl Counter ===

impl Counter {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let (spans, mut serving) = (Spans::default(), JoinSet::new());
        let counted = Arc::clone(&spans);
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let counted = Arc::clone(&counted);
                connections.spawn(async move {
                    // Who hangs up has nothing more to say.
                    let _ = serve(stream, &counted).await;
                });
            }
        });
        Self { port, spans, _serving: serving }
    }

    /// How often each span came, by the ids of trace and span.
    pub fn spans(&self) -> HashMap<(Vec<u8>, Vec<u8>), u32> {
        self.spans.lock().expect("no counting panics").clone()
    }
}

async fn serve(stream: TcpStream, spans: &Spans) -> io::Result<()> {
    let mut stream = BufStream::new(stream);
    loop {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let header = line.trim_end().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let request = ExportTraceServiceRequest::decode(body.as_slice()).map_err(io::Error::other)?;
        count(request, spans);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n")
            .await?;
        stream.flush().await?;
    }
}

fn count(request: ExportTraceServiceRequest, spans: &Spans) {
    let mut spans = spans.lock().expect("no counting panics");
    let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    for span in scopes.flat_map(|scope| scope.spans) {
        *spans.entry((span.trace_id, span.span_id)).or_insert(0) += 1;
    }
}
