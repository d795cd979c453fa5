//! A worker.

use std::future::Future;
use std::time::Duration;

use datafusion::error::Result;
use datafusion_distributed::{DistributedExt, Worker, WorkerQueryContext};
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use spanmill_pipeline::Port;
use spanmill_store::Store;
use tonic::service::Routes;
use tonic::service::interceptor::InterceptedService;
use tower::ServiceExt;
use uuid::Uuid;

use crate::VERSION;
use crate::channels::{Channels, PeerOptions};
use crate::gate::Gate;
use crate::limit::Limited;
use crate::reading::only_reads;

/// Whom a worker helps, and how far.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// What has to be shown by those who ask, and how other workers are asked.
    pub peers: PeerOptions,
    /// A part of a query takes no longer than this.
    pub time_limit: Duration,
    /// Who answers no ping for so long is gone, and what was asked ends.
    pub patience: Duration,
}

/// Runs parts of plans over the files of a store, on a port, until `shutdown`. Who asks has to show the peers' token; where there is none,
/// and the port wants no certificates, everybody who reaches it may have plans run, and read the store.
pub async fn serve(
    port: impl Into<Port>,
    store: Store,
    options: &ServeOptions,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<()> {
    let ServeOptions { peers, time_limit, patience } = options.clone();
    // Workers ask each other as well.
    let channels = Channels::new(&peers)?;
    let session = move |context: WorkerQueryContext| {
        let (store, channels) = (store.clone(), channels.clone());
        async move {
            let builder = context.builder.with_distributed_channel_resolver(channels);
            store.reading(builder.with_distributed_worker_plan_rewrite_handler(only_reads))
        }
    };
    // One that was started anew is another: what the one before was given is gone.
    let version = format!("{VERSION}/{}", Uuid::new_v4().simple());
    let worker = Worker::from_session_builder(session).with_version(version);
    let service = InterceptedService::new(worker.into_worker_server(), Gate::new(peers.token));
    let calls = Routes::new(service).prepare().into_axum_router();
    let limit = move |answer: Response<_>| answer.map(|body| Limited::new(body, time_limit));
    let limited = ServiceExt::<Request<Incoming>>::map_response(calls, limit);
    let mut connections = Builder::new(TokioExecutor::new()).http2_only();
    connections.http2().timer(TokioTimer::new()).keep_alive_interval(patience / 2).keep_alive_timeout(patience / 2);
    spanmill_pipeline::serve(port, connections, TowerToHyperService::new(limited), shutdown).await;
    Ok(())
}

// === impl ServeOptions ===

impl Default for ServeOptions {
    fn default() -> Self {
        // Longer than queries last at a server, unless it says otherwise.
        Self { peers: PeerOptions::default(), time_limit: Duration::from_secs(35), patience: Duration::from_secs(20) }
    }
}
