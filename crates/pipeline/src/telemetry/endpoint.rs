//! Where own metrics are shown.

use spanmill_config::{ConfigError, MetricsTelemetry, Section};
use spanmill_tls::ServerTls;

/// Where Prometheus may read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricEndpoint {
    /// `host:port`.
    pub address: String,
    /// TLS, where it is spoken: an option of our own, `tls` beside `host` and `port`.
    pub tls: Option<ServerTls>,
}

// === impl MetricEndpoint ===

impl MetricEndpoint {
    pub(super) fn read(section: &Section, metrics: &MetricsTelemetry) -> Result<Vec<Self>, ConfigError> {
        let readers = section.get("metrics").and_then(|metrics| metrics.get("readers"));
        let tls = readers.iter().flat_map(Section::items).map(|reader| tls(&reader)).collect::<Result<Vec<_>, _>>()?;
        // Readers that are not written are without TLS.
        let tls_of = |at: usize| tls.get(at).cloned().flatten();
        Ok(metrics.prometheus().map(|(at, reader)| Self { address: reader.address(), tls: tls_of(at) }).collect())
    }
}

/// The option `tls` of a reader.
fn tls(reader: &Section) -> Result<Option<ServerTls>, ConfigError> {
    let prometheus =
        reader.get("pull").and_then(|pull| pull.get("exporter")).and_then(|exporter| exporter.get("prometheus"));
    let Some(section) = prometheus.and_then(|prometheus| prometheus.get("tls")).filter(|tls| !tls.is_null()) else {
        return Ok(None);
    };
    let tls: ServerTls = section.parse()?;
    tls.check(&section, "")?;
    Ok(Some(tls))
}
