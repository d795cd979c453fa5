//! `service::telemetry`.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer};
use spanmill_config::{ConfigError, NullableBlock, Section};

use super::Level;

/// What is told about the process itself, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `logs`.
    pub logs: LogSettings,
    /// `metrics`.
    pub metrics: MetricSettings,
    /// What is accepted for the sake of the Collector's configurations and has no effect.
    pub warnings: Vec<String>,
}

/// `service::telemetry::logs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// The least important level that is written.
    pub level: LogLevel,
    /// The form.
    pub encoding: Encoding,
    /// `stderr`, `stdout`, or files that are appended to.
    pub output_paths: Vec<String>,
    /// Fields of every line, in JSON.
    pub initial_fields: BTreeMap<String, String>,
}

/// `service::telemetry::metrics`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricSettings {
    /// How much is measured.
    pub level: Level,
    /// Where Prometheus may read, as `host:port`.
    pub endpoints: Vec<String>,
    /// Attributes of `target_info` that replace or remove the process's own.
    pub resource: BTreeMap<String, Option<String>>,
}

/// Levels of logs; those of the Collector above `error` count as `error`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the words are everyone's")]
pub enum LogLevel {
    Debug,
    #[default]
    Info,
    Warn,
    Error,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Encoding {
    /// For people.
    #[default]
    Console,
    /// One JSON object a line.
    Json,
}

/// Where metrics are read unless configured otherwise.
const DEFAULT_ENDPOINT: &str = "localhost:8888";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    logs: Logs,
    metrics: Metrics,
    traces: Traces,
    resource: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Logs {
    level: LogLevel,
    encoding: Option<String>,
    output_paths: Option<Vec<String>>,
    initial_fields: Option<IgnoredAny>,
    // What is Go's logger's own, or has no meaning here.
    error_output_paths: Option<IgnoredAny>,
    development: Option<bool>,
    disable_caller: Option<bool>,
    disable_stacktrace: Option<bool>,
    disable_zap_resource: Option<bool>,
    sampling: Option<IgnoredAny>,
    processors: Option<Vec<IgnoredAny>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Metrics {
    level: Level,
    /// Removed from the Collector; still found in many configurations.
    address: Option<String>,
    readers: Option<Vec<Reader>>,
    views: Option<Vec<IgnoredAny>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Traces {
    level: Option<String>,
    processors: Option<Vec<IgnoredAny>>,
    propagators: Option<Vec<String>>,
    sampler: Option<IgnoredAny>,
    limits: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Reader {
    pull: NullableBlock<Pull>,
    periodic: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Pull {
    exporter: PullExporter,
    producers: Option<IgnoredAny>,
    cardinality_limits: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PullExporter {
    prometheus: Prometheus,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Prometheus {
    host: String,
    port: u16,
    // Names are always the Collector's default ones: without suffixes and scopes.
    without_type_suffix: Option<bool>,
    without_units: Option<bool>,
    without_scope_info: Option<bool>,
    without_target_info: Option<bool>,
    translation_strategy: Option<String>,
    with_resource_constant_labels: Option<IgnoredAny>,
}

// === impl Settings ===

impl Settings {
    /// Reads the section.
    ///
    /// # Errors
    ///
    /// Fails on unknown keys and on values that the Collector refuses.
    pub fn read(section: &Section) -> Result<Self, ConfigError> {
        let written: Written = section.parse()?;
        let mut warnings = Vec::new();
        written.traces.ignore(&mut warnings);
        let resource = match section.get("resource") {
            Some(resource) if written.resource.is_some() => read_resource(&resource, &mut warnings)?,
            _ => BTreeMap::new(),
        };
        let metrics = written.metrics.read(section, resource, &mut warnings)?;
        let initial_fields = match section.get("logs").and_then(|logs| logs.get("initial_fields")) {
            Some(fields) if written.logs.initial_fields.is_some() => fields.parse()?,
            _ => BTreeMap::new(),
        };
        let logs = written.logs.read(initial_fields, &mut warnings);
        Ok(Self { logs, metrics, warnings })
    }
}

impl Logs {
    fn read(self, initial_fields: BTreeMap<String, String>, warnings: &mut Vec<String>) -> LogSettings {
        let encoding = match self.encoding.as_deref() {
            Some("json") => Encoding::Json,
            Some("console") | None => Encoding::Console,
            Some(other) => {
                let note = "is not known, console is used";
                warnings.push(format!("service::telemetry::logs::encoding: {other:?} {note}"));
                Encoding::Console
            }
        };
        if self.processors.is_some_and(|processors| !processors.is_empty()) {
            warnings.push(no_effect("logs::processors"));
        }
        let output_paths = self.output_paths.unwrap_or_else(|| vec!["stderr".to_owned()]);
        LogSettings { level: self.level, encoding, output_paths, initial_fields }
    }
}

impl Metrics {
    fn read(
        self,
        section: &Section,
        resource: BTreeMap<String, Option<String>>,
        warnings: &mut Vec<String>,
    ) -> Result<MetricSettings, ConfigError> {
        if self.level == Level::None {
            return Ok(MetricSettings { level: Level::None, endpoints: Vec::new(), resource });
        }
        if self.views.is_some() {
            if self.level != Level::Detailed {
                let message = "service::telemetry::metrics::views can only be set when service::telemetry::metrics::level is detailed";
                return Err(section.error("metrics::views", message));
            }
            warnings.push(no_effect("metrics::views"));
        }
        let mut endpoints = Vec::new();
        if let Some(address) = &self.address {
            warnings.push("service::telemetry::metrics::address is deprecated; use readers instead".to_owned());
            endpoints.push(address.clone());
        }
        let readers = self.readers.as_deref();
        if readers.is_some_and(<[Reader]>::is_empty) && endpoints.is_empty() {
            let message = "collector telemetry metrics reader should exist when metric level is not none";
            return Err(section.error("metrics::readers", message));
        }
        for reader in readers.unwrap_or_default() {
            if let Some(pull) = reader.pull.as_ref() {
                let prometheus = &pull.exporter.prometheus;
                endpoints.push(format!("{}:{}", bracketed(&prometheus.host), prometheus.port));
            }
            if reader.periodic.is_some() {
                warnings.push(no_effect("metrics::readers: periodic"));
            }
        }
        if readers.is_none() && endpoints.is_empty() {
            endpoints.push(DEFAULT_ENDPOINT.to_owned());
        }
        Ok(MetricSettings { level: self.level, endpoints, resource })
    }
}

impl Traces {
    fn ignore(&self, warnings: &mut Vec<String>) {
        if self.processors.as_ref().is_some_and(|processors| !processors.is_empty()) {
            warnings.push(no_effect("traces::processors"));
        }
    }
}

/// Plain names and values; the newer form with `attributes` has no effect yet.
fn read_resource(
    resource: &Section,
    warnings: &mut Vec<String>,
) -> Result<BTreeMap<String, Option<String>>, ConfigError> {
    const NEWER: [&str; 4] = ["attributes", "attributes_list", "detectors", "schema_url"];
    if NEWER.iter().any(|key| resource.node().get(key).is_some()) {
        warnings.push(no_effect("resource in its newer form"));
        return Ok(BTreeMap::new());
    }
    resource.parse()
}

fn no_effect(what: &str) -> String {
    format!("service::telemetry::{what} has no effect")
}

fn bracketed(host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() }
}

// === impl defaults ===

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            level: LogLevel::Info,
            encoding: Encoding::Console,
            output_paths: vec!["stderr".to_owned()],
            initial_fields: BTreeMap::new(),
        }
    }
}

impl Default for MetricSettings {
    fn default() -> Self {
        Self { level: Level::Normal, endpoints: vec![DEFAULT_ENDPOINT.to_owned()], resource: BTreeMap::new() }
    }
}

impl Default for Prometheus {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            port: 8888,
            without_type_suffix: None,
            without_units: None,
            without_scope_info: None,
            without_target_info: None,
            translation_strategy: None,
            with_resource_constant_labels: None,
        }
    }
}

// === impl Deserialize ===

/// Reads a word with the Collector's message for others.
struct Word<T> {
    what: &'static str,
    known: fn(&str) -> Option<T>,
    unknown: &'static str,
}

impl<T> Visitor<'_> for Word<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        (self.known)(&text.to_ascii_lowercase()).ok_or_else(|| E::custom(format_args!("{} {text:?}", self.unknown)))
    }
}

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let known = |word: &str| match word {
            "none" => Some(Self::None),
            "basic" => Some(Self::Basic),
            "" | "normal" => Some(Self::Normal),
            "detailed" => Some(Self::Detailed),
            _ => None,
        };
        let what = "none, basic, normal or detailed";
        deserializer.deserialize_str(Word { what, known, unknown: "unknown metrics level" })
    }
}

impl<'de> Deserialize<'de> for LogLevel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let known = |word: &str| match word {
            "debug" => Some(Self::Debug),
            "" | "info" => Some(Self::Info),
            "warn" | "warning" => Some(Self::Warn),
            "error" | "dpanic" | "panic" | "fatal" => Some(Self::Error),
            _ => None,
        };
        deserializer.deserialize_str(Word { what: "debug, info, warn or error", known, unknown: "unrecognized level:" })
    }
}
