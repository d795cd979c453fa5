//! End-to-end tests against real backends and recorded real traffic: this library starts processes, waits for them and asks them;
//! the tests are in `tests/`, one story a file. `cargo xtask test` runs them after doing their set-up.
//!
//! Everything listens on loopback at free ports, every wait has a deadline, every process is ended when its value is dropped.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this library exists for tests, which fail by panicking"
)]

pub mod clock;
pub mod collector;
pub mod corpus;
pub mod flight;
pub mod grpc;
pub mod http;
pub mod jaeger;
pub mod load;
pub mod mutate;
pub mod oracle;
pub mod ports;
pub mod process;
pub mod python;
pub mod raw;
pub mod served;
pub mod sink;
pub mod spans;
pub mod telemetrygen;
pub mod tempo;
pub mod wait;

pub use xtask::notes::{figure, skipped};

use std::path::PathBuf;

use xtask::peers::{Found, Peer};

/// The binary of a peer; where it is not to be had, says on behalf of `test` that it was skipped, and why.
pub fn peer(test: &str, peer: Peer) -> Option<PathBuf> {
    match xtask::peers::find(peer).unwrap_or_else(|error| panic!("building {}: {error}", peer.name())) {
        Found::Ready(path) => Some(path),
        Found::Missing(reason) => {
            skipped(test, reason);
            None
        }
    }
}

/// How much of something a test does: a number in the environment, or else the usual one.
pub fn amount(variable: &str, usual: u64) -> u64 {
    let said = std::env::var(variable).ok();
    said.map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{variable}: a number is wanted, not {text:?}")))
}

/// The binary under test.
pub fn spanmill() -> PathBuf {
    xtask::product::binary().unwrap_or_else(|error| panic!("building spanmill: {error}"))
}
