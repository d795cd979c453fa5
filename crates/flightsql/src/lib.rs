//! Arrow Flight SQL: ADBC and JDBC drivers, and whoever else speaks it, ask the span store and get Arrow back.
//!
//! Queries only, within the limits of the [`QueryService`]; whoever asks has to say a user's name and password where there are users, and
//! sees the rows of that user's tenant. The server keeps nothing about its clients: a ticket is the statement and the name of its user, and the
//! handle of a prepared one has its parameters as well.

mod access;
mod catalog;
mod handle;
mod server;
mod service;

pub use server::serve;

#[cfg(test)]
mod tests;
