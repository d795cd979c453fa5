//! The gRPC server that Jaeger reads from.

use std::future::Future;

use spanmill_pipeline::Port;
use spanmill_store::Store;
use tonic::service::Routes;

use crate::dependencies::Dependencies;
use crate::proto::dependency_reader_server::DependencyReaderServer;
use crate::proto::trace_reader_server::TraceReaderServer;
use crate::reader::Reader;

/// The services of `jaeger.storage.v2` over this store. A request that has an `Identity` among its extensions sees the traces of that tenant. What a later Jaeger asks beyond them is `UNIMPLEMENTED`, which it
/// understands.
pub fn service(store: Store) -> Routes {
    Routes::new(TraceReaderServer::new(Reader::new(store.clone())))
        .add_service(DependencyReaderServer::new(Dependencies::new(store)))
}

/// Serves such services until `shutdown`; calls that run then are answered.
pub async fn serve(port: impl Into<Port>, services: Routes, shutdown: impl Future<Output = ()> + Send) {
    spanmill_pipeline::serve_grpc(port, services, shutdown).await;
}
