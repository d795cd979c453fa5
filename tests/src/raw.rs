//! HTTP/1 as bytes: requests that need not be any, and whatever comes back.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::wait::PATIENCE;

/// A connection that is kept, for one request after the other.
#[derive(Debug)]
pub struct Connection {
    port: u16,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// A whole request: headers, and a body of that length.
pub fn request(headers: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("POST /v1/traces HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// Sends any bytes on a connection of their own, says that there are no more, and gives the statuses of all answers until the connection ends;
/// panics if it does not.
pub async fn exchange(port: u16, bytes: &[u8]) -> Vec<u16> {
    let mut stream = connect(port).await;
    let mut answers = Vec::new();
    let exchanged = timeout(PATIENCE, async {
        // Who is refused in the middle may find the connection closed.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut answers).await;
    });
    exchanged.await.unwrap_or_else(|_| panic!("no end of the connection after {}", String::from_utf8_lossy(bytes)));
    statuses(&answers)
}

fn statuses(answers: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(answers);
    let starts = text.split("HTTP/1.1 ").skip(1);
    starts.filter_map(|rest| rest.get(..3)?.parse().ok()).collect()
}

async fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.expect("the server accepts connections");
    stream.set_nodelay(true).expect("an option can be set");
    stream
}

// === impl Connection ===

impl Connection {
    /// To a port of loopback.
    pub fn new(port: u16) -> Self {
        Self { port, stream: None, buffer: Vec::new() }
    }

    /// Sends a whole request and gives the status of its answer; panics where there is none. Where the server has closed the connection, it
    /// goes over a new one.
    pub async fn send(&mut self, request: &[u8]) -> u16 {
        for _ in 0..3 {
            if let Some(status) = timeout(PATIENCE, self.attempt(request)).await.expect("an answer comes") {
                return status;
            }
            self.stream = None;
        }
        panic!("no answer to {}", String::from_utf8_lossy(request));
    }

    async fn attempt(&mut self, request: &[u8]) -> Option<u16> {
        if self.stream.is_none() {
            self.stream = Some(connect(self.port).await);
        }
        let stream = self.stream.as_mut()?;
        stream.write_all(request).await.ok()?;
        self.buffer.clear();
        let (end, length) = loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.buffer[..end]).to_lowercase();
                let length =
                    head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
                break (end + 4, length.unwrap_or(0));
            }
            if stream.read_buf(&mut self.buffer).await.ok()? == 0 {
                return None;
            }
        };
        while self.buffer.len() < end + length {
            if stream.read_buf(&mut self.buffer).await.ok()? == 0 {
                break;
            }
        }
        let head = String::from_utf8_lossy(&self.buffer[..end]).to_lowercase();
        if head.contains("connection: close") {
            self.stream = None;
        }
        statuses(head.to_uppercase().as_bytes()).first().copied()
    }
}

/// How long an answer takes, for questions where that matters.
pub async fn timed<T>(asking: impl Future<Output = T>) -> (T, Duration) {
    let began = std::time::Instant::now();
    let answer = asking.await;
    (answer, began.elapsed())
}
