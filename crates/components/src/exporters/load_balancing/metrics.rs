use prometheus::{Histogram, IntCounter, IntGauge};
use spanmill_pipeline::Telemetry;

/// What is counted of backends, under the Collector's names.
#[derive(Debug, Clone)]
pub(super) struct Metrics {
    telemetry: Telemetry,
    resolver: &'static str,
    backends: IntGauge,
    updates: IntCounter,
}

/// Of one backend.
#[derive(Debug)]
pub(super) struct BackendMetrics {
    pub(super) latency: Option<Histogram>,
    pub(super) good: IntCounter,
    pub(super) bad: IntCounter,
}

/// The Collector's buckets of milliseconds.
const LATENCY: [f64; 10] = [5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0];

// === impl Metrics ===

impl Metrics {
    pub(super) fn new(telemetry: &Telemetry, resolver: &'static str) -> Self {
        let labels = [("resolver", resolver)];
        let (backends, updates) = ("otelcol_loadbalancer_num_backends", "otelcol_loadbalancer_num_backend_updates");
        Self {
            backends: telemetry.gauge(backends, "Current number of backends in use.", &labels),
            updates: telemetry.counter(updates, "Number of times the list of backends was updated.", &labels),
            telemetry: telemetry.clone(),
            resolver,
        }
    }

    pub(super) fn resolved(&self, good: bool) {
        let name = "otelcol_loadbalancer_num_resolutions";
        let help = "Number of times the resolver has triggered new resolutions.";
        let labels = [("resolver", self.resolver), ("success", if good { "true" } else { "false" })];
        self.telemetry.counter(name, help, &labels).inc();
    }

    pub(super) fn updated(&self, backends: usize) {
        self.updates.inc();
        self.backends.set(i64::try_from(backends).unwrap_or(i64::MAX));
    }

    pub(super) fn backend(&self, endpoint: &str) -> BackendMetrics {
        let outcome = |success: &str| {
            let help = "Number of successes and failures for each endpoint.";
            let labels = [("endpoint", endpoint), ("success", success)];
            self.telemetry.counter("otelcol_loadbalancer_backend_outcome", help, &labels)
        };
        let (name, help) = ("otelcol_loadbalancer_backend_latency", "Response latency in ms for the backends.");
        BackendMetrics {
            latency: self.telemetry.histogram(name, help, &[("endpoint", endpoint)], &LATENCY),
            good: outcome("true"),
            bad: outcome("false"),
        }
    }
}
