//! The ports at which a store answers.

#[cfg(feature = "workers")]
use std::sync::Arc;

use spanmill_config::Endpoint;
use spanmill_pipeline::Listeners;
use spanmill_query::QueryService;
#[cfg(feature = "workers")]
use spanmill_store::Cluster;
use spanmill_store::Store;
#[cfg(feature = "workers")]
use spanmill_workers::Fleet;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::info;

#[cfg(feature = "workers")]
use crate::config::WorkersConfig;
use crate::config::{Config, ListenConfig};

/// Listens where the options say so, until `stop`. Ports are bound when this returns.
pub(crate) async fn start(
    config: &Config,
    listeners: &Listeners,
    store: &Store,
    stop: &CancellationToken,
    tasks: &mut Vec<JoinHandle<()>>,
) -> Result<(), String> {
    let asks = config.sql.is_some() || config.flight_sql.is_some() || config.postgres.is_some();
    let service = asks.then(|| QueryService::new(store.clone(), config.limits()));
    #[cfg(feature = "workers")]
    let service = match (service, &config.query.workers) {
        (Some(service), Some(workers)) => Some(service.with_cluster(helpers(workers, stop, tasks)?)),
        (service, _) => service,
    };
    if let (Some(listener), Some(service)) = (bind(listeners, endpoint(&config.sql), "SQL over HTTP").await?, &service)
    {
        let routes = spanmill_query::router(service.clone()).merge(spanmill_jaeger::tempo_routes(store.clone()));
        let stopped = stop.clone().cancelled_owned();
        tasks.push(tokio::spawn(spanmill_query::serve(listener, routes, stopped)));
    }
    if let Some(listener) = bind(listeners, endpoint(&config.jaeger), "Jaeger's storage API").await? {
        let (store, stopped) = (store.clone(), stop.clone().cancelled_owned());
        tasks.push(tokio::spawn(spanmill_jaeger::serve(listener, store, stopped)));
    }
    #[cfg(feature = "flight-sql")]
    if let (Some(guarded), Some(service)) = (&config.flight_sql, service.clone())
        && let Some(listener) = bind(listeners, Some(&guarded.endpoint), "Flight SQL").await?
    {
        let stopped = stop.clone().cancelled_owned();
        tasks.push(tokio::spawn(spanmill_flightsql::serve(listener, service, guarded.access(), stopped)));
    }
    #[cfg(feature = "postgres")]
    if let (Some(guarded), Some(service)) = (&config.postgres, service)
        && let Some(listener) = bind(listeners, Some(&guarded.endpoint), "PostgreSQL's protocol").await?
    {
        let stopped = stop.clone().cancelled_owned();
        tasks.push(tokio::spawn(spanmill_postgres::serve(listener, service, guarded.access(), stopped)));
    }
    Ok(())
}

/// The workers that the options name, watched until `stop`.
#[cfg(feature = "workers")]
fn helpers(
    workers: &WorkersConfig,
    stop: &CancellationToken,
    tasks: &mut Vec<JoinHandle<()>>,
) -> Result<Arc<dyn Cluster>, String> {
    let fleet =
        Fleet::new(workers.options()).map_err(|error| format!("query::workers::token: {}", error.strip_backtrace()))?;
    tasks.push(tokio::spawn(fleet.clone().watch(stop.clone())));
    Ok(Arc::new(fleet))
}

fn endpoint(config: &Option<ListenConfig>) -> Option<&Endpoint> {
    config.as_ref().map(|listen| &listen.endpoint)
}

async fn bind(listeners: &Listeners, endpoint: Option<&Endpoint>, what: &str) -> Result<Option<TcpListener>, String> {
    let Some(endpoint) = endpoint else { return Ok(None) };
    let listener = listeners.bind(endpoint.as_str()).await;
    let listener = listener.map_err(|error| format!("cannot listen on {endpoint}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    info!(endpoint = %address, "{what}");
    Ok(Some(listener))
}
