//! Who may send, and what the pipelines are told of the sender.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;

use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use spanmill_pipeline::{Client, Code, ComponentError, ConsumeError, Host};

use super::config::{Grpc, Http};
use crate::net::auth::{self, ServerAuth};

/// The rules of one listener.
#[derive(Clone, Default)]
pub(super) struct Access {
    authenticator: Option<Arc<dyn ServerAuth>>,
    request_params: Arc<[String]>,
    include_metadata: bool,
    is_grpc: bool,
}

// === impl Access ===

impl Access {
    pub(super) fn over_grpc(config: &Grpc, host: &Host) -> Result<Self, ComponentError> {
        let auth = config.auth.as_ref().map(|auth| auth::server(host, auth.authenticator.as_ref()));
        let (authenticator, include_metadata) = (auth.transpose()?, config.include_metadata);
        Ok(Self { authenticator, request_params: Arc::default(), include_metadata, is_grpc: true })
    }

    pub(super) fn over_http(config: &Http, host: &Host) -> Result<Self, ComponentError> {
        let auth = config.auth.as_ref().map(|auth| auth::server(host, auth.authenticator.as_ref()));
        let request_params = config.auth.as_ref().map(|auth| auth.request_params.iter().cloned().collect());
        let (authenticator, include_metadata) = (auth.transpose()?, config.include_metadata);
        let request_params = request_params.unwrap_or_default();
        Ok(Self { authenticator, request_params, include_metadata, is_grpc: false })
    }

    /// Whether the request may be served. Nothing of its body has been read yet.
    pub(super) async fn admit(&self, head: &Parts) -> Result<(), ConsumeError> {
        let Some(authenticator) = &self.authenticator else { return Ok(()) };
        let admitted = match self.parameters(head) {
            None => authenticator.authenticate(&head.headers).await,
            Some(headers) => authenticator.authenticate(&headers).await,
        };
        admitted.map_err(|error| ConsumeError::permanent(error).with_code(Code::Unauthenticated))
    }

    /// Serves the request, its client known to whoever asks.
    pub(super) async fn serve<F: Future>(&self, head: Parts, address: Option<IpAddr>, serving: F) -> F::Output {
        let headers = self.include_metadata.then(|| {
            let mut headers = head.headers.clone();
            // HTTP/2 has the host in the URI.
            let host = head.uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
            if let Some(host) = host.filter(|_| !headers.contains_key(HOST)) {
                headers.insert(HOST, host);
            }
            headers
        });
        let grpc = self.is_grpc.then_some(head.headers);
        Client { address, headers, grpc }.scope(serving).await
    }

    /// The headers with those parameters of the query that stand for headers; none where there is nothing to add.
    fn parameters(&self, head: &Parts) -> Option<HeaderMap> {
        if self.request_params.is_empty() {
            return None;
        }
        let query = head.uri.query()?;
        let mut headers = head.headers.clone();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let name = self
                .request_params
                .iter()
                .any(|known| *known == name)
                .then(|| HeaderName::from_bytes(name.as_bytes()).ok());
            if let (Some(Some(name)), Ok(value)) = (name, HeaderValue::from_str(&value)) {
                headers.insert(name, value);
            }
        }
        Some(headers)
    }
}
