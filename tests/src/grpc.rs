//! A gRPC client that sends bytes as they are, valid or not.

use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use spanmill_loadgen::Raw;
use tokio_stream::StreamExt;
use tonic::client::Grpc;
use tonic::codec::CompressionEncoding;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// The method that takes spans.
const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// A connection to an OTLP receiver.
#[derive(Debug, Clone)]
pub struct Client {
    channel: Channel,
    compression: Option<CompressionEncoding>,
}

// === impl Client ===

impl Client {
    /// Connects to a port of loopback.
    pub async fn connect(port: u16) -> Self {
        Self::try_connect(port).await.expect("the receiver accepts connections")
    }

    /// The same where nobody may listen.
    pub async fn try_connect(port: u16) -> Result<Self, tonic::transport::Error> {
        let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}")).expect("a loopback address is valid");
        let channel = endpoint.timeout(Duration::from_secs(30)).connect().await?;
        Ok(Self { channel, compression: None })
    }

    /// The same connection, sending compressed messages.
    pub fn compressed(&self, encoding: CompressionEncoding) -> Self {
        Self { compression: Some(encoding), ..self.clone() }
    }

    /// Sends one export request; an answer of any status is an answer.
    pub async fn export(&self, encoded: Bytes) -> Result<Bytes, Status> {
        self.call(EXPORT, encoded).await
    }

    /// Sends one message to any method.
    pub async fn call(&self, method: &'static str, message: Bytes) -> Result<Bytes, Status> {
        self.call_with(method, message, &[]).await
    }

    /// The same, with headers.
    pub async fn call_with(
        &self,
        method: &'static str,
        message: Bytes,
        headers: &[(&'static str, &str)],
    ) -> Result<Bytes, Status> {
        let (mut grpc, path) = (self.ready().await?, PathAndQuery::from_static(method));
        grpc.unary(request(message, headers), path, Raw).await.map(tonic::Response::into_inner)
    }

    /// The same for a method that answers with several messages.
    pub async fn stream_with(
        &self,
        method: &'static str,
        message: Bytes,
        headers: &[(&'static str, &str)],
    ) -> Result<Vec<Bytes>, Status> {
        let (mut grpc, path) = (self.ready().await?, PathAndQuery::from_static(method));
        let answer = grpc.server_streaming(request(message, headers), path, Raw).await?;
        answer.into_inner().collect().await
    }

    async fn ready(&self) -> Result<Grpc<Channel>, Status> {
        let mut grpc = Grpc::new(self.channel.clone());
        if let Some(encoding) = self.compression {
            grpc = grpc.send_compressed(encoding).accept_compressed(encoding);
        }
        grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        Ok(grpc)
    }
}

fn request(message: Bytes, headers: &[(&'static str, &str)]) -> Request<Bytes> {
    let mut request = Request::new(message);
    for (name, value) in headers {
        request.metadata_mut().insert(*name, value.parse().expect("a test sends what a header can have"));
    }
    request
}
