//! Who may ask at a port: everybody, or whom an authenticating extension knows, who sees the rows of the tenant that he acts for.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use spanmill_pipeline::auth::{AuthError, Gate};
use tonic::Status;

/// Asks the gate before anything of a request is read, and tells the routes who asks.
pub(crate) fn guarded(routes: Router, gate: Gate) -> Router {
    routes.layer(from_fn_with_state(gate, admit))
}

async fn admit(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    // Nobody but the gate says who it is.
    match gate.admit(&head).await {
        Ok(identity) => {
            head.extensions.insert(identity);
            next.run(Request::from_parts(head, body)).await
        }
        Err(error) => refusal(&head, &error),
    }
}

fn refusal(head: &Parts, error: &AuthError) -> Response {
    let message = error.to_string();
    let kind = head.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if kind.starts_with(b"application/grpc") {
        return match error {
            AuthError::Unknown(_) => Status::unauthenticated(message).into_http(),
            AuthError::Busy(_) => Status::unavailable(message).into_http(),
        };
    }
    let mut response = Response::new(Body::from(serde_json::json!({ "error": message }).to_string()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *response.status_mut() = error.status();
    if matches!(error, AuthError::Unknown(_)) {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
