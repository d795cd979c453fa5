//! Arrow Flight SQL: ADBC and JDBC drivers, and whoever else speaks it, ask the span store and get Arrow back.
//!
//! Queries only, within the limits of the [`QueryService`]; whoever asks has to say the user's name and password where those are set. The server
//! keeps nothing about its clients: a ticket is the statement, and the handle of a prepared one is the statement with its parameters.

mod access;
mod catalog;
mod handle;
mod server;
mod service;

pub use server::serve;

#[cfg(test)]
mod tests;
