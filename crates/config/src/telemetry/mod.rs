//! `service.telemetry`: what is told about the process itself.

mod level;
mod resource;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

pub use level::{LogLevel, MetricsLevel};
pub use resource::ResourceAttributes;

use crate::{ConfigError, Duration, Section};

/// The options of `service.telemetry`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TelemetryConfig {
    /// `logs`.
    pub logs: LogsTelemetry,
    /// `metrics`.
    pub metrics: MetricsTelemetry,
    /// `resource`: attributes of everything told about the process.
    pub resource: ResourceAttributes,
    /// Options that were given and have no effect, by their path: `service::telemetry::traces::processors`.
    pub ignored: Vec<String>,
}

/// `logs`: what is written about the running process. The options `development`, `disable_caller`, `disable_stacktrace`,
/// `disable_zap_resource`, `error_output_paths` and `processors` are accepted without effect.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogsTelemetry {
    /// The least severe level that is written. Default `info`.
    pub level: LogLevel,
    /// `console` (default) or `json`. Whether the name is known is decided by what writes the logs.
    pub encoding: String,
    /// How many messages alike are written. Default: on.
    pub sampling: LogSampling,
    /// `stderr` (default), `stdout`, or paths of files.
    pub output_paths: Vec<String>,
    /// Fields of every message. Default none.
    pub initial_fields: BTreeMap<String, serde_json::Value>,
    development: bool,
    disable_caller: bool,
    disable_stacktrace: bool,
    disable_zap_resource: bool,
    error_output_paths: Vec<String>,
    processors: Vec<BTreeMap<String, IgnoredAny>>,
}

/// `logs.sampling`: of messages alike, the first ones are written and then every so many-th.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSampling {
    /// Default true.
    pub enabled: bool,
    /// The time after which counting begins anew. Default `10s`.
    pub tick: Duration,
    /// How many messages are written in each tick at first. Default 10.
    pub initial: i64,
    /// Every how many-th message is written after that; none when 0. Default 100.
    pub thereafter: i64,
}

/// `metrics`: what is counted, and where it can be read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsTelemetry {
    /// How much is counted. Default `normal`.
    pub level: MetricsLevel,
    /// Where metrics go. Default: one Prometheus endpoint at `localhost:8888`.
    pub readers: Vec<MetricReader>,
    /// Accepted without effect, at level `detailed` only.
    views: Option<Vec<IgnoredAny>>,
}

/// One of `metrics.readers`. `periodic` and `producers` are accepted without effect.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricReader {
    /// An endpoint from which metrics are fetched.
    pub pull: Option<PullReader>,
    periodic: Option<IgnoredAny>,
    producers: Vec<IgnoredAny>,
}

/// `pull` of a reader.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PullReader {
    /// What answers.
    pub exporter: PullExporter,
}

/// `pull.exporter` of a reader.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PullExporter {
    /// A Prometheus endpoint.
    pub prometheus: Option<PrometheusReader>,
}

/// A Prometheus endpoint. `with_resource_constant_labels` is accepted without effect.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrometheusReader {
    /// The address it listens on. Default `localhost`.
    pub host: String,
    /// The port. Default 8888.
    pub port: u16,
    /// Whether labels of the instrumentation scope are left out. They are, also where this is false. Default true.
    pub without_scope_info: bool,
    /// Whether the ending `_total` is left out. It is, also where this is false. Default true.
    pub without_type_suffix: bool,
    /// Whether units at the end of names are left out. They are, also where this is false. Default true.
    pub without_units: bool,
    with_resource_constant_labels: Option<IgnoredAny>,
    /// Spanmill's own: read by who serves it.
    #[serde(rename = "tls")]
    _tls: IgnoredAny,
}

/// `traces`: accepted without effect.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TracesTelemetry {
    #[serde(rename = "level")]
    _level: MetricsLevel,
    #[serde(rename = "propagators")]
    _propagators: Vec<String>,
    #[serde(rename = "limits")]
    _limits: IgnoredAny,
    processors: Vec<BTreeMap<String, IgnoredAny>>,
    #[serde(rename = "sampler")]
    _sampler: IgnoredAny,
}

/// The keys of `service.telemetry` as they are written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    logs: LogsTelemetry,
    metrics: MetricsTelemetry,
    traces: TracesTelemetry,
    #[serde(rename = "resource")]
    _resource: IgnoredAny,
}

// === impl TelemetryConfig ===

impl TelemetryConfig {
    /// Reads and checks the section `service::telemetry`.
    ///
    /// # Errors
    ///
    /// Fails on unknown keys, values of another type, and where the Collector's own check does.
    pub fn from_section(section: &Section) -> Result<Self, ConfigError> {
        let Written { logs, metrics, traces, .. } = section.parse()?;
        let resource = match section.get("resource") {
            Some(resource) => ResourceAttributes::from_section(&resource)?,
            None => ResourceAttributes::default(),
        };
        if metrics.level != MetricsLevel::None && metrics.readers.is_empty() {
            let message = "collector telemetry metrics reader should exist when metric level is not none";
            return Err(section.error("metrics::readers", message));
        }
        if metrics.views.is_some() && metrics.level != MetricsLevel::Detailed {
            let message = "views can only be set when service::telemetry::metrics::level is detailed";
            return Err(section.error("metrics::views", message));
        }
        let prometheus = |is_given: fn(&PrometheusReader) -> bool| {
            let mut pulled =
                metrics.readers.iter().filter_map(|reader| reader.pull.as_ref()?.exporter.prometheus.as_ref());
            pulled.any(is_given)
        };
        let is_detecting = |option: &str| {
            let resource = section.get("resource");
            resource.and_then(|resource| resource.get(option)).is_some_and(|option| !option.is_null())
        };
        let given = [
            ("logs::processors", !logs.processors.is_empty()),
            ("metrics::readers::periodic", metrics.readers.iter().any(|reader| reader.periodic.is_some())),
            ("metrics::readers::producers", metrics.readers.iter().any(|reader| !reader.producers.is_empty())),
            (
                "metrics::readers::pull::exporter::prometheus::with_resource_constant_labels",
                prometheus(|reader| reader.with_resource_constant_labels.is_some()),
            ),
            (
                "metrics::readers::pull::exporter::prometheus::without_scope_info: false",
                prometheus(|reader| !reader.without_scope_info),
            ),
            (
                "metrics::readers::pull::exporter::prometheus::without_type_suffix: false",
                prometheus(|reader| !reader.without_type_suffix),
            ),
            (
                "metrics::readers::pull::exporter::prometheus::without_units: false",
                prometheus(|reader| !reader.without_units),
            ),
            ("metrics::views", metrics.views.is_some()),
            ("resource::detectors", is_detecting("detectors")),
            ("resource::detection/development", is_detecting("detection/development")),
            ("traces::processors", !traces.processors.is_empty()),
        ];
        let ignored = given.into_iter().filter(|(_, is_given)| *is_given);
        let ignored = ignored.map(|(option, _)| format!("{}::{option}", section.path())).collect();
        Ok(Self { logs, metrics, resource, ignored })
    }
}

// === impl MetricsTelemetry ===

impl MetricsTelemetry {
    /// The Prometheus endpoints to serve, and the place of each among `readers`; none at level `none`.
    pub fn prometheus(&self) -> impl Iterator<Item = (usize, &PrometheusReader)> {
        let readers = if self.level == MetricsLevel::None { &[][..] } else { &self.readers };
        let readers = readers.iter().enumerate();
        readers.filter_map(|(at, reader)| Some((at, reader.pull.as_ref()?.exporter.prometheus.as_ref()?)))
    }
}

impl Default for MetricsTelemetry {
    fn default() -> Self {
        let exporter = PullExporter { prometheus: Some(PrometheusReader::default()) };
        let reader = MetricReader { pull: Some(PullReader { exporter }), ..MetricReader::default() };
        Self { level: MetricsLevel::Normal, readers: vec![reader], views: None }
    }
}

// === impl PrometheusReader ===

impl PrometheusReader {
    /// `host:port`, with brackets around an IPv6 address.
    pub fn address(&self) -> String {
        match self.host.contains(':') && !self.host.starts_with('[') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

impl Default for PrometheusReader {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            port: 8888,
            without_scope_info: true,
            without_type_suffix: true,
            without_units: true,
            with_resource_constant_labels: None,
            _tls: IgnoredAny,
        }
    }
}

// === impl LogsTelemetry ===

impl Default for LogsTelemetry {
    fn default() -> Self {
        Self {
            level: LogLevel::Info,
            encoding: "console".to_owned(),
            sampling: LogSampling::default(),
            output_paths: vec!["stderr".to_owned()],
            initial_fields: BTreeMap::new(),
            development: false,
            disable_caller: false,
            disable_stacktrace: false,
            disable_zap_resource: false,
            error_output_paths: vec!["stderr".to_owned()],
            processors: Vec::new(),
        }
    }
}

// === impl LogSampling ===

impl Default for LogSampling {
    fn default() -> Self {
        Self { enabled: true, tick: Duration::from_secs(10), initial: 10, thereafter: 100 }
    }
}
