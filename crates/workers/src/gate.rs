//! Who may have plans run: checked before any call.

use spanmill_config::Secret;
use spanmill_query::Access;
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// Lets calls through that show the token.
#[derive(Clone)]
pub(crate) struct Gate(Option<Secret>);

// === impl Gate ===

impl Gate {
    /// A gate; without a token everybody is let through.
    pub(crate) fn new(token: Option<Secret>) -> Self {
        Self(token)
    }
}

impl Interceptor for Gate {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let Some(token) = &self.0 else { return Ok(request) };
        let shown = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        match shown.and_then(|shown| shown.strip_prefix("Bearer ")) {
            Some(shown) if Access::same(shown, token.expose()) => Ok(request),
            _ => Err(Status::unauthenticated("the workers' token is wanted")),
        }
    }
}
