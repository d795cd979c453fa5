//! Metrics of spanmill itself, under the Collector's names.

mod endpoint;
mod operations;
mod process;
mod settings;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use prometheus::core::Collector;
use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};

use process::Process;

pub use endpoint::MetricEndpoint;
pub use operations::{Operation, Operations, Running, Summary};
pub use settings::{Encoding, LogLevel, LogSettings, MetricSettings, Settings};

/// How much is measured (`service.telemetry.metrics.level`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// Nothing.
    None,
    /// What every operator needs.
    Basic,
    /// The default.
    #[default]
    Normal,
    /// Everything, labels with many values included.
    Detailed,
}

/// Hands out metrics. Asking twice for the same name and labels gives the same metric, so a reload goes on counting.
#[derive(Debug, Clone, Default)]
pub struct Telemetry {
    registry: Registry,
    level: Level,
    instance: Arc<OnceLock<String>>,
    families: Arc<Mutex<HashMap<String, Family>>>,
    operations: Arc<Operations>,
}

#[derive(Debug, Clone)]
enum Family {
    Counter(IntCounterVec),
    Gauge(IntGaugeVec),
    Histogram(HistogramVec),
}

// === impl Telemetry ===

impl Telemetry {
    /// Metrics of that level.
    pub fn new(level: Level) -> Self {
        Self { level, ..Self::default() }
    }

    /// Adds what is measured of the process, and who it is: `service` is its name and version.
    pub fn describe_process(&self, service: (&str, &str), instance: &str) {
        // Told once: a reload keeps it.
        let _ = self.instance.set(instance.to_owned());
        if self.level == Level::None {
            return;
        }
        if let Err(error) = Process::new().and_then(|process| self.registry.register(Box::new(process))) {
            tracing::warn!(%error, "the process is not measured");
        }
        let labels = [("service_instance_id", instance), ("service_name", service.0), ("service_version", service.1)];
        self.gauge("target_info", "Target metadata", &labels).set(1);
    }

    /// The id of this process, as its own metrics have it; empty where the configuration takes it away.
    pub fn instance(&self) -> &str {
        self.instance.get().map_or("", String::as_str)
    }

    /// All metrics as Prometheus reads them, and the content type of that.
    pub fn expose(&self) -> (&'static str, Bytes) {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::warn!(%error, "metrics cannot be written");
        }
        ("text/plain; version=0.0.4; charset=utf-8", Bytes::from(text))
    }

    /// What the process does, for pages that show it.
    pub fn operations(&self) -> &Arc<Operations> {
        &self.operations
    }

    /// How much is to be measured.
    pub fn level(&self) -> Level {
        self.level
    }

    /// What is exposed.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// A counter. All uses of one name must have the same label names, in the same order; otherwise the metric counts but
    /// is not exposed.
    pub fn counter(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> IntCounter {
        let (names, values) = split(labels);
        let made = self.family(name, || Some(Family::Counter(IntCounterVec::new(Opts::new(name, help), &names).ok()?)));
        match made {
            Some(Family::Counter(family)) => family.get_metric_with_label_values(&values).ok(),
            _ => None,
        }
        .unwrap_or_else(detached_counter)
    }

    /// A gauge, with the same rule.
    pub fn gauge(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> IntGauge {
        let (names, values) = split(labels);
        let made = self.family(name, || Some(Family::Gauge(IntGaugeVec::new(Opts::new(name, help), &names).ok()?)));
        match made {
            Some(Family::Gauge(family)) => family.get_metric_with_label_values(&values).ok(),
            _ => None,
        }
        .unwrap_or_else(detached_gauge)
    }

    /// A histogram with those bucket bounds, with the same rule; none where the bounds are not ascending.
    pub fn histogram(&self, name: &str, help: &str, labels: &[(&str, &str)], buckets: &[f64]) -> Option<Histogram> {
        let (names, values) = split(labels);
        let made = self.family(name, || {
            let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
            Some(Family::Histogram(HistogramVec::new(options, &names).ok()?))
        });
        match made {
            Some(Family::Histogram(family)) => family.get_metric_with_label_values(&values).ok(),
            _ => None,
        }
    }

    fn family(&self, name: &str, make: impl FnOnce() -> Option<Family>) -> Option<Family> {
        let mut families = self.families.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = families.get(name) {
            return Some(known.clone());
        }
        let made = make()?;
        let collector: Box<dyn Collector> = match &made {
            Family::Counter(family) => Box::new(family.clone()),
            Family::Gauge(family) => Box::new(family.clone()),
            Family::Histogram(family) => Box::new(family.clone()),
        };
        if self.level != Level::None {
            self.registry.register(collector).ok()?;
        }
        families.insert(name.to_owned(), made.clone());
        Some(made)
    }
}

fn split<'a>(labels: &[(&'a str, &'a str)]) -> (Vec<&'a str>, Vec<&'a str>) {
    labels.iter().copied().unzip()
}

#[expect(clippy::expect_used, reason = "a constant, valid metric name cannot be refused")]
fn detached_counter() -> IntCounter {
    IntCounter::new("detached", "counts, but is not exposed").expect("valid name")
}

#[expect(clippy::expect_used, reason = "a constant, valid metric name cannot be refused")]
fn detached_gauge() -> IntGauge {
    IntGauge::new("detached", "measures, but is not exposed").expect("valid name")
}
