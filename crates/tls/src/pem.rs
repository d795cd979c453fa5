//! Certificates and keys: where they come from, and what is in them.

use std::fs::File;
use std::io::{self, Read};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, Error, InconsistentKeys};
use spanmill_config::Secret;

use crate::TlsError;

/// Where PEM text comes from.
#[derive(Clone)]
pub(crate) enum Source {
    None,
    Inline(Secret),
    /// A file, and whether it is looked at again.
    File(String, bool),
}

/// All sources of a server or a client.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) authorities: Source,
    pub(crate) certificate: Source,
    pub(crate) key: Source,
    pub(crate) clients: Source,
}

/// What they hold.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Pems {
    pub(crate) authorities: Option<Vec<u8>>,
    pub(crate) certificate: Option<Vec<u8>>,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) clients: Option<Vec<u8>>,
}

/// The bundles of operating systems have some 250 KiB.
const MOST: u64 = 4 << 20;

// === impl Source ===

impl Source {
    pub(crate) fn new(file: &str, inline: &Secret, watched: bool) -> Self {
        if !inline.is_empty() {
            Self::Inline(inline.clone())
        } else if file.is_empty() {
            Self::None
        } else {
            Self::File(file.to_owned(), watched)
        }
    }

    pub(crate) fn is_given(&self) -> bool {
        !matches!(self, Self::None)
    }

    fn read(&self, option: &'static str) -> Result<Option<Vec<u8>>, TlsError> {
        match self {
            Self::None => Ok(None),
            Self::Inline(text) => Ok(Some(text.expose().as_bytes().to_vec())),
            Self::File(path, _) => {
                let failed = |error| TlsError::new(option, format!("failed to load {path}: {error}"));
                read(path).map(Some).map_err(failed)
            }
        }
    }

    /// Reads again what is to be looked at again.
    fn read_again(&self, option: &'static str, before: Option<&Vec<u8>>) -> Result<Option<Vec<u8>>, TlsError> {
        if matches!(self, Self::File(_, true)) { self.read(option) } else { Ok(before.cloned()) }
    }
}

fn read(path: &str) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(MOST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MOST {
        return Err(io::Error::other(format!("larger than {MOST} bytes")));
    }
    Ok(text)
}

// === impl Sources ===

impl Sources {
    pub(crate) fn read(&self) -> Result<Pems, TlsError> {
        Ok(Pems {
            authorities: self.authorities.read("ca_file")?,
            certificate: self.certificate.read("cert_file")?,
            key: self.key.read("key_file")?,
            clients: self.clients.read("client_ca_file")?,
        })
    }

    pub(crate) fn read_again(&self, before: &Pems) -> Result<Pems, TlsError> {
        Ok(Pems {
            authorities: self.authorities.read_again("ca_file", before.authorities.as_ref())?,
            certificate: self.certificate.read_again("cert_file", before.certificate.as_ref())?,
            key: self.key.read_again("key_file", before.key.as_ref())?,
            clients: self.clients.read_again("client_ca_file", before.clients.as_ref())?,
        })
    }
}

// === impl Pems ===

impl Pems {
    /// Our certificate with its key, where there is one.
    pub(crate) fn identity(&self, provider: &CryptoProvider) -> Result<Option<CertifiedKey>, TlsError> {
        let (Some(certificate), Some(key)) = (&self.certificate, &self.key) else { return Ok(None) };
        let chain = certificates("cert_file", certificate)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| TlsError::new("key_file", error.to_string()))?;
        let failed = |error| TlsError::new("cert_file", format!("failed to load TLS cert and key: {error}"));
        let identity = CertifiedKey::new(chain, provider.key_provider.load_private_key(key).map_err(failed)?);
        match identity.keys_match() {
            // Certificates of X.509 version 1, which OpenSSL makes where nothing is said of extensions, cannot be compared here. Whoever
            // connects decides whether to take them, as with Go.
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(Some(identity)),
            Err(Error::InvalidCertificate(CertificateError::Other(_))) => Ok(Some(identity)),
            Err(error) => Err(failed(error)),
        }
    }
}

/// All certificates of a text; there is at least one.
pub(crate) fn certificates(option: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err(TlsError::new(option, "failed to parse cert: there is none")),
        Ok(found) => Ok(found),
        Err(error) => Err(TlsError::new(option, format!("failed to parse cert: {error}"))),
    }
}
