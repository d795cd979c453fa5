//! The demo's pipeline: `config/demo.yaml`, with a tap beside its exporter.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use spanmill_config::{Document, Providers, SetFlag, Uri, load};
use spanmill_pipeline::{Factories, Graph, Level, Telemetry};
use tokio::sync::mpsc;

use super::error::DemoError;
use super::findings::Findings;
use super::tap::{self, Tap};
use crate::factories::FACTORIES;

/// A running pipeline.
pub(super) struct Pipeline {
    graph: Graph,
    tap: Arc<Tap>,
    ports: Ports,
}

/// Where it listens on loopback.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    /// For OTLP over gRPC.
    pub(super) grpc: u16,
    /// For SQL over HTTP.
    pub(super) sql: u16,
}

const CONFIGURATION: &str = include_str!("../../../../config/demo.yaml");

/// Where applications send to, and questions are put, if nobody tells otherwise.
const DEFAULT_PORTS: Ports = Ports { grpc: 4317, sql: 4320 };

/// How long starting and stopping may take.
const LIMIT: Duration = Duration::from_secs(10);

// === impl Pipeline ===

impl Pipeline {
    /// Starts it, on the default ports where those are free, and with a backend beside the tap where one is named. With a backend, which
    /// may stand on the default port of this machine, always on another one.
    pub(super) async fn start(to: Option<&str>, store: &Path) -> Result<Self, DemoError> {
        let wanted = Ports { grpc: if to.is_none() { DEFAULT_PORTS.grpc } else { 0 }, ..DEFAULT_PORTS };
        match Self::start_at(wanted, to, store).await {
            // Between the look at a port and its use, another program may take it.
            Err(DemoError::Start(_)) => Self::start_at(Ports { grpc: 0, sql: 0 }, to, store).await,
            started => started,
        }
    }

    /// Starts it on these ports, or others where they are taken.
    pub(super) async fn start_at(wanted: Ports, to: Option<&str>, store: &Path) -> Result<Self, DemoError> {
        let none_free = |source| DemoError::Io { what: "no port is free on loopback", source };
        let ports = Ports { grpc: port(wanted.grpc).map_err(none_free)?, sql: port(wanted.sql).map_err(none_free)? };
        let (tap, number) = tap::register();
        let uris: [Uri; 1] = [format!("yaml:{CONFIGURATION}").parse()?];
        let mut sets: Vec<SetFlag> = vec![
            format!("receivers.otlp.protocols.grpc.endpoint=127.0.0.1:{}", ports.grpc).parse()?,
            format!("exporters.spanstore.sql.endpoint=127.0.0.1:{}", ports.sql).parse()?,
            format!("exporters.spanstore.path={}", quoted(&store.to_string_lossy())).parse()?,
            format!("exporters.demo.tap={number}").parse()?,
        ];
        let mut exporters = "demo, spanstore".to_owned();
        if let Some(to) = to {
            // Without a queue, a backend that cannot be reached is an error here and now.
            for set in [
                format!("endpoint={}", quoted(to)),
                format!("tls.insecure={}", !to.starts_with("https:")),
                "sending_queue.enabled=false".to_owned(),
                "retry_on_failure.enabled=false".to_owned(),
            ] {
                sets.push(format!("exporters.otlp_grpc.{set}").parse()?);
            }
            exporters.push_str(", otlp_grpc");
        }
        sets.push(format!("service.pipelines.traces.exporters=[{exporters}]").parse()?);

        let resolved = load(&uris, &sets, &Providers::from_process())?;
        let document = Document::from_tree(resolved.tree)?;
        let graph = Graph::build(&document, &factories(), &Telemetry::new(Level::None))?;
        // Nothing in this pipeline fails for good once it has started.
        let (fatal, _) = mpsc::unbounded_channel();
        graph.start(fatal, LIMIT).await?;
        Ok(Self { graph, tap, ports })
    }

    /// Where it listens.
    pub(super) fn ports(&self) -> Ports {
        self.ports
    }

    /// Stops it, and says what came out at its end.
    pub(super) async fn stop(self) -> Result<Findings, DemoError> {
        self.graph.shutdown(LIMIT).await?;
        Ok(self.tap.take())
    }
}

/// The table of components, and the tap.
fn factories() -> Factories {
    let exporters = [FACTORIES.exporters, &[tap::FACTORY]].concat();
    // Factories live as long as the program, which plays one demo.
    Factories { exporters: exporters.leak(), ..FACTORIES }
}

/// A text as YAML reads it back.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The wanted port if it is free, else any other one.
fn port(wanted: u16) -> std::io::Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)).or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    Ok(listener.local_addr()?.port())
}
