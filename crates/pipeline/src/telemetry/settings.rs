//! `service::telemetry`, as this service uses it.

use std::collections::BTreeMap;

use spanmill_config::{
    ConfigError, LogLevel as ConfigLogLevel, LogsTelemetry, MetricsLevel, PrometheusReader, Section, TelemetryConfig,
};

use super::Level;
use super::endpoint::MetricEndpoint;

/// What is told about the process itself, and where.
#[derive(Debug, Clone, Default, PartialEq)]
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
}

/// `service::telemetry::metrics`.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSettings {
    /// How much is measured.
    pub level: Level,
    /// Where Prometheus may read.
    pub endpoints: Vec<MetricEndpoint>,
    /// Attributes of `target_info`; those with the name of one of the process's own replace it, or remove it.
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

// === impl Settings ===

impl Settings {
    /// Reads the section.
    ///
    /// # Errors
    ///
    /// Fails on unknown keys and on values that the Collector refuses.
    pub fn read(section: &Section) -> Result<Self, ConfigError> {
        let TelemetryConfig { logs, metrics, resource, ignored } = TelemetryConfig::from_section(section)?;
        let mut warnings: Vec<String> = ignored.into_iter().map(|option| format!("{option} has no effect")).collect();
        let endpoints = MetricEndpoint::read(section, &metrics)?;
        let resource = resource.iter().map(|(name, value)| (name.to_owned(), value.map(str::to_owned))).collect();
        let metrics = MetricSettings { level: metrics.level.into(), endpoints, resource };
        Ok(Self { logs: LogSettings::new(logs, &mut warnings), metrics, warnings })
    }
}

// === impl LogSettings ===

impl LogSettings {
    fn new(logs: LogsTelemetry, warnings: &mut Vec<String>) -> Self {
        let LogsTelemetry { level, encoding, output_paths, initial_fields, .. } = logs;
        let encoding = match encoding.as_str() {
            "json" => Encoding::Json,
            "console" | "" => Encoding::Console,
            other => {
                let note = "is not known, console is used";
                warnings.push(format!("service::telemetry::logs::encoding: {other:?} {note}"));
                Encoding::Console
            }
        };
        if !initial_fields.is_empty() {
            warnings.push("service::telemetry::logs::initial_fields has no effect".to_owned());
        }
        Self { level: level.into(), encoding, output_paths }
    }
}

impl Default for LogSettings {
    fn default() -> Self {
        Self::new(LogsTelemetry::default(), &mut Vec::new())
    }
}

// === impl MetricSettings ===

impl Default for MetricSettings {
    fn default() -> Self {
        let address = PrometheusReader::default().address();
        let endpoints = vec![MetricEndpoint { address, tls: None }];
        Self { level: Level::Normal, endpoints, resource: BTreeMap::new() }
    }
}

// === impl Level ===

impl From<MetricsLevel> for Level {
    fn from(level: MetricsLevel) -> Self {
        match level {
            MetricsLevel::None => Self::None,
            MetricsLevel::Basic => Self::Basic,
            MetricsLevel::Normal => Self::Normal,
            MetricsLevel::Detailed => Self::Detailed,
        }
    }
}

// === impl LogLevel ===

impl From<ConfigLogLevel> for LogLevel {
    fn from(level: ConfigLogLevel) -> Self {
        match level {
            ConfigLogLevel::Debug => Self::Debug,
            ConfigLogLevel::Info => Self::Info,
            ConfigLogLevel::Warn => Self::Warn,
            ConfigLogLevel::Error | ConfigLogLevel::DPanic | ConfigLogLevel::Panic | ConfigLogLevel::Fatal => {
                Self::Error
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use spanmill_config::Section;

    use super::{Encoding, Level, LogLevel, Settings};

    fn read(text: &str) -> Settings {
        Settings::read(&Section::from_yaml("service::telemetry", text).unwrap()).unwrap()
    }

    /// Scenario: nothing is configured.
    /// Guarantees: the defaults, without warnings.
    #[test]
    fn nothing_is_the_default() {
        assert_eq!(read(""), Settings::default());
        assert_eq!(Settings::default().metrics.endpoints[0].address, "localhost:8888");
    }

    /// Scenario: every part is configured, some of it without effect.
    /// Guarantees: what has effect is taken over, the rest is warned about.
    #[test]
    fn configured() {
        let settings = read(
            "logs: {level: FATAL, encoding: text, initial_fields: {a: 1, b: c}, processors: [{}]}\n\
             metrics: {level: detailed, readers: [{pull: {exporter: {prometheus: {host: '::', port: 1}}}}, {periodic: {}}]}\n\
             resource: {service.name: x, service.version: }",
        );
        assert_eq!((settings.logs.level, settings.logs.encoding), (LogLevel::Error, Encoding::Console));
        assert_eq!((settings.metrics.level, settings.metrics.endpoints.len()), (Level::Detailed, 1));
        assert_eq!(settings.metrics.endpoints[0].address, "[::]:1");
        assert_eq!(settings.metrics.resource["service.name"].as_deref(), Some("x"));
        assert_eq!(settings.metrics.resource["service.version"], None);
        assert_eq!(settings.warnings.len(), 4, "{:?}", settings.warnings);
    }
    /// Scenario: the second of three readers has TLS; and TLS with mistakes, also where nothing is shown.
    /// Guarantees: that one has it, and no other; mistakes are told with the option's path.
    #[test]
    fn readers_with_tls() {
        let reader = |tls: &str| format!("{{pull: {{exporter: {{prometheus: {{port: 1{tls}}}}}}}}}");
        let all = [reader(""), "{periodic: {}}".to_owned(), reader(", tls: {cert_file: a, key_file: b}"), reader("")];
        let settings = read(&format!("metrics: {{readers: [{}]}}", all.join(", ")));
        let secured: Vec<bool> = settings.metrics.endpoints.iter().map(|endpoint| endpoint.tls.is_some()).collect();
        assert_eq!(secured, [false, true, false]);
        let refused = |tls: &str| {
            let text = format!("metrics: {{level: none, readers: [{}]}}", reader(tls));
            Settings::read(&Section::from_yaml("service::telemetry", &text).unwrap()).unwrap_err().to_string()
        };
        let path = "service::telemetry::metrics::readers[0]::pull::exporter::prometheus::tls";
        let (half, strange) = (refused(", tls: {key_file: b}"), refused(", tls: {strange: b}"));
        assert!(half.contains(path), "{half}");
        assert!(strange.contains(&format!("{path}: unknown key \"strange\"")), "{strange}");
    }
}
