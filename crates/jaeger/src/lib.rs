//! The span store for front ends of others.
//!
//! * [`service`] and [`serve`]: Jaeger's storage API over gRPC (`jaeger.storage.v2`), so that a stock Jaeger shows what is in the store. What
//!   is typed as a tag's value in its search box may compare: [`Condition`].
//! * [`tempo_routes`]: Tempo's `GET /api/traces/{id}` and `/api/v2/traces/{id}`, which is what Grafana follows links with.

mod chunks;
mod dependencies;
mod error;
mod proto;
mod reader;
mod search;
mod server;
mod tempo;
#[cfg(test)]
mod tests;

pub use search::{Condition, Search, SearchError, Tag};
pub use server::{serve, service};
pub use tempo::tempo_routes;
