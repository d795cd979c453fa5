//! Metrics of spanmill itself, under the Collector's names.

mod endpoint;
mod operations;
mod process;
mod settings;

use std::collections::{BTreeMap, HashMap};
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

    /// Adds what is measured of the process, and who it is, by the attributes of its resource.
    pub fn describe_process<'a>(&self, resource: impl Iterator<Item = (&'a str, &'a str)>) {
        let resource: BTreeMap<&str, &str> = resource.collect();
        // Told once: a reload keeps it.
        let _ = self.instance.set(resource.get("service.instance.id").copied().unwrap_or_default().to_owned());
        if self.level == Level::None {
            return;
        }
        if let Err(error) = Process::new().and_then(|process| self.registry.register(Box::new(process))) {
            tracing::warn!(%error, "the process is not measured");
        }
        let labels = labels(&resource);
        let labels: Vec<_> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
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

/// Attributes as labels: what a label cannot have is an underscore, and attributes that become the same label share it.
fn labels(attributes: &BTreeMap<&str, &str>) -> BTreeMap<String, String> {
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in attributes {
        let fits = |character: char| if character.is_ascii_alphanumeric() { character } else { '_' };
        let mut label: String = name.chars().map(fits).collect();
        if !label.starts_with(|first: char| first.is_ascii_alphabetic()) {
            label.insert_str(0, "key_");
        }
        let shared = labels.entry(label).or_default();
        if !shared.is_empty() {
            shared.push(';');
        }
        shared.push_str(value);
    }
    labels
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: a process with attributes of its own names, two of which become the same label, and one that begins with a digit.
    /// Guarantees: `target_info` has all of them as labels, the instance is known, and what is not there has no label.
    #[test]
    fn resources_are_labels() {
        let telemetry = Telemetry::default();
        let resource = [
            ("service.name", "s"),
            ("service.instance.id", "i"),
            ("deployment.zone", "a"),
            ("deployment-zone", "b"),
            ("1st", "c"),
        ];
        telemetry.describe_process(resource.into_iter());
        let (_, page) = telemetry.expose();
        let page = String::from_utf8(page.to_vec()).unwrap();
        let expected = r#"target_info{deployment_zone="b;a",key_1st="c",service_instance_id="i",service_name="s"} 1"#;
        assert!(page.contains(expected), "{page}");
        assert_eq!(telemetry.instance(), "i");
    }
}
