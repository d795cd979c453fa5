//! The Go programs that the end-to-end tests talk to, built once by the recipes in `tests/peers`.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::cache::{self, Lock};
use crate::command::{self, TaskError};

/// When set and not empty, no peer is built or used.
pub const DISABLED_VARIABLE: &str = "SPANMILL_NO_PEERS";

/// A program that spanmill is tested against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// The OpenTelemetry Collector.
    Otelcol,
    /// The Collector's load generator.
    Telemetrygen,
    /// Jaeger, with its store in memory.
    Jaeger,
    /// Tempo, in one process.
    Tempo,
}

/// Whether a peer is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Its binary.
    Ready(PathBuf),
    /// It is not there, for this reason: `no go`, or `no peers wanted`.
    Missing(&'static str),
}

/// All peers, in the order in which they are built.
pub const ALL: [Peer; 4] = [Peer::Otelcol, Peer::Telemetrygen, Peer::Jaeger, Peer::Tempo];

/// The folder of the built binaries.
pub fn dir() -> PathBuf {
    cache::dir().join("peers")
}

/// The peer's binary, built now if it is not there yet or its recipe has changed (minutes, some gigabytes in Go's caches).
pub fn find(peer: Peer) -> Result<Found, TaskError> {
    if std::env::var_os(DISABLED_VARIABLE).is_some_and(|value| !value.is_empty()) {
        return Ok(Found::Missing("no peers wanted"));
    }
    let binary = dir().join(peer.name());
    if !has_go() {
        let there = binary.is_file();
        return Ok(if there { Found::Ready(binary) } else { Found::Missing("no go") });
    }
    let _lock = Lock::acquire("peers")?;
    command::run(&mut peer.recipe())?;
    Ok(Found::Ready(binary))
}

/// Whether there is a Go toolchain on the path.
pub fn has_go() -> bool {
    let asked =
        Command::new("go").arg("version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

// === impl Peer ===

impl Peer {
    /// The name of its binary.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Otelcol => "otelcol",
            Self::Telemetrygen => "telemetrygen",
            Self::Jaeger => "jaeger",
            Self::Tempo => "tempo",
        }
    }

    /// The command that builds it, and does nothing where it is up to date.
    fn recipe(self) -> Command {
        let recipes = cache::root().join("tests/peers");
        let mut command = Command::new("bash");
        match self {
            Self::Otelcol | Self::Telemetrygen => command.arg(recipes.join("build-otelcol.sh")),
            Self::Jaeger | Self::Tempo => command.arg(recipes.join("build-backend.sh")).arg(self.name()),
        };
        command.arg(dir()).stdin(Stdio::null());
        command
    }
}
