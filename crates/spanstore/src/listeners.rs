//! The ports at which a store answers.

use spanmill_store::Store;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::config::{Config, ListenConfig};

/// Listens where the options say so, until `stop`. Ports are bound when this returns.
pub(crate) async fn start(
    config: &Config,
    store: &Store,
    stop: &CancellationToken,
    tasks: &mut Vec<JoinHandle<()>>,
) -> Result<(), String> {
    if let Some(listener) = bind(config.sql.as_ref(), "SQL over HTTP").await? {
        let routes =
            spanmill_query::router(store.clone(), config.limits()).merge(spanmill_jaeger::tempo_routes(store.clone()));
        let stopped = stop.clone().cancelled_owned();
        tasks.push(tokio::spawn(spanmill_query::serve(listener, routes, stopped)));
    }
    if let Some(listener) = bind(config.jaeger.as_ref(), "Jaeger's storage API").await? {
        let (store, stopped) = (store.clone(), stop.clone().cancelled_owned());
        tasks.push(tokio::spawn(spanmill_jaeger::serve(listener, store, stopped)));
    }
    Ok(())
}

async fn bind(config: Option<&ListenConfig>, what: &str) -> Result<Option<TcpListener>, String> {
    let Some(ListenConfig { endpoint }) = config else { return Ok(None) };
    let listener = spanmill_pipeline::bind(endpoint.as_str()).await;
    let listener = listener.map_err(|error| format!("cannot listen on {endpoint}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    info!(endpoint = %address, "{what}");
    Ok(Some(listener))
}
