//! Servers: who we are, and which clients may come.

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use rustls::sign::SingleCertAndKey;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use crate::pem::{Pems, Source, Sources};
use crate::protocol::Protocol;
use crate::reload::Reloading;
use crate::roots::Authorities;
use crate::verify::KnownClients;
use crate::{ServerTls, Stream, TlsError};

/// Makes connections of a server secure. Cheap to clone.
#[derive(Clone)]
pub struct Acceptor {
    config: Arc<Reloading<ServerConfig>>,
    failed: Option<Failed>,
}

/// Told of handshakes that failed, by reason: `timeout`, `plaintext`, `certificate`, `incompatible`, `closed` or `other`.
pub type Failed = Arc<dyn Fn(&'static str) + Send + Sync>;

/// How often the authorities of clients are looked at.
const CLIENTS_EVERY: Duration = Duration::from_secs(1);

// === impl ServerTls ===

impl ServerTls {
    /// Reads the files. `alpn` are the protocols that are spoken, the best first.
    ///
    /// # Errors
    ///
    /// Fails when a file cannot be read or does not hold what it should.
    pub fn acceptor(&self, alpn: &[&str]) -> Result<Acceptor, TlsError> {
        let common = self.common();
        let watched = self.client_ca_file_reload && !self.client_ca_file.is_empty();
        let every = [common.reload, watched.then_some(CLIENTS_EVERY)].into_iter().flatten().min();
        let protocol = Protocol::new(&common)?;
        let with_system = common.system;
        let clients = match self.client_ca_file.as_str() {
            "" => Source::None,
            file => Source::File(file.to_owned(), self.client_ca_file_reload),
        };
        let sources =
            Sources { authorities: common.authorities, certificate: common.certificate, key: common.key, clients };
        let alpn: Vec<Vec<u8>> = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let make = move |pems: &Pems| config(pems, &protocol, with_system, &alpn);
        Ok(Acceptor { config: Arc::new(Reloading::new(sources, every, make)?), failed: None })
    }
}

/// A change makes a new configuration, so that no session survives what let it in.
fn config(pems: &Pems, protocol: &Protocol, with_system: bool, alpn: &[Vec<u8>]) -> Result<ServerConfig, TlsError> {
    if let Some(authorities) = &pems.authorities {
        // A server has nobody to verify by them; but what is there must be readable, as with the Collector.
        Authorities::new("ca_file", Some(authorities), false)?;
    }
    let provider = &protocol.provider;
    let identity = pems.identity(provider)?.ok_or_else(|| TlsError::new("cert_file", "there is no certificate"))?;
    let verifier = match &pems.clients {
        None => WebPkiClientVerifier::no_client_auth(),
        Some(clients) => {
            let authorities = Authorities::new("client_ca_file", Some(clients), with_system)?;
            let inner =
                WebPkiClientVerifier::builder_with_provider(Arc::new(authorities.roots), Arc::clone(provider)).build();
            let inner = inner.map_err(|error| TlsError::new("client_ca_file", error.to_string()))?;
            Arc::new(KnownClients { inner, given: authorities.given })
        }
    };
    let builder = ServerConfig::builder_with_provider(Arc::clone(provider));
    let builder = builder.with_protocol_versions(&protocol.versions);
    let builder =
        builder.map_err(|error| TlsError::new("min_version", error.to_string()))?.with_client_cert_verifier(verifier);
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(identity)));
    config.alpn_protocols = alpn.to_vec();
    Ok(config)
}

// === impl Acceptor ===

impl Acceptor {
    /// The same, telling of handshakes that fail.
    #[must_use]
    pub fn on_failure(self, failed: impl Fn(&'static str) + Send + Sync + 'static) -> Self {
        Self { failed: Some(Arc::new(failed)), ..self }
    }

    /// A connection that shakes hands when it is first read or written, within ten seconds.
    pub fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> Stream<S> {
        Stream::handshake(self.current().accept(stream), self.failed.clone())
    }

    /// Goes over to TLS within a connection that is not secure yet, as PostgreSQL's protocol does.
    pub fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: &mut Stream<S>) {
        if let Some(plain) = stream.take_plain() {
            *stream = self.accept(plain);
        }
    }

    /// What accepts the next connection, for those who shake hands by themselves.
    pub fn current(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.current())
    }
}

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acceptor").field("config", &self.config).finish_non_exhaustive()
    }
}
