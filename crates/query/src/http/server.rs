//! A listener that answers.

use std::future::Future;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use spanmill_pipeline::Port;

/// A client has so long to say what it wants.
const HEADERS: Duration = Duration::from_secs(10);

/// Answers on a port, by HTTP/1.1 and HTTP/2, until `shutdown` is ready; queries that run then are finished.
pub async fn serve(port: impl Into<Port>, routes: Router, shutdown: impl Future<Output = ()> + Send) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
    builder.http2().timer(TokioTimer::new());
    spanmill_pipeline::serve(port, builder, TowerToHyperService::new(routes), shutdown).await;
}
