//! The gRPC server that Jaeger reads from.

use std::future::Future;
use std::io;
use std::pin::pin;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use spanmill_store::Store;
use tokio::net::TcpListener;
use tonic::service::Routes;

use crate::dependencies::Dependencies;
use crate::proto::dependency_reader_server::DependencyReaderServer;
use crate::proto::trace_reader_server::TraceReaderServer;
use crate::reader::Reader;

/// The services of `jaeger.storage.v2` over this store, for all tenants. What a later Jaeger asks beyond them is `UNIMPLEMENTED`, which it
/// understands.
pub fn service(store: Store) -> Routes {
    Routes::new(TraceReaderServer::new(Reader::new(store.clone())))
        .add_service(DependencyReaderServer::new(Dependencies::new(store)))
}

/// Serves the store to Jaeger until `shutdown`; calls that run then are answered.
pub async fn serve(listener: TcpListener, store: Store, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let routes = service(store).prepare().into_axum_router();
    let connections = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            // A client that is gone again; anything else would go on for ever.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => return Err(error),
        };
        stream.set_nodelay(true)?;
        let service = TowerToHyperService::new(routes.clone());
        let builder = Builder::new(TokioExecutor::new()).http2_only();
        let connection = connections.watch(builder.serve_connection(TokioIo::new(stream), service).into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection of Jaeger ended");
            }
        });
    }
    connections.shutdown().await;
    Ok(())
}
