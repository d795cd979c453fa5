//! Clients: whom we trust, and who we are.

use std::io;
use std::sync::Arc;

use rustls::client::{ResolvesClientCert, WebPkiServerVerifier};
use rustls::pki_types::{InvalidDnsNameError, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::pem::{Pems, Source, Sources};
use crate::protocol::Protocol;
use crate::reload::Reloading;
use crate::roots::Authorities;
use crate::verify::{AnyServer, KnownServers};
use crate::{ClientTls, TlsError};

/// Makes connections of a client secure. Cheap to clone.
#[derive(Clone)]
pub struct Connector {
    tls: TlsConnector,
    /// Takes the place of the host.
    name: Option<ServerName<'static>>,
}

/// What comes of a client's files.
pub(crate) struct Files {
    pub(crate) verifier: Arc<WebPkiServerVerifier>,
    /// The certificates of authorities as they were given.
    pub(crate) given: Vec<rustls::pki_types::CertificateDer<'static>>,
    identity: Option<Arc<CertifiedKey>>,
}

/// Presents our certificate, where we have one.
#[derive(Debug)]
struct Ourselves(Arc<Reloading<Files>>);

// === impl ClientTls ===

impl ClientTls {
    /// Reads the files. `alpn` are the protocols that are spoken, the best first.
    ///
    /// # Errors
    ///
    /// Fails when a file cannot be read or does not hold what it should.
    pub fn config(&self, alpn: &[&str]) -> Result<ClientConfig, TlsError> {
        let common = self.common();
        let protocol = Protocol::new(&common)?;
        let (with_system, provider) = (common.system, Arc::clone(&protocol.provider));
        let sources = Sources {
            authorities: common.authorities,
            certificate: common.certificate,
            key: common.key,
            clients: Source::None,
        };
        let make = {
            let provider = Arc::clone(&provider);
            move |pems: &Pems| {
                let authorities = Authorities::new("ca_file", pems.authorities.as_deref(), with_system)?;
                let roots = Arc::new(authorities.roots);
                let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
                let verifier = verifier.map_err(|error| TlsError::new("ca_file", error.to_string()))?;
                let identity = pems.identity(&provider)?.map(Arc::new);
                Ok(Files { verifier, given: authorities.given, identity })
            }
        };
        let files = Arc::new(Reloading::new(sources, common.reload, make)?);
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&protocol.versions);
        let builder = builder.map_err(|error| TlsError::new("min_version", error.to_string()))?.dangerous();
        let builder = if self.insecure_skip_verify {
            builder.with_custom_certificate_verifier(Arc::new(AnyServer::new(&protocol.provider)))
        } else {
            let name = self.name()?;
            builder.with_custom_certificate_verifier(Arc::new(KnownServers { files: Arc::clone(&files), name }))
        };
        let mut config = builder.with_client_cert_resolver(Arc::new(Ourselves(files)));
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(config)
    }

    /// The name that `server_name_override` has.
    fn name(&self) -> Result<Option<ServerName<'static>>, TlsError> {
        let name = &self.server_name_override;
        let parsed = (!name.is_empty()).then(|| server_name(name)).transpose();
        parsed.map_err(|error| TlsError::new("server_name_override", format!("{name:?}: {error}")))
    }

    /// Reads the files, for those who connect by themselves.
    ///
    /// # Errors
    ///
    /// Fails when a file cannot be read or does not hold what it should.
    pub fn connector(&self, alpn: &[&str]) -> Result<Connector, TlsError> {
        Ok(Connector { tls: TlsConnector::from(Arc::new(self.config(alpn)?)), name: self.name()? })
    }
}

/// A name or an address, also in brackets.
fn server_name(host: &str) -> Result<ServerName<'static>, InvalidDnsNameError> {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    ServerName::try_from(host.to_owned())
}

// === impl Connector ===

impl Connector {
    /// Shakes hands with `host`: a name or an address, also in brackets.
    ///
    /// # Errors
    ///
    /// Fails when the host is neither, and when hands are not shaken.
    pub async fn connect<S>(&self, host: &str, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => server_name(host).map_err(io::Error::other)?,
        };
        self.tls.connect(name, stream).await
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("name", &self.name).finish_non_exhaustive()
    }
}

// === impl Ourselves ===

impl ResolvesClientCert for Ourselves {
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let identity = self.0.current().identity.clone()?;
        identity.key.choose_scheme(schemes).is_some().then_some(identity)
    }

    fn has_certs(&self) -> bool {
        self.0.current().identity.is_some()
    }
}
