//! The two routes.

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::routing::get;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, TracesData};
use prost::Message;
use serde_json::{Value as Json, json};
use spanmill_pipeline::auth::Identity;
use spanmill_store::{Store, TraceOptions};

use super::json::resource_spans;

/// Which of the two is asked; they differ in what is around the spans, and in what is said of traces that are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// What `/api/v2/traces/{id}` answers in protobuf.
#[derive(Clone, PartialEq, Message)]
struct TraceById {
    #[prost(message, optional, tag = "1")]
    trace: Option<TracesData>,
}

const PROTOBUF: &str = "application/protobuf";

/// `GET /api/traces/{id}` and `GET /api/v2/traces/{id}` as Tempo answers them: protobuf where it is accepted, else JSON. An unknown trace is
/// a 404 of the first and an empty trace of the second.
pub fn tempo_routes(store: Store) -> Router {
    Router::new()
        .route("/api/traces/{id}", get(|store, asker, id, headers| by_id(Version::One, store, asker, id, headers)))
        .route("/api/v2/traces/{id}", get(|store, asker, id, headers| by_id(Version::Two, store, asker, id, headers)))
        .with_state(store)
}

async fn by_id(
    version: Version,
    State(store): State<Store>,
    asker: Option<Extension<Identity>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let Some(id) = full_id(&id) else {
        return answer(
            StatusCode::BAD_REQUEST,
            "text/plain; charset=utf-8",
            "trace IDs can only contain hex characters, 32 at most",
        );
    };
    let store = store.confined(asker.and_then(|Extension(identity)| identity.tenant));
    let found = match store.traces(&[id], &TraceOptions::default()).await {
        Ok(traces) => traces.into_iter().next(),
        Err(error) => {
            tracing::warn!(%error, "a trace could not be read");
            return answer(StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", error.to_string());
        }
    };
    let groups = match (found, version) {
        (Some(trace), _) => trace.resource_spans,
        (None, Version::Two) => Vec::new(),
        (None, Version::One) => return answer(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "trace not found"),
    };
    let accepted = headers.get(header::ACCEPT).and_then(|accepted| accepted.to_str().ok()).unwrap_or_default();
    if accepted.contains(PROTOBUF) {
        answer(StatusCode::OK, PROTOBUF, protobuf(version, groups))
    } else {
        answer(StatusCode::OK, "application/json", json(version, &groups).to_string())
    }
}

fn protobuf(version: Version, resource_spans: Vec<ResourceSpans>) -> Vec<u8> {
    let trace = TracesData { resource_spans };
    match version {
        Version::One => trace.encode_to_vec(),
        Version::Two => TraceById { trace: Some(trace) }.encode_to_vec(),
    }
}

fn json(version: Version, groups: &[ResourceSpans]) -> Json {
    let groups: Vec<Json> = groups.iter().map(resource_spans).collect();
    match (version, groups.is_empty()) {
        (Version::One, _) => json!({"batches": groups}),
        (Version::Two, true) => json!({"trace": {}}),
        (Version::Two, false) => json!({"trace": {"resourceSpans": groups}}),
    }
}

/// An id as it is in the store: Tempo's own answers leave out leading zeros.
fn full_id(id: &str) -> Option<String> {
    let hex = (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| format!("{:0>32}", id.to_ascii_lowercase()))
}

fn answer(status: StatusCode, kind: &str, body: impl Into<Body>) -> Response<Body> {
    let built = Response::builder().status(status).header(header::CONTENT_TYPE, kind).body(body.into());
    built.unwrap_or_default()
}
