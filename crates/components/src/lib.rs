//! Receivers, processors, connectors, exporters and extensions. A component is a folder: `mod.rs` says what it does,
//! `config.rs` holds its options with their defaults, `README.md` is its reference. Each is known by one constant
//! `FACTORY`.

mod client;
mod gates;
mod memory;
mod net;
mod part;
mod partition;
mod records;
mod storage;

pub mod connectors;
pub mod exporters;
pub mod extensions;
pub mod processors;
pub mod receivers;
