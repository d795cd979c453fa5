use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;
use serde::de::IgnoredAny;
use spanmill_config::{ConfigError, Duration, Headers, NullableBlock, Section, Value};
use spanmill_pipeline::auth::HttpAuthConfig;
use spanmill_tls::ServerTls;

use super::names::{LabelNamer, MetricNamer};
use crate::exporters::sending::SendingQueue;
use crate::net::compression::Compression;
use crate::net::site;

/// Options of the `prometheus` exporter. As with the Collector's, keys that are not known are passed over, with a warning.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(super) struct Config {
    /// Where to listen: `host:port`. Required.
    pub(super) endpoint: String,
    /// `tcp`, `tcp4` or `tcp6`.
    transport: String,
    /// TLS; without it everything is sent in the clear.
    pub(super) tls: NullableBlock<ServerTls>,
    cors: NullableBlock<IgnoredAny>,
    /// Who may see the page.
    pub(super) auth: NullableBlock<HttpAuthConfig>,
    middlewares: Vec<IgnoredAny>,
    /// Accepted: nothing is sent to the page.
    max_request_body_size: i64,
    include_metadata: bool,
    compression_algorithms: Vec<Compression>,
    /// Headers of every answer.
    pub(super) response_headers: Headers,
    read_timeout: Duration,
    /// How long a client may take to ask.
    pub(super) read_header_timeout: Duration,
    write_timeout: Duration,
    idle_timeout: Duration,
    /// Whether a connection serves more than one request.
    pub(super) keep_alives_enabled: bool,
    /// A queue before the page; without it the page is up to date when a request is answered.
    pub(super) sending_queue: Option<SendingQueue>,
    /// What the names of metrics begin with.
    pub(super) namespace: String,
    /// Labels of every metric.
    pub(super) const_labels: BTreeMap<String, String>,
    /// Whether samples carry the time of their data point.
    pub(super) send_timestamps: bool,
    /// How long a series is shown without a new data point.
    pub(super) metric_expiration: Duration,
    /// Which resource attributes become labels; `resource_constant_labels` replaces it.
    resource_to_telemetry_conversion: Resources,
    /// Which resource attributes become labels.
    resource_constant_labels: Resources,
    /// Whether OpenMetrics is spoken to who asks for it.
    pub(super) enable_open_metrics: bool,
    /// Leaves out the labels that tell the instrumentation scope.
    pub(super) without_scope_info: bool,
    /// Whether names get suffixes for unit and type; `translation_strategy` replaces it.
    add_metric_suffixes: bool,
    /// How names are made.
    translation_strategy: Strategy,
}

/// Resource attributes, by patterns with `*` and `?`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Resources {
    included: Vec<String>,
    excluded: Vec<String>,
    enabled: bool,
    exclude_service_attributes: bool,
}

/// How names of metrics and labels are made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
enum Strategy {
    #[default]
    #[serde(rename = "")]
    Default,
    UnderscoreEscapingWithSuffixes,
    UnderscoreEscapingWithoutSuffixes,
    #[serde(rename = "NoUTF8EscapingWithSuffixes")]
    NoUtf8EscapingWithSuffixes,
    NoTranslation,
}

/// Which resource attributes become labels.
#[derive(Debug, Default)]
pub(super) enum Selection {
    #[default]
    None,
    All,
    /// All but `service.name`, `.namespace` and `.instance.id`.
    AllButService,
    Patterns {
        included: Vec<Regex>,
        excluded: Vec<Regex>,
    },
}

/// All options.
const KNOWN: [&str; 26] = [
    "endpoint",
    "transport",
    "tls",
    "cors",
    "auth",
    "middlewares",
    "max_request_body_size",
    "include_metadata",
    "compression_algorithms",
    "response_headers",
    "read_timeout",
    "read_header_timeout",
    "write_timeout",
    "idle_timeout",
    "keep_alives_enabled",
    "sending_queue",
    "namespace",
    "const_labels",
    "send_timestamps",
    "metric_expiration",
    "resource_to_telemetry_conversion",
    "resource_constant_labels",
    "enable_open_metrics",
    "without_scope_info",
    "add_metric_suffixes",
    "translation_strategy",
];

// === impl Config ===

impl Config {
    /// Reads and checks the options.
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        if config.endpoint.trim().is_empty() {
            let message = "expecting a non-blank address to run the Prometheus metrics handler";
            return Err(section.error("endpoint", message));
        }
        if !matches!(config.transport.as_str(), "tcp" | "tcp4" | "tcp6") {
            return Err(section.error("transport", "only tcp is supported"));
        }
        site::check(section, "", config.tls.as_ref(), &config.middlewares)?;
        let (old, new) = (&config.resource_to_telemetry_conversion, &config.resource_constant_labels);
        if new.enabled || new.exclude_service_attributes {
            let message =
                "enabled and exclude_service_attributes are not supported here; use included and excluded instead";
            return Err(section.error("resource_constant_labels", message));
        }
        if *old != Resources::default() && *new != Resources::default() {
            let message = "cannot configure both resource_to_telemetry_conversion and resource_constant_labels; the former is deprecated";
            return Err(section.error("resource_to_telemetry_conversion", message));
        }
        if (old.enabled || old.exclude_service_attributes) && !(old.included.is_empty() && old.excluded.is_empty()) {
            let message = "cannot configure both enabled or exclude_service_attributes and patterns";
            return Err(section.error("resource_to_telemetry_conversion", message));
        }
        if let (Some(queue), Some(given)) = (&config.sending_queue, section.get("sending_queue")) {
            queue.check(section)?;
            // Here these have no defaults, as with the Collector's.
            for option in ["num_consumers", "queue_size"] {
                if queue.enabled && given.get(option).is_none() {
                    return Err(section.error("sending_queue", format!("`{option}` must be positive")));
                }
            }
        }
        Ok(config)
    }

    /// Keys that mean nothing.
    pub(super) fn unknown_keys(section: &Section) -> Vec<String> {
        match section.node().value() {
            Value::Map(map) => map.keys().filter(|key| !KNOWN.contains(&key.as_str())).cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// Whether a deprecated form is used.
    pub(super) fn is_deprecated(&self) -> bool {
        self.resource_to_telemetry_conversion != Resources::default()
    }

    /// Which resource attributes become labels.
    pub(super) fn selection(&self) -> Selection {
        let both = [&self.resource_constant_labels, &self.resource_to_telemetry_conversion];
        let Some(chosen) = both.into_iter().find(|resources| **resources != Resources::default()) else {
            return Selection::None;
        };
        if !chosen.included.is_empty() || !chosen.excluded.is_empty() {
            let patterns = |texts: &[String]| texts.iter().filter_map(|text| wildcard(text)).collect();
            return Selection::Patterns { included: patterns(&chosen.included), excluded: patterns(&chosen.excluded) };
        }
        match (chosen.enabled, chosen.exclude_service_attributes) {
            (true, false) => Selection::All,
            (true, true) => Selection::AllButService,
            (false, _) => Selection::None,
        }
    }

    /// Suffixes, and names of any characters.
    fn translation(&self) -> (bool, bool) {
        match self.translation_strategy {
            // The Collector does not look at `add_metric_suffixes` any more.
            Strategy::Default | Strategy::UnderscoreEscapingWithSuffixes => (true, false),
            Strategy::UnderscoreEscapingWithoutSuffixes => (false, false),
            Strategy::NoUtf8EscapingWithSuffixes => (true, true),
            Strategy::NoTranslation => (false, true),
        }
    }

    /// Makes the names of metrics.
    pub(super) fn metric_namer(&self) -> MetricNamer {
        let (suffixes, utf8) = self.translation();
        MetricNamer { namespace: self.namespace.clone(), suffixes, utf8 }
    }

    /// Makes the names of labels.
    pub(super) fn label_namer(&self) -> LabelNamer {
        LabelNamer { utf8: self.translation().1 }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            transport: "tcp".to_owned(),
            tls: NullableBlock::default(),
            cors: NullableBlock::default(),
            auth: NullableBlock::default(),
            middlewares: Vec::new(),
            max_request_body_size: 0,
            include_metadata: false,
            compression_algorithms: Vec::new(),
            response_headers: Headers::default(),
            read_timeout: Duration::ZERO,
            read_header_timeout: Duration::from_secs(60),
            write_timeout: Duration::ZERO,
            idle_timeout: Duration::ZERO,
            keep_alives_enabled: true,
            sending_queue: None,
            namespace: String::new(),
            const_labels: BTreeMap::new(),
            send_timestamps: false,
            metric_expiration: Duration::from_secs(300),
            resource_to_telemetry_conversion: Resources::default(),
            resource_constant_labels: Resources::default(),
            enable_open_metrics: false,
            without_scope_info: false,
            add_metric_suffixes: true,
            translation_strategy: Strategy::default(),
        }
    }
}

fn wildcard(text: &str) -> Option<Regex> {
    let escaped = regex::escape(text).replace("\\*", ".*").replace("\\?", ".");
    Regex::new(&format!("(?s)^{escaped}$")).ok()
}

// === impl Selection ===

impl Selection {
    /// Whether an attribute becomes a label.
    pub(super) fn takes(&self, key: &str) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::AllButService => !matches!(key, "service.name" | "service.namespace" | "service.instance.id"),
            Self::Patterns { included, excluded } => {
                !excluded.iter().any(|pattern| pattern.is_match(key))
                    && (included.is_empty() || included.iter().any(|pattern| pattern.is_match(key)))
            }
        }
    }
}
