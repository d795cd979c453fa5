//! Who may send, and what the pipelines are told of the sender.

use std::future::Future;
use std::net::IpAddr;

use http::HeaderValue;
use http::header::HOST;
use http::request::Parts;
use prometheus::IntCounter;
use spanmill_pipeline::auth::{AuthError, Gate, HttpAuthConfig, Identity};
use spanmill_pipeline::{Client, Code, ComponentError, ConsumeError, Host};

use super::config::{Grpc, Http};
use super::gate::{self, later};
use super::refusals::Reason;

/// The rules of one listener.
#[derive(Clone)]
pub(super) struct Access {
    gate: Gate,
    include_metadata: bool,
    is_grpc: bool,
    /// Requests of whom may not.
    refused: IntCounter,
}

// === impl Access ===

impl Access {
    pub(super) fn over_grpc(config: &Grpc, refused: &IntCounter, host: &Host) -> Result<Self, ComponentError> {
        let auth = config.auth.as_ref().cloned().map(HttpAuthConfig::from);
        let (gate, include_metadata) = (Gate::new(host, auth.as_ref())?, config.include_metadata);
        Ok(Self { gate, include_metadata, is_grpc: true, refused: refused.clone() })
    }

    pub(super) fn over_http(config: &Http, refused: &IntCounter, host: &Host) -> Result<Self, ComponentError> {
        let (gate, include_metadata) = (Gate::new(host, config.auth.as_ref())?, config.include_metadata);
        Ok(Self { gate, include_metadata, is_grpc: false, refused: refused.clone() })
    }

    /// Who asks, where the request may be served. Nothing of its body has been read yet.
    pub(super) async fn admit(&self, head: &Parts, limits: &gate::Gate) -> Result<Identity, ConsumeError> {
        let admitted = self.gate.admit(head).await;
        admitted.map_err(|error| match error {
            AuthError::Unknown(message) => {
                self.refused.inc();
                ConsumeError::permanent(message).with_code(Code::Unauthenticated)
            }
            AuthError::Busy(message) => limits.refuse(Reason::Unverified, later(message)),
        })
    }

    /// Serves the request, its client known to whoever asks.
    pub(super) async fn serve<F: Future>(
        &self,
        head: Parts,
        address: Option<IpAddr>,
        identity: Identity,
        serving: F,
    ) -> F::Output {
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
        Client { address, headers, grpc, tenant: identity.tenant, auth: identity.attributes }.scope(serving).await
    }
}
