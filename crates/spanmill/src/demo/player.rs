//! The simulated applications: each sends its spans over a connection of its own, one export after the other.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use spanmill_loadgen::{Export, Raw, Traffic};
use tokio::time::{Instant, sleep_until, timeout};
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use super::error::DemoError;
use super::progress::Progress;

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Plays the traffic over that time.
pub(super) async fn play(
    port: u16,
    traffic: &Traffic,
    duration: Duration,
    progress: &Progress,
) -> Result<(), DemoError> {
    let since = Instant::now();
    let mut applications: BTreeMap<&str, Vec<(Instant, &Export)>> = BTreeMap::new();
    let all = traffic.exports.len().max(1);
    for (turn, export) in traffic.exports.iter().enumerate() {
        let share = u32::try_from(turn).unwrap_or(u32::MAX);
        let due = since + duration * share / u32::try_from(all).unwrap_or(u32::MAX);
        applications.entry(export.service).or_default().push((due, export));
    }
    let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?;
    let applications = applications.into_values().map(|exports| application(&endpoint, exports, progress));
    futures_util::future::try_join_all(applications).await?;
    Ok(())
}

async fn application(
    endpoint: &Endpoint,
    exports: Vec<(Instant, &Export)>,
    progress: &Progress,
) -> Result<(), DemoError> {
    let mut client = Grpc::new(endpoint.connect().await?);
    for (due, export) in exports {
        sleep_until(due).await;
        let sent = timeout(PATIENCE, send(&mut client, export.bytes.clone())).await;
        let answer = sent.map_err(|_| DemoError::Silent(PATIENCE.as_secs()))?;
        answer
            .map_err(|status| DemoError::Refused { service: export.service, message: status.message().to_owned() })?;
        progress.advance(export.calls);
    }
    Ok(())
}

async fn send(client: &mut Grpc<Channel>, bytes: Bytes) -> Result<(), Status> {
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    client.unary(Request::new(bytes), PathAndQuery::from_static(EXPORT), Raw).await.map(|_| ())
}
