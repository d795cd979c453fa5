//! `spanmill query-worker`: a process that helps others to answer.

use spanmill_config::Secret;
use spanmill_pipeline::{LogSettings, Port};
use spanmill_store::{Options, Store};
use spanmill_workers::{PeerOptions, ServeOptions};
use tokio::signal::unix::{SignalKind, signal};

use super::stores;
use crate::arguments::QueryWorker;
use crate::error::CommandError;
use crate::logging::Logging;

pub(super) fn run(options: &QueryWorker) -> Result<(), CommandError> {
    Logging::default().apply(&LogSettings::default()).map_err(CommandError::Usage)?;
    if options.token.as_deref().is_some_and(str::is_empty) {
        return Err(CommandError::Usage("--token must be non-empty".to_owned()));
    }
    stores::block_on(serve(options))
}

async fn serve(options: &QueryWorker) -> Result<(), CommandError> {
    let memory = usize::try_from(options.memory.bytes()).unwrap_or(usize::MAX);
    let store = Options { query_memory: memory, ..stores::options(&options.store.store, &options.store.options)? };
    let store = Store::open_to_read(store).await.map_err(|error| stores::wrong(&options.store.store, &error))?;
    let wrong = |error: &dyn std::fmt::Display| stores::wrong(&format!("--listen {}", options.listen), error);
    let listener = spanmill_pipeline::bind(&options.listen).await.map_err(|error| wrong(&error))?;
    let address = listener.local_addr().map_err(|error| wrong(&error))?;
    let server = options.tls.server();
    let knows = options.token.is_some() || server.as_ref().is_some_and(|tls| !tls.client_ca_file.is_empty());
    if !address.ip().is_loopback() {
        if !knows {
            let message = "without --token or --tls-client-ca everybody who reaches this port may read everything";
            return Err(wrong(&message));
        }
        if server.is_none() {
            tracing::warn!("without --tls-cert the token and all rows can be read on the way");
        }
    }
    let acceptor = server.map(|tls| tls.acceptor(&["h2"])).transpose();
    let acceptor = acceptor.map_err(|error| stores::wrong("--tls", &error))?;
    let peers = PeerOptions { token: options.token.as_deref().map(Secret::new), tls: options.tls.client() };
    let serving = ServeOptions { peers, time_limit: options.time_limit, ..ServeOptions::default() };
    let signals = |kind| signal(kind).map_err(|source| CommandError::Io { what: "cannot listen to signals", source });
    let (mut interrupt, mut terminate) = (signals(SignalKind::interrupt())?, signals(SignalKind::terminate())?);
    tracing::info!(endpoint = %address, store = options.store.store, "query worker");
    let stopped = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    let served = spanmill_workers::serve(Port::new(listener, acceptor), store, &serving, stopped).await;
    served.map_err(|error| stores::wrong("--token or --tls", &error.strip_backtrace()))
}
