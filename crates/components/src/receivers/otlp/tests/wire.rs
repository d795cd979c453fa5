//! A client that sends any bytes as a request and shows all of the answer.

use std::path::Path;

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use spanmill_pipeline::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;

use crate::net::service::grpc_path;
use crate::net::status::Received;

/// All of a response.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) trailers: HeaderMap,
}

/// A gRPC connection.
pub(super) struct Grpc {
    sender: http2::SendRequest<Full<Bytes>>,
    /// Ends when the connection does.
    pub(super) driver: JoinHandle<hyper::Result<()>>,
}

/// An HTTP/1 connection.
pub(super) struct Http {
    sender: http1::SendRequest<Full<Bytes>>,
}

/// A connection on which any bytes can be sent.
pub(super) struct Raw(pub(super) UnixStream);

/// A message in gRPC's frame.
pub(super) fn framed(compressed: bool, message: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u8(u8::from(compressed));
    out.put_u32(u32::try_from(message.len()).unwrap());
    out.put(message);
    out.freeze()
}

async fn read(response: http::Response<hyper::body::Incoming>) -> Answer {
    let (head, mut body) = response.into_parts();
    let (mut all, mut trailers) = (BytesMut::new(), HeaderMap::new());
    while let Some(frame) = body.frame().await {
        match frame.unwrap().into_data() {
            Ok(data) => all.put(data),
            Err(frame) => trailers = frame.into_trailers().unwrap(),
        }
    }
    Answer { status: head.status, headers: head.headers, body: all.freeze(), trailers }
}

// === impl Answer ===

impl Answer {
    /// The status of a gRPC answer, in the headers or behind the message.
    pub(super) fn grpc(&self) -> Received {
        assert_eq!(self.status, 200);
        assert_eq!(self.headers["content-type"], "application/grpc");
        let (headers, trailers) = (&self.headers, &self.trailers);
        Received::from_headers(trailers).or_else(|| Received::from_headers(headers)).expect("a status")
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

// === impl Grpc ===

impl Grpc {
    pub(super) async fn connect(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).await.unwrap();
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        Self { sender, driver: tokio::spawn(connection) }
    }

    /// Sends those bytes, frame included, to a path.
    pub(super) async fn raw(&self, path: &str, encoding: &str, body: Bytes) -> Answer {
        let request = Request::post(format!("http://localhost{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("grpc-encoding", encoding)
            .body(Full::new(body))
            .unwrap();
        read(self.sender.clone().send_request(request).await.unwrap()).await
    }

    /// Exports a message as it is.
    pub(super) async fn export(&self, signal: Signal, message: &[u8]) -> Answer {
        self.raw(grpc_path(signal), "identity", framed(false, message)).await
    }

    /// Exports a message that is compressed already.
    pub(super) async fn compressed(&self, encoding: &str, message: &[u8]) -> Answer {
        self.raw(grpc_path(Signal::Traces), encoding, framed(true, message)).await
    }
}

// === impl Http ===

impl Http {
    pub(super) async fn connect(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).await.unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { sender }
    }

    pub(super) async fn send(&mut self, request: http::request::Builder, body: impl Into<Bytes>) -> Answer {
        let request = request.header("host", "localhost").body(Full::new(body.into())).unwrap();
        self.sender.ready().await.unwrap();
        read(self.sender.send_request(request).await.unwrap()).await
    }

    /// Posts traces as protobuf.
    pub(super) async fn protobuf(&mut self, encoding: &str, body: impl Into<Bytes>) -> Answer {
        let request = Request::post("/v1/traces").header("content-type", "application/x-protobuf");
        self.send(request.header("content-encoding", encoding), body).await
    }

    /// Posts traces as JSON.
    pub(super) async fn json(&mut self, body: impl Into<Bytes>) -> Answer {
        self.send(Request::post("/v1/traces").header("content-type", "application/json"), body).await
    }
}

// === impl Raw ===

impl Raw {
    pub(super) async fn connect(socket: &Path) -> Self {
        Self(UnixStream::connect(socket).await.unwrap())
    }

    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // Who is refused in the middle may find the connection closed.
        let _ = self.0.write_all(bytes.as_ref()).await;
    }

    /// Everything that comes until the other side closes.
    pub(super) async fn rest(mut self) -> Vec<u8> {
        let mut all = Vec::new();
        // A connection that is reset has been closed as well.
        let _ = self.0.read_to_end(&mut all).await;
        all
    }

    /// The statuses of all answers that come until the other side closes.
    pub(super) async fn statuses(self) -> Vec<u16> {
        let text = String::from_utf8_lossy(&self.rest().await).into_owned();
        let starts = text.split("HTTP/1.1 ").skip(1);
        starts.map(|rest| rest.split(' ').next().unwrap().parse().unwrap()).collect()
    }
}
