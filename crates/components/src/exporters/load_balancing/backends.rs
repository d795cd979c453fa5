//! The backends in use, each with an exporter of its own.

use std::collections::HashMap;
use std::sync::Arc;

use spanmill_config::{ComponentId, Section};
use spanmill_pipeline::{Abandoned, Batch, Component, ConsumeError, Consumer, Context, Host, Level, Telemetry};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::metrics::{BackendMetrics, Metrics};
use super::ring::Ring;
use crate::exporters::otlp_grpc;
use crate::exporters::sending::Sending;

/// One backend.
pub(super) struct Backend {
    exporter: Sending<otlp_grpc::Grpc>,
    metrics: BackendMetrics,
}

/// A ring and what its numbers mean.
#[derive(Clone, Default)]
pub(super) struct Backends {
    pub(super) ring: Ring,
    names: Vec<String>,
    by_endpoint: HashMap<String, Arc<Backend>>,
}

/// Makes exporters.
pub(super) struct Maker {
    pub(super) id: ComponentId,
    pub(super) config: otlp_grpc::Config,
    pub(super) section: Section,
    pub(super) metrics: Metrics,
    pub(super) host: Host,
}

// === impl Backends ===

impl Backends {
    pub(super) fn get(&self, number: usize) -> Option<&Arc<Backend>> {
        self.by_endpoint.get(&with_port(self.names.get(number)?))
    }

    /// Those of other names. What is no longer among them ends beside, once it has sent what it holds.
    pub(super) async fn changed(&self, names: Vec<String>, maker: &Maker, ending: &mut JoinSet<()>) -> Self {
        let mut by_endpoint = HashMap::new();
        for endpoint in names.iter().map(|name| with_port(name)) {
            if let Some(known) = self.by_endpoint.get(&endpoint) {
                by_endpoint.insert(endpoint, Arc::clone(known));
                continue;
            }
            match maker.make(&endpoint).await {
                Ok(backend) => drop(by_endpoint.insert(endpoint, Arc::new(backend))),
                Err(error) => tracing::error!(endpoint, error, "failed to create new exporter for endpoint"),
            }
        }
        for (endpoint, backend) in &self.by_endpoint {
            if !by_endpoint.contains_key(endpoint) {
                let backend = Arc::clone(backend);
                ending.spawn(async move { backend.end().await });
            }
        }
        Self { ring: Ring::new(&names), names, by_endpoint }
    }

    /// Whether these are the names.
    pub(super) fn is_for(&self, names: &[String]) -> bool {
        self.names == names
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Backend>> {
        self.by_endpoint.values()
    }
}

/// A name without a port gets OTLP's.
fn with_port(name: &str) -> String {
    if name.contains(':') { name.to_owned() } else { format!("{name}:4317") }
}

// === impl Maker ===

impl Maker {
    async fn make(&self, endpoint: &str) -> Result<Backend, String> {
        let mut config = self.config.clone();
        endpoint.clone_into(&mut config.endpoint);
        let transport = otlp_grpc::Grpc::new(&config, &self.section).map_err(|error| error.to_string())?;
        // The Collector does not show the metrics of these exporters either: there may be many, and they come and go.
        let hidden = Telemetry::new(Level::None);
        let context = Context { id: &self.id, section: &self.section, telemetry: &hidden };
        let exporter = Sending::new(&context, transport, config.sending_queue, config.retry_on_failure);
        exporter.start(&self.host).await.map_err(|error| error.to_string())?;
        Ok(Backend { exporter, metrics: self.metrics.backend(endpoint) })
    }
}

// === impl Backend ===

impl Backend {
    pub(super) async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let began = Instant::now();
        let result = self.exporter.consume(batch).await;
        if let Some(latency) = &self.metrics.latency {
            latency.observe(began.elapsed().as_secs_f64() * 1000.0);
        }
        if result.is_ok() { &self.metrics.good } else { &self.metrics.bad }.inc();
        result
    }

    pub(super) async fn abandon(&self) -> Abandoned {
        self.exporter.abandon().await
    }

    pub(super) async fn end(&self) {
        if let Err(error) = self.exporter.shutdown().await {
            tracing::warn!(%error, "stopping the exporter of a backend");
        }
    }
}
