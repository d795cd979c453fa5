//! PostgreSQL's wire protocol: psql, Grafana, and whoever else speaks it, ask the span store.
//!
//! Queries only, within the limits of the [`QueryService`](spanmill_query::QueryService); whoever asks has to say a user's name and
//! password where there are users (SCRAM-SHA-256), and sees the rows of that user's tenant. What drivers send around queries, such as `SET` and `BEGIN`, is answered and does nothing. There is no
//! `pg_catalog`: `information_schema` and `SHOW TABLES` tell what there is.

mod error;
mod frames;
mod handler;
mod parameters;
mod rows;
mod server;
mod startup;
mod statement;

pub use server::serve;

#[cfg(test)]
mod tests;
