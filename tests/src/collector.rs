//! Collectors: spanmill and the Go Collector, which are started alike.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use xtask::peers::Peer;

use crate::jaeger::Jaeger;
use crate::ports;
use crate::process::{Running, folder};
use crate::tempo::Tempo;

/// A running collector. Relative paths in its configuration lie in its folder.
#[derive(Debug)]
pub struct Collector {
    /// The process.
    pub process: Running,
}

// === impl Collector ===

impl Collector {
    /// Starts spanmill with this configuration and waits until it listens on all of `ports`.
    pub fn spanmill(config: &str, ports: &[u16]) -> Self {
        Self::start("spanmill", &crate::spanmill(), config, ports)
    }

    /// Starts spanmill with `config/jaeger-and-tempo.yaml`, as it is shipped, between free ports (gRPC, HTTP) and two backends.
    pub fn between(jaeger: &Jaeger, tempo: &Tempo) -> (Self, [u16; 2]) {
        let [grpc, http, health] = ports::several();
        let mut command = Command::new(crate::spanmill());
        command.arg("--config").arg(xtask::cache::root().join("config/jaeger-and-tempo.yaml"));
        command.env("JAEGER_ENDPOINT", format!("127.0.0.1:{}", jaeger.grpc));
        command.env("TEMPO_ENDPOINT", format!("127.0.0.1:{}", tempo.grpc));
        command.arg("--set").arg(format!("receivers.otlp.protocols.grpc.endpoint=127.0.0.1:{grpc}"));
        command.arg("--set").arg(format!("receivers.otlp.protocols.http.endpoint=127.0.0.1:{http}"));
        command.arg("--set").arg(format!("extensions.health_check.endpoint=127.0.0.1:{health}"));
        command.arg("--set").arg("service.telemetry.metrics.level=none");
        let collector = Self::launch("spanmill", &mut command, folder("spanmill"), &[grpc, http, health]);
        (collector, [grpc, http])
    }

    /// Starts the Go Collector, or says that `test` was skipped.
    pub fn otelcol(test: &str, config: &str, ports: &[u16]) -> Option<Self> {
        let binary = crate::peer(test, Peer::Otelcol)?;
        Some(Self::start("otelcol", &binary, config, ports))
    }

    fn start(name: &str, binary: &Path, config: &str, ports: &[u16]) -> Self {
        let folder = folder(name);
        let mut command = Command::new(binary);
        command.arg("--config").arg(write_config(&folder, config));
        Self::launch(name, &mut command, folder, ports)
    }

    /// Starts a collector by a command of one's own and waits until it listens on all of `ports`.
    pub fn launch(name: &str, command: &mut Command, folder: TempDir, ports: &[u16]) -> Self {
        let mut process = Running::start(name, command, folder);
        for port in ports {
            process.await_port(*port);
        }
        Self { process }
    }

    /// Asks it to end; it must flush what it holds and exit with success.
    pub fn stop(&mut self) {
        let status = self.process.terminate();
        assert!(status.success(), "the collector ended with {status}:\n{}", self.process.log());
    }
}

/// Writes a configuration into a folder.
pub fn write_config(folder: &TempDir, config: &str) -> PathBuf {
    let path = folder.path().join("config.yaml");
    fs::write(&path, config).expect("a configuration can be written");
    path
}
