//! Tempo's traces by id, which is what Grafana follows links with.

mod json;
mod routes;

pub use routes::tempo_routes;
