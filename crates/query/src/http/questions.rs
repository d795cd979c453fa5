//! `GET /v1/questions` and `GET /v1/questions/NAME`.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use serde_json::json;
use spanmill_pipeline::auth::Identity;
use url::form_urlencoded;

use super::answer::response;
use super::{accepted, confined};
use crate::error::QueryError;
use crate::question::Question;
use crate::service::QueryService;

pub(super) async fn list() -> Response {
    let mut response = Response::new(Body::from(json!({ "questions": Question::all() }).to_string()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub(super) async fn answer(
    State(service): State<Arc<QueryService>>,
    asker: Option<Extension<Identity>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let (service, query) = (confined(&service, asker), query.unwrap_or_default());
    asked(&service, &name, &query, &headers).await.unwrap_or_else(IntoResponse::into_response)
}

async fn asked(service: &QueryService, name: &str, query: &str, headers: &HeaderMap) -> Result<Response, QueryError> {
    let started = Instant::now();
    let format = accepted(headers)?;
    let question = Question::named(name)?;
    let request = question.request(form_urlencoded::parse(query.as_bytes()), Timestamp::now())?;
    let rows = service.run(request).await?;
    response(rows, format, service.limits().bytes, started).await
}
