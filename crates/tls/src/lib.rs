#![doc = include_str!("../README.md")]

mod client;
mod error;
mod options;
mod pem;
mod protocol;
mod reload;
mod roots;
mod server;
mod stream;
mod verify;

#[cfg(test)]
mod tests;

pub use client::Connector;
pub use error::TlsError;
pub use options::{ClientTls, ServerTls, Tpm};
pub use server::{Acceptor, Failed};
pub use stream::Stream;
pub use tokio_rustls::client::TlsStream;
