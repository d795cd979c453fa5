//! The HTTP interface.

mod answer;
mod questions;
mod server;
mod sql;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Extension;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, HeaderValue, header};
use serde_json::json;
use spanmill_pipeline::auth::Identity;

use crate::error::QueryError;
use crate::format::Format;
use crate::service::QueryService;

pub use server::serve;

/// Seconds after which a client that was turned away may try again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// `POST /v1/sql`, `GET /v1/questions` and `GET /v1/questions/NAME`, answered by a service. A request that has an [`Identity`] among its
/// extensions sees the rows of that tenant.
pub fn router(service: QueryService) -> Router {
    Router::new()
        .route("/v1/sql", post(sql::post))
        .route("/v1/questions", get(questions::list))
        .route("/v1/questions/{name}", get(questions::answer))
        .with_state(Arc::new(service))
}

/// What the service has for who asks, where somebody found out who that is.
fn confined(service: &QueryService, asker: Option<Extension<Identity>>) -> QueryService {
    service.confined(asker.and_then(|Extension(identity)| identity.tenant))
}

/// The form of the answer that a request asks for.
fn accepted(headers: &HeaderMap) -> Result<Format, QueryError> {
    let accept = headers.get(header::ACCEPT).map_or(Ok("*/*"), |accept| accept.to_str());
    let accept = accept.map_err(|_| QueryError::Accept("what is no text".to_owned()))?;
    Format::accepted(accept).ok_or_else(|| QueryError::Accept(accept.to_owned()))
}

// === impl QueryError ===

impl IntoResponse for QueryError {
    fn into_response(self) -> Response {
        let mut body = json!({ "error": self.to_string() });
        if let (Some(position), Some(body)) = (self.position(), body.as_object_mut()) {
            body.insert("position".to_owned(), json!(position));
        }
        if let (Self::UnknownQuestion { near, .. }, Some(body)) = (&self, body.as_object_mut()) {
            body.insert("nearest".to_owned(), json!(near));
        }
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if matches!(self, Self::Busy) {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }
}
