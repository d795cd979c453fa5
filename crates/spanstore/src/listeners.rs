//! The ports at which a store answers.

#[cfg(feature = "workers")]
use std::sync::Arc;

use spanmill_config::{Endpoint, NullableBlock};
use spanmill_pipeline::auth::Gate;
use spanmill_pipeline::{Host, Listeners, Port};
use spanmill_query::QueryService;
#[cfg(feature = "workers")]
use spanmill_store::Cluster;
use spanmill_store::Store;
use spanmill_tls::{Acceptor, ServerTls};
#[cfg(feature = "workers")]
use spanmill_workers::Fleet;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tracing::info;

use crate::access::guarded;
#[cfg(feature = "workers")]
use crate::config::WorkersConfig;
use crate::config::{Config, ListenConfig};

/// Listens where the options say so, until `stop`. Ports are bound when this returns.
pub(crate) async fn start(
    config: &Config,
    host: &Host,
    store: &Store,
    stop: &CancellationToken,
    tasks: &mut Vec<JoinHandle<()>>,
) -> Result<(), String> {
    let listeners = &host.listeners();
    let asks = config.sql.is_some() || config.flight_sql.is_some() || config.postgres.is_some();
    let service = asks.then(|| QueryService::new(store.clone(), config.limits()));
    #[cfg(feature = "workers")]
    let service = match (service, &config.query.workers) {
        (Some(service), Some(workers)) => Some(service.with_cluster(helpers(workers, stop, tasks)?)),
        (service, _) => service,
    };
    let http = ["h2", "http/1.1"];
    if let (Some(port), Some(service)) = (open(listeners, &config.sql, "sql", &http, "SQL over HTTP").await?, &service)
    {
        let routes = spanmill_query::router(service.clone()).merge(spanmill_jaeger::tempo_routes(store.clone()));
        let routes = guarded(routes, gate(host, &config.sql, "sql")?);
        let stopped = stop.clone().cancelled_owned();
        tasks.push(tokio::spawn(spanmill_query::serve(port, routes, stopped)));
    }
    if let Some(port) = open(listeners, &config.jaeger, "jaeger", &["h2"], "Jaeger's storage API").await? {
        let services = spanmill_jaeger::service(store.clone()).prepare().into_axum_router();
        let services = Routes::from(guarded(services, gate(host, &config.jaeger, "jaeger")?));
        let stopped = stop.clone().cancelled_owned();
        tasks.push(tokio::spawn(spanmill_jaeger::serve(port, services, stopped)));
    }
    #[cfg(feature = "flight-sql")]
    if let (Some(guarded), Some(service)) = (&config.flight_sql, service.clone()) {
        let tls = acceptor(&guarded.tls, "flight_sql", &["h2"])?;
        let port = bind(listeners, &guarded.endpoint, tls, "Flight SQL").await?;
        let stopped = stop.clone().cancelled_owned();
        tasks.push(tokio::spawn(spanmill_flightsql::serve(port, service, guarded.access(), stopped)));
    }
    #[cfg(feature = "postgres")]
    if let (Some(guarded), Some(service)) = (&config.postgres, service) {
        // It begins without TLS and goes over to it, so the port itself has none.
        let tls = acceptor(&guarded.tls, "postgres", &["postgresql"])?;
        let port = bind(listeners, &guarded.endpoint, None, "PostgreSQL's protocol").await?;
        let stopped = stop.clone().cancelled_owned();
        tasks.push(tokio::spawn(spanmill_postgres::serve(port, tls, service, guarded.access(), stopped)));
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
        Fleet::new(workers.options()).map_err(|error| format!("query::workers: {}", error.strip_backtrace()))?;
    tasks.push(tokio::spawn(fleet.clone().watch(stop.clone())));
    Ok(Arc::new(fleet))
}

/// A port that the options name, if they do.
async fn open(
    listeners: &Listeners,
    config: &Option<ListenConfig>,
    option: &str,
    protocols: &[&str],
    what: &str,
) -> Result<Option<Port>, String> {
    let Some(config) = config else { return Ok(None) };
    let tls = acceptor(&config.tls, option, protocols)?;
    bind(listeners, &config.endpoint, tls, what).await.map(Some)
}

/// Who may ask there.
fn gate(host: &Host, config: &Option<ListenConfig>, option: &str) -> Result<Gate, String> {
    let auth = config.as_ref().and_then(|config| config.auth.as_ref());
    Gate::new(host, auth).map_err(|error| format!("{option}::auth: {error}"))
}

/// Reads the files of TLS, where it is on.
fn acceptor(tls: &NullableBlock<ServerTls>, option: &str, protocols: &[&str]) -> Result<Option<Acceptor>, String> {
    let acceptor = tls.as_ref().map(|tls| tls.acceptor(protocols)).transpose();
    acceptor.map_err(|error| format!("{option}::tls::{error}"))
}

async fn bind(listeners: &Listeners, endpoint: &Endpoint, tls: Option<Acceptor>, what: &str) -> Result<Port, String> {
    let listener = listeners.bind(endpoint.as_str()).await;
    let listener = listener.map_err(|error| format!("cannot listen on {endpoint}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    info!(endpoint = %address, "{what}");
    Ok(Port::new(listener, tls))
}
