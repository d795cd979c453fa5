//! The Collector's own load generator, as a client that nobody here has written.

use std::process::Command;

use xtask::peers::Peer;

use crate::process::{Running, folder};

/// How telemetrygen sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// OTLP over gRPC.
    Grpc,
    /// OTLP over HTTP, in protobuf.
    Http,
}

/// Sends `traces` traces of two spans each to a port and waits until all were accepted; false where there is no telemetrygen,
/// after saying that `test` was skipped.
pub fn send(test: &str, protocol: Protocol, port: u16, traces: usize) -> bool {
    let Some(binary) = crate::peer(test, Peer::Telemetrygen) else { return false };
    let mut command = Command::new(binary);
    command.args(["traces", "--otlp-insecure", "--rate", "0", "--traces", &traces.to_string()]);
    command.args(["--otlp-endpoint", &format!("127.0.0.1:{port}")]);
    if protocol == Protocol::Http {
        command.arg("--otlp-http");
    }
    let mut process = Running::start("telemetrygen", &mut command, folder("telemetrygen"));
    let status = process.await_end();
    assert!(status.success(), "telemetrygen ended with {status}:\n{}", process.log());
    true
}
