//! The ports at which a store answers.

use spanmill_store::Store;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

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
        tasks.push(tokio::spawn(async move {
            report(spanmill_query::serve_routes(listener, routes, stopped).await);
        }));
    }
    if let Some(listener) = bind(config.jaeger.as_ref(), "Jaeger's storage API").await? {
        let (store, stopped) = (store.clone(), stop.clone().cancelled_owned());
        tasks.push(tokio::spawn(async move {
            report(spanmill_jaeger::serve(listener, store, stopped).await);
        }));
    }
    Ok(())
}

async fn bind(config: Option<&ListenConfig>, what: &str) -> Result<Option<TcpListener>, String> {
    let Some(ListenConfig { endpoint }) = config else { return Ok(None) };
    let (host, port) = endpoint.host_port().map_err(|error| error.to_string())?;
    let listener = TcpListener::bind((host, port)).await;
    let listener = listener.map_err(|error| format!("cannot listen on {endpoint}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    info!(endpoint = %address, "{what}");
    Ok(Some(listener))
}

fn report(result: std::io::Result<()>) {
    if let Err(problem) = result {
        error!(%problem, "a port of the span store is no longer served");
    }
}
