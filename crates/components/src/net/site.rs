//! Pages of extensions, by their options: TLS, and who may see them.

use spanmill_pipeline::{ComponentError, Host, Site};
use spanmill_tls::{Acceptor, ServerTls};

use super::auth::{Gate, HttpAuthConfig};

/// Reads the files of TLS, where it is on.
pub(crate) fn acceptor(tls: Option<&ServerTls>) -> Result<Option<Acceptor>, ComponentError> {
    let acceptor = tls.map(|tls| tls.acceptor(&["http/1.1"])).transpose();
    acceptor.map_err(|error| ComponentError::Other(format!("failed to load TLS config: {error}")))
}

/// Where pages are shown, and to whom.
pub(crate) fn site(
    host: &Host,
    endpoint: &str,
    tls: Option<&ServerTls>,
    auth: Option<&HttpAuthConfig>,
) -> Result<Site, ComponentError> {
    Ok(Site { endpoint: endpoint.to_owned(), tls: acceptor(tls)?, guard: Gate::new(host, auth)?.guard() })
}
