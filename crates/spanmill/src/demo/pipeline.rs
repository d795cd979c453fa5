//! The demo's pipeline: `config/demo.yaml`, with a tap in the place of its exporter.

use std::net::{Ipv4Addr, TcpListener};
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
    port: u16,
}

const CONFIGURATION: &str = include_str!("../../../../config/demo.yaml");

/// Where applications send to if nobody tells them otherwise.
const DEFAULT_PORT: u16 = 4317;

/// How long starting and stopping may take.
const LIMIT: Duration = Duration::from_secs(10);

// === impl Pipeline ===

impl Pipeline {
    /// Starts it, on the default port where that is free, and with a backend beside the tap where one is named. With a backend, which
    /// may stand on the default port of this machine, always on another one.
    pub(super) async fn start(to: Option<&str>) -> Result<Self, DemoError> {
        let wanted = if to.is_none() { DEFAULT_PORT } else { 0 };
        match Self::start_at(wanted, to).await {
            // Between the look at a port and its use, another program may take it.
            Err(DemoError::Start(_)) => Self::start_at(0, to).await,
            started => started,
        }
    }

    async fn start_at(wanted: u16, to: Option<&str>) -> Result<Self, DemoError> {
        let port = port(wanted).map_err(|source| DemoError::Io { what: "no port is free on loopback", source })?;
        let (tap, number) = tap::register();
        let uris: [Uri; 1] = [format!("yaml:{CONFIGURATION}").parse()?];
        let mut sets: Vec<SetFlag> = vec![
            format!("receivers.otlp.protocols.grpc.endpoint=127.0.0.1:{port}").parse()?,
            format!("exporters.demo.tap={number}").parse()?,
        ];
        let mut exporters = "demo".to_owned();
        if let Some(to) = to {
            // Without a queue, a backend that cannot be reached is an error here and now.
            for set in [
                format!("endpoint='{}'", to.replace('\'', "''")),
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
        Ok(Self { graph, tap, port })
    }

    /// The port of its OTLP/gRPC receiver, on loopback.
    pub(super) fn port(&self) -> u16 {
        self.port
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

/// The wanted port if it is free, else any other one.
fn port(wanted: u16) -> std::io::Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)).or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    Ok(listener.local_addr()?.port())
}
