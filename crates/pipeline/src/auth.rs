//! How requests tell who sends them: what authenticating extensions offer to receivers and exporters, and the `auth` setting of those.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use serde::Deserialize;
use spanmill_config::ComponentId;

use crate::component::ComponentError;
use crate::host::Host;
use crate::pages::Guard;

/// What an authenticating extension offers: the capability that it hands out.
#[derive(Clone, Default)]
pub struct Authenticator {
    /// For receivers.
    pub server: Option<Arc<dyn ServerAuth>>,
    /// For exporters.
    pub client: Option<Arc<dyn ClientAuth>>,
}

/// Decides whether a request may be served.
#[async_trait]
pub trait ServerAuth: Send + Sync {
    /// Who it is.
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Identity, AuthError>;
}

/// Why a request may not be served, as its client is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Nobody knows who sends it.
    #[error("{0}")]
    Unknown(String),
    /// Nobody has the time to find out: the same request may be served later.
    #[error("{0}")]
    Busy(String),
}

/// Who a request is from, as far as an authenticator knows.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// For whom it acts.
    pub tenant: Option<Arc<str>>,
    /// What else is known, by name: `auth.NAME` of `from_context`.
    pub attributes: Option<Arc<BTreeMap<String, String>>>,
}

/// Who may pass, of those who ask a server.
#[derive(Clone, Default)]
pub struct Gate {
    authenticator: Option<Arc<dyn ServerAuth>>,
    request_params: Arc<[String]>,
}

/// Tells a backend who we are.
pub trait ClientAuth: Send + Sync {
    /// Puts it among the headers of a request, as it is now: what it says may change while the process runs, and with the
    /// [client](crate::Client) whose data is sent.
    fn apply(&self, headers: &mut HeaderMap) -> Result<(), CredentialsError>;

    /// Whether it must not travel in the clear, where a protocol cares.
    fn is_secret(&self) -> bool {
        true
    }
}

/// Why a request cannot be sent: it would not tell who we are.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// There is nothing to tell yet.
    #[error("{0}")]
    NotYet(String),
    /// Nothing can be told with this request.
    #[error("{0}")]
    Never(String),
}

/// The `auth` setting of an exporter or a receiver.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthConfig {
    /// The extension that authenticates.
    pub authenticator: Option<ComponentId>,
}

/// The `auth` setting of a receiver over HTTP.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpAuthConfig {
    /// The extension that authenticates.
    pub authenticator: Option<ComponentId>,
    /// Parameters of the query that are taken for headers, and go before them.
    pub request_params: Vec<String>,
}

/// The extension as a server's authenticator.
fn server(host: &Host, id: Option<&ComponentId>) -> Result<Arc<dyn ServerAuth>, ComponentError> {
    let found = resolve(host, id)?.server.clone();
    found.ok_or_else(|| ComponentError::Other("requested authenticator is not a server authenticator".to_owned()))
}

/// The extension as a client's authenticator.
pub fn client(host: &Host, id: Option<&ComponentId>) -> Result<Arc<dyn ClientAuth>, ComponentError> {
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

// === impl AuthError ===

impl AuthError {
    /// What the client is told over HTTP.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unknown(_) => StatusCode::UNAUTHORIZED,
            Self::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl From<String> for AuthError {
    fn from(message: String) -> Self {
        Self::Unknown(message)
    }
}

impl From<&str> for AuthError {
    fn from(message: &str) -> Self {
        Self::Unknown(message.to_owned())
    }
}

// === impl Gate ===

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("authenticator", &self.authenticator.is_some()).finish_non_exhaustive()
    }
}

impl Gate {
    /// Without a configuration everybody may pass.
    pub fn new(host: &Host, config: Option<&HttpAuthConfig>) -> Result<Self, ComponentError> {
        let Some(config) = config else { return Ok(Self::default()) };
        let authenticator = Some(server(host, config.authenticator.as_ref())?);
        Ok(Self { authenticator, request_params: config.request_params.iter().cloned().collect() })
    }

    /// Who asks. Nothing of its body has been read yet.
    pub async fn admit(&self, head: &Parts) -> Result<Identity, AuthError> {
        let Some(authenticator) = &self.authenticator else { return Ok(Identity::default()) };
        match self.parameters(head) {
            None => authenticator.authenticate(&head.headers).await,
            Some(headers) => authenticator.authenticate(&headers).await,
        }
    }

    /// The same for pages; none where everybody may see them.
    pub fn guard(self) -> Option<Guard> {
        self.authenticator.as_ref()?;
        Some(Arc::new(move |head| {
            let gate = self.clone();
            Box::pin(async move { gate.admit(&head).await.map(|_| ()) })
        }))
    }

    /// The headers with those parameters of the query that stand for headers; none where there is nothing to add.
    fn parameters(&self, head: &Parts) -> Option<HeaderMap> {
        if self.request_params.is_empty() {
            return None;
        }
        let query = head.uri.query()?;
        let mut given = HeaderMap::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let name = self
                .request_params
                .iter()
                .any(|known| *known == name)
                .then(|| HeaderName::from_bytes(name.as_bytes()).ok());
            if let (Some(Some(name)), Ok(value)) = (name, HeaderValue::from_str(&value)) {
                // One that is given twice is refused as a header would be.
                given.append(name, value);
            }
        }
        let mut headers = head.headers.clone();
        headers.extend(given);
        Some(headers)
    }
}

impl From<AuthConfig> for HttpAuthConfig {
    fn from(config: AuthConfig) -> Self {
        Self { authenticator: config.authenticator, request_params: Vec::new() }
    }
}
