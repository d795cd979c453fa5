//! `spanmill query-worker`: a process that helps others to answer.

use spanmill_pipeline::LogSettings;
use spanmill_store::{Options, Store};
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
    let store = Options { query_memory: memory, ..stores::options(&options.store)? };
    let store = Store::open_to_read(store).await.map_err(|error| stores::wrong(&options.store.store, &error))?;
    let wrong = |error: &dyn std::fmt::Display| stores::wrong(&format!("--listen {}", options.listen), error);
    let listener = spanmill_pipeline::bind(&options.listen).await.map_err(|error| wrong(&error))?;
    let address = listener.local_addr().map_err(|error| wrong(&error))?;
    if options.token.is_none() && !address.ip().is_loopback() {
        return Err(wrong(&"without --token everybody who reaches this port may read everything"));
    }
    let signals = |kind| signal(kind).map_err(|source| CommandError::Io { what: "cannot listen to signals", source });
    let (mut interrupt, mut terminate) = (signals(SignalKind::interrupt())?, signals(SignalKind::terminate())?);
    tracing::info!(endpoint = %address, store = options.store.store, "query worker");
    let stopped = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    let served = spanmill_workers::serve(listener, store, options.token.clone(), stopped).await;
    served.map_err(|error| stores::wrong("--token", &error.strip_backtrace()))
}
