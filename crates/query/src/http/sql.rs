//! `POST /v1/sql`.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::Value;
use spanmill_config::Duration;
use spanmill_pipeline::auth::Identity;

use super::answer::response;
use super::{accepted, confined};
use crate::error::QueryError;
use crate::parameter::Parameters;
use crate::service::{QueryService, Request};

/// The body, where it is JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    sql: String,
    #[serde(default)]
    params: Value,
    max_rows: Option<u64>,
    timeout: Option<String>,
    tenant: Option<String>,
}

/// A body may be larger than its SQL: quotes are escaped in JSON, and parameters come with it.
const BODY_PER_TEXT: usize = 4;

pub(super) async fn post(
    State(service): State<Arc<QueryService>>,
    asker: Option<Extension<Identity>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let service = confined(&service, asker);
    answer(&service, &headers, body).await.unwrap_or_else(IntoResponse::into_response)
}

async fn answer(service: &QueryService, headers: &HeaderMap, body: Body) -> Result<Response, QueryError> {
    let started = Instant::now();
    let format = accepted(headers)?;
    let limits = service.limits();
    let most = limits.text.saturating_mul(BODY_PER_TEXT);
    let body = to_bytes(body, most).await.map_err(|_| QueryError::TooLong { bytes: most + 1, most })?;
    let rows = service.run(read(&body)?).await?;
    response(rows, format, limits.bytes, started).await
}

/// JSON begins with a brace, which no statement does; whatever the content type says, as curl says that it sends a form.
fn read(body: &[u8]) -> Result<Request, QueryError> {
    let text = std::str::from_utf8(body).map_err(|_| QueryError::Request("the body is not UTF-8".to_owned()))?;
    if !text.trim_start().starts_with('{') {
        return Ok(Request { sql: text.to_owned(), ..Request::default() });
    }
    let Wanted { sql, params, max_rows, timeout, tenant } =
        serde_json::from_str(text).map_err(|error| QueryError::Request(format!("the body: {error}")))?;
    let timeout = timeout.map(|text| {
        let read = text.parse::<Duration>().ok().and_then(Duration::positive);
        read.ok_or_else(|| QueryError::Request(format!("timeout: {text:?} is no time; 30s and 1m are some")))
    });
    let parameters = Parameters::from_json(&params)?;
    Ok(Request { sql, parameters, tenant, max_rows, timeout: timeout.transpose()? })
}
