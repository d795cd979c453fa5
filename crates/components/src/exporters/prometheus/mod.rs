//! `prometheus`: shows metrics on a page for Prometheus to read.

mod accept;
mod config;
mod escape;
mod families;
mod merge;
mod names;
mod native;
mod page;
mod protobuf;
mod store;
mod text;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prometheus::IntCounter;
use prost::Message;
use spanmill_config::ConfigError;
use spanmill_pipeline::auth::Gate;
use spanmill_pipeline::{
    Abandoned, Batch, Code, Component, ComponentError, ConsumeError, Consumer, Context, ExporterFactory, Host, Kind,
    Node, Port, Signal, Stability,
};

use config::Config;
use page::{Server, Shown};
use store::Store;

use crate::exporters::sending::{Answer, RetryOnFailure, SendError, Sending, SendingQueue, Transport};
use crate::net::site::acceptor;

/// Makes `prometheus` exporters.
pub const FACTORY: ExporterFactory = ExporterFactory {
    kind: Kind { name: "prometheus", aliases: &[], stability: Stability::Beta, signals: &[Signal::Metrics] },
    create,
};

struct Prometheus {
    id: String,
    config: Config,
    shown: Arc<Shown>,
    sending: Sending<Intake>,
    server: Mutex<Option<Server>>,
}

/// Takes metrics into the store.
struct Intake {
    store: Arc<Mutex<Store>>,
    dropped: BTreeMap<&'static str, IntCounter>,
}

/// Why data points are not shown.
const REASONS: [&str; 6] =
    ["no_data", "unspecified_temporality", "non_monotonic_delta_sum", "out_of_order", "misaligned", "store_full"];

fn create(context: Context<'_>) -> Result<Arc<dyn Node>, ConfigError> {
    let config = Config::read(context.section)?;
    for key in Config::unknown_keys(context.section) {
        tracing::warn!(exporter = %context.id, key, "an option is not known and means nothing");
    }
    if config.is_deprecated() {
        let message = "resource_to_telemetry_conversion is deprecated; use resource_constant_labels instead";
        tracing::warn!(exporter = %context.id, "{message}");
    }
    let store = Arc::new(Mutex::new(Store::new(config.selection(), config.metric_expiration.to_std())));
    let id = context.id.to_string();
    let counter = |reason: &'static str| {
        let counter = context.telemetry.counter(
            "spanmill_exporter_prometheus_dropped_metric_points",
            "Metric points that cannot be shown, by reason",
            &[("exporter", &id), ("reason", reason)],
        );
        (reason, counter)
    };
    let intake = Intake { store: Arc::clone(&store), dropped: REASONS.map(counter).into_iter().collect() };
    let queue =
        config.sending_queue.clone().unwrap_or_else(|| SendingQueue { enabled: false, ..SendingQueue::default() });
    let retry = RetryOnFailure { enabled: false, ..RetryOnFailure::default() };
    let sending = Sending::new(&context, intake, queue, retry);
    let shown = Arc::new(Shown::new(context.id.clone(), &config, store));
    Ok(Arc::new(Prometheus { id, config, shown, sending, server: Mutex::default() }))
}

// === impl Prometheus ===

#[async_trait]
impl Component for Prometheus {
    fn claim(&self) -> Option<String> {
        self.sending.claim()
    }

    fn queues(&self) -> bool {
        self.sending.queues()
    }

    async fn start(&self, host: &Host) -> Result<(), ComponentError> {
        self.sending.start(host).await?;
        let (tls, gate) = (acceptor(self.config.tls.as_ref())?, Gate::new(host, self.config.auth.as_ref())?);
        let endpoint = self.config.endpoint.trim();
        let listener = host.listeners().bind(endpoint).await.map_err(|source| ComponentError::Io {
            context: format!("{}: cannot listen on {endpoint}", self.id),
            source,
        })?;
        let server = Server::start(Port::new(listener, tls), &self.config, gate, Arc::clone(&self.shown));
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
        Ok(())
    }

    async fn abandon(&self) -> Abandoned {
        self.sending.abandon().await
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        let stopped = self.sending.shutdown().await;
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(server) = server {
            server.stop().await;
        }
        stopped
    }
}

#[async_trait]
impl Consumer for Prometheus {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        self.sending.consume(batch).await
    }
}

// === impl Intake ===

#[async_trait]
impl Transport for Intake {
    type Request = Bytes;

    fn request(&self, batch: &Batch) -> Bytes {
        batch.encode()
    }

    async fn send(&self, _: Signal, request: Bytes) -> Result<Answer, SendError> {
        let request = ExportMetricsServiceRequest::decode(request)
            .map_err(|error| SendError::permanent(Code::InvalidArgument, error.to_string()))?;
        let taken = self.store.lock().unwrap_or_else(PoisonError::into_inner).take(request.resource_metrics);
        for (reason, points) in taken.dropped {
            if let Some(counter) = self.dropped.get(reason) {
                counter.inc_by(points);
            }
        }
        Ok(Answer::default())
    }
}
