//! The authorities that are trusted.

use std::sync::OnceLock;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use crate::TlsError;
use crate::pem::certificates;

/// Authorities, and their certificates as they were given.
pub(crate) struct Authorities {
    pub(crate) roots: RootCertStore,
    pub(crate) given: Vec<CertificateDer<'static>>,
}

/// The system's, read once: there are some hundred and fifty.
static SYSTEM: OnceLock<RootCertStore> = OnceLock::new();

/// The system's authorities; Mozilla's where it has none, as in an empty container image.
fn system() -> RootCertStore {
    let load = || {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        roots
    };
    SYSTEM.get_or_init(load).clone()
}

// === impl Authorities ===

impl Authorities {
    /// Those in `pem`, and the system's where nothing is given or they are wanted too.
    pub(crate) fn new(option: &'static str, pem: Option<&[u8]>, with_system: bool) -> Result<Self, TlsError> {
        let given = pem.map(|pem| certificates(option, pem)).transpose()?;
        let mut roots = if with_system || given.is_none() { system() } else { RootCertStore::empty() };
        let given = given.unwrap_or_default();
        for certificate in &given {
            let failed = |error| TlsError::new(option, format!("failed to parse cert: {error}"));
            roots.add(certificate.clone()).map_err(failed)?;
        }
        Ok(Self { roots, given })
    }
}
