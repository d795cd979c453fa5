use serde::Deserialize;
use serde::de::IgnoredAny;
use spanmill_config::{ConfigError, Duration, NullableBlock, Section};

use crate::exporters::otlp_grpc;
use crate::exporters::sending::{RetryOnFailure, SendingQueue};

/// Options of the `load_balancing` exporter.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// Handing a request to all its backends must take no longer; 0: no limit.
    pub(super) timeout: Duration,
    /// What happens to a request that a backend's exporter refuses; off unless `enabled` is said.
    retry_on_failure: Option<RetryOnFailure>,
    /// A queue before all backends; off unless it is written.
    sending_queue: Option<SendingQueue>,
    /// How backends are spoken to.
    pub(super) protocol: Protocol,
    /// How backends are found.
    pub(super) resolver: Resolver,
    /// What decides: `traceID`, `service` or `attributes`.
    routing_key: String,
    /// The attributes, where they do.
    routing_attributes: Vec<String>,
}

/// Options of `protocol`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Protocol {
    /// Those of the `otlp_grpc` exporter; its endpoint is that of each backend.
    pub(super) otlp: otlp_grpc::Config,
}

/// Options of `resolver`: one of them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Resolver {
    /// A list.
    #[serde(rename = "static")]
    pub(super) list: NullableBlock<List>,
    /// The addresses of a name.
    pub(super) dns: NullableBlock<Dns>,
    /// Not supported.
    k8s: NullableBlock<IgnoredAny>,
    /// Not supported.
    aws_cloud_map: NullableBlock<IgnoredAny>,
}

/// Options of `static`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct List {
    /// Hosts, with or without ports.
    pub(super) hostnames: Vec<String>,
}

/// Options of `dns`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Dns {
    /// The name.
    pub(super) hostname: String,
    /// The port of all its addresses; 4317 where it is not given.
    pub(super) port: String,
    /// How often it is looked up; 0: 5 s.
    pub(super) interval: Duration,
    /// How long that may take; 0: 1 s.
    pub(super) timeout: Duration,
}

/// What decides where a span goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    TraceId,
    Attributes(Vec<String>),
}

// === impl Config ===

impl Config {
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        let resolver = &config.resolver;
        let unsupported = [("k8s", resolver.k8s.is_on()), ("aws_cloud_map", resolver.aws_cloud_map.is_on())];
        if let Some((name, _)) = unsupported.into_iter().find(|(_, is_set)| *is_set) {
            return Err(section.error(&format!("resolver::{name}"), "is not supported"));
        }
        match (resolver.list.as_ref(), resolver.dns.as_ref()) {
            (None, None) => return Err(section.error("resolver", "no resolvers specified for the exporter")),
            (Some(_), Some(_)) => return Err(section.error("resolver", "only one resolver should be specified")),
            (Some(list), None) if list.hostnames.is_empty() => {
                let message = "no endpoints specified for the static resolver";
                return Err(section.error("resolver::static::hostnames", message));
            }
            (None, Some(dns)) if dns.hostname.is_empty() => {
                let message = "no hostname specified to resolve the backends";
                return Err(section.error("resolver::dns::hostname", message));
            }
            _ => {}
        }
        let by_attributes = config.routing_key == "attributes";
        if by_attributes && config.routing_attributes.is_empty() {
            let message = "routing_attributes must be specified when routing_key is \"attributes\"";
            return Err(section.error("routing_attributes", message));
        }
        if !by_attributes && !config.routing_attributes.is_empty() {
            let message = "routing_attributes can only be used when routing_key is \"attributes\"";
            return Err(section.error("routing_attributes", message));
        }
        if !matches!(config.routing_key.as_str(), "" | "traceID" | "service" | "attributes") {
            return Err(section.error("routing_key", format!("unsupported routing_key: {}", config.routing_key)));
        }
        config.queue().check(section)?;
        config.retry(section).check(section)?;
        config.protocol.otlp.check(&otlp(section))?;
        if config.protocol.otlp.sending_queue.storage.is_some() {
            // The queue of a backend that is gone would lie there for good.
            let message = "is not supported for single backends: keep the requests of all of them in `sending_queue`";
            return Err(section.error("protocol::otlp::sending_queue::storage", message));
        }
        Ok(config)
    }

    pub(super) fn key(&self) -> Key {
        match self.routing_key.as_str() {
            "service" => Key::Attributes(vec!["service.name".to_owned()]),
            "attributes" => Key::Attributes(self.routing_attributes.clone()),
            _ => Key::TraceId,
        }
    }

    pub(super) fn queue(&self) -> SendingQueue {
        self.sending_queue.clone().unwrap_or(SendingQueue { enabled: false, ..SendingQueue::default() })
    }

    /// Off unless it is said to be on.
    pub(super) fn retry(&self, section: &Section) -> RetryOnFailure {
        let said = section.get("retry_on_failure").is_some_and(|retry| retry.get("enabled").is_some());
        let retry = self.retry_on_failure.clone().unwrap_or_default();
        RetryOnFailure { enabled: said && retry.enabled, ..retry }
    }
}

/// The section of the protocol.
pub(super) fn otlp(section: &Section) -> Section {
    let found = section.get("protocol").and_then(|protocol| protocol.get("otlp"));
    found.unwrap_or_else(|| Section::empty(format!("{}::protocol::otlp", section.path())))
}
