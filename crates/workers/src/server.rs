//! A worker.

use std::future::Future;

use datafusion::error::Result;
use datafusion_distributed::{DistributedExt, Worker, WorkerQueryContext};
use spanmill_pipeline::Port;
use spanmill_store::Store;
use tonic::service::Routes;
use tonic::service::interceptor::InterceptedService;
use uuid::Uuid;

use crate::VERSION;
use crate::channels::{Channels, PeerOptions};
use crate::gate::Gate;
use crate::reading::only_reads;

/// Runs parts of plans over the files of a store, on a port, until `shutdown`. Who asks has to show the token of `peers`; where there is none,
/// and the port wants no certificates, everybody who reaches it may have plans run, and read the store. Other workers are asked as `peers` says.
pub async fn serve(
    port: impl Into<Port>,
    store: Store,
    peers: &PeerOptions,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<()> {
    // Workers ask each other as well.
    let channels = Channels::new(peers)?;
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
    let service = InterceptedService::new(worker.into_worker_server(), Gate::new(peers.token.clone()));
    spanmill_pipeline::serve_grpc(port, Routes::new(service), shutdown).await;
    Ok(())
}
