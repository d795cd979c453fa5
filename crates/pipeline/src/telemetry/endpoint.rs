//! Where own metrics are shown.

use serde::Deserialize;
use spanmill_config::{ConfigError, MetricsTelemetry, PrometheusReader, Section};
use spanmill_tls::ServerTls;

/// Where Prometheus may read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricEndpoint {
    /// `host:port`.
    pub address: String,
    /// TLS, where it is spoken: an option of our own, `tls` beside `host` and `port`.
    pub tls: Option<ServerTls>,
}

/// The way to `tls` in the section.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Secured {
    metrics: SecuredMetrics,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SecuredMetrics {
    readers: Vec<SecuredReader>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SecuredReader {
    pull: Option<SecuredPull>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SecuredPull {
    exporter: SecuredExporter,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SecuredExporter {
    prometheus: Option<SecuredPrometheus>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SecuredPrometheus {
    tls: Option<ServerTls>,
}

// === impl MetricEndpoint ===

impl MetricEndpoint {
    pub(super) fn read(section: &Section, metrics: &MetricsTelemetry) -> Result<Vec<Self>, ConfigError> {
        let readers = section.parse::<Secured>()?.metrics.readers.into_iter();
        let mut tls = Vec::new();
        for (index, reader) in readers.enumerate() {
            let Some(prometheus) = reader.pull.and_then(|pull| pull.exporter.prometheus) else { continue };
            if let Some(tls) = &prometheus.tls {
                tls.check(section, &format!("metrics::readers[{index}]::pull::exporter::prometheus::tls"))?;
            }
            tls.push(prometheus.tls);
        }
        // Readers that are not written are without TLS.
        let tls = tls.into_iter().chain(std::iter::repeat(None));
        let addresses = metrics.prometheus().map(PrometheusReader::address);
        Ok(addresses.zip(tls).map(|(address, tls)| Self { address, tls }).collect())
    }
}
