//! A worker.

use std::future::Future;

use datafusion::error::Result;
use datafusion_distributed::{DistributedExt, Worker, WorkerQueryContext};
use spanmill_store::Store;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::service::interceptor::InterceptedService;
use uuid::Uuid;

use crate::VERSION;
use crate::channels::Channels;
use crate::gate::Gate;
use crate::reading::only_reads;

/// Runs parts of plans over the files of a store, on a port, until `shutdown`. Without `token` everybody who reaches the port may have
/// them run, and read the store.
pub async fn serve(
    listener: TcpListener,
    store: Store,
    token: Option<String>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<()> {
    // Workers ask each other as well.
    let channels = Channels::new(token.as_deref())?;
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
    let service = InterceptedService::new(worker.into_worker_server(), Gate::new(token));
    spanmill_pipeline::serve_grpc(listener, Routes::new(service), shutdown).await;
    Ok(())
}
