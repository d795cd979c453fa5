//! PostgreSQL's wire protocol: psql, Grafana, and whoever else speaks it, ask the span store.
//!
//! Queries only, within the limits of the [`QueryService`](spanmill_query::QueryService); whoever asks has to say a user's name and
//! password where there are users (SCRAM-SHA-256), and sees the rows of that user's tenant. What drivers send around queries, such as `SET` and
//! `BEGIN`, is answered and does nothing. Of `pg_catalog` there are `pg_type` and `pg_namespace`; `information_schema` and `SHOW TABLES` tell
//! what there is to be asked.

mod error;
mod frames;
mod handler;
mod rows;
mod server;
mod settings;
mod startup;
mod statement;
mod transaction;
mod translate;
mod types;
mod values;

pub use server::serve;

#[cfg(test)]
mod tests;
