//! How requests tell who sends them: what authenticating extensions offer to receivers and exporters, and the `auth` setting of those.

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use spanmill_config::ComponentId;
use spanmill_pipeline::{ComponentError, Host};

/// What an authenticating extension offers: the capability that it hands out.
#[derive(Clone, Default)]
pub(crate) struct Authenticator {
    /// For receivers.
    pub(crate) server: Option<Arc<dyn ServerAuth>>,
    /// For exporters.
    pub(crate) client: Option<Arc<dyn ClientAuth>>,
}

/// Decides whether a request may be served.
#[async_trait]
pub(crate) trait ServerAuth: Send + Sync {
    /// Fails with what the client is told.
    async fn authenticate(&self, headers: &HeaderMap) -> Result<(), String>;
}

/// Tells a backend who we are.
pub(crate) trait ClientAuth: Send + Sync {
    /// The header to send now: what it says may change while the process runs. Fails where there is nothing to send.
    fn header(&self) -> Result<(HeaderName, HeaderValue), String>;
}

/// The `auth` setting of an exporter or a receiver.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AuthConfig {
    /// The extension that authenticates.
    pub(crate) authenticator: Option<ComponentId>,
}

/// The `auth` setting of a receiver over HTTP.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HttpAuthConfig {
    /// The extension that authenticates.
    pub(crate) authenticator: Option<ComponentId>,
    /// Parameters of the query that are taken for headers, and go before them.
    pub(crate) request_params: Vec<String>,
}

/// The extension as a server's authenticator.
pub(crate) fn server(host: &Host, id: Option<&ComponentId>) -> Result<Arc<dyn ServerAuth>, ComponentError> {
    let found = resolve(host, id)?.server.clone();
    found.ok_or_else(|| ComponentError::Other("requested authenticator is not a server authenticator".to_owned()))
}

/// The extension as a client's authenticator.
pub(crate) fn client(host: &Host, id: Option<&ComponentId>) -> Result<Arc<dyn ClientAuth>, ComponentError> {
    let found = resolve(host, id)?.client.clone();
    found.ok_or_else(|| ComponentError::Other("requested authenticator is not a client authenticator".to_owned()))
}

fn resolve(host: &Host, id: Option<&ComponentId>) -> Result<Arc<Authenticator>, ComponentError> {
    let name = id.map(ToString::to_string).unwrap_or_default();
    let missing =
        || ComponentError::Other(format!("failed to resolve authenticator {name:?}: authenticator not found"));
    id.and_then(|id| host.capability::<Authenticator>(id)).ok_or_else(missing)
}

// === impl Authenticator ===

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { server, client } = self;
        f.debug_struct("Authenticator").field("server", &server.is_some()).field("client", &client.is_some()).finish()
    }
}
