//! Python programs with the real SDKs, and the provider they talk to.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::http::Client;
use crate::ports;
use crate::process::{Running, folder};

/// The folder of the Python programs.
pub fn programs() -> PathBuf {
    xtask::cache::root().join("tests/python")
}

/// The interpreter with the pinned packages; where there is no Python, says that `test` was skipped.
pub fn interpreter(test: &str) -> Option<PathBuf> {
    let found = xtask::python::environment().unwrap_or_else(|error| panic!("making the Python environment: {error}"));
    if found.is_none() {
        crate::skipped(test, "no python3");
    }
    found
}

/// A running stand-in for a model provider, which answers by script and remembers what it has served.
#[derive(Debug)]
pub struct Provider {
    port: u16,
    client: Client,
    _process: Running,
}

// === impl Provider ===

impl Provider {
    /// Starts the provider and waits until it listens.
    pub fn start(python: &Path) -> Self {
        let port = ports::free();
        let mut command = Command::new(python);
        command.arg(programs().join("mock_provider.py")).arg(port.to_string());
        let mut process = Running::start("provider", &mut command, folder("provider"));
        process.await_port(port);
        Self { port, client: Client::new(), _process: process }
    }

    /// Where SDKs find it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What was really served so far: one object a call.
    pub fn truth(&self) -> Vec<Value> {
        let answer = self.client.get(&format!("{}/_ctl/truth", self.url()), &[]).expect("the provider answers");
        answer.json().as_array().cloned().expect("the truth is a list")
    }
}
