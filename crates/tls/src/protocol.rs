//! Versions, cipher suites and curves by the Collector's names.

use std::sync::Arc;

use rustls::SupportedProtocolVersion;
use rustls::crypto::ring::{ALL_CIPHER_SUITES, default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::version::{TLS12, TLS13};

use crate::TlsError;
use crate::options::Common;

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    V10,
    V11,
    V12,
    V13,
}

/// A cipher suite's name here: those of TLS 1.3 have no choice, and those with CBC do not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suite {
    Tls13,
    Tls12,
    Missing,
}

/// What is spoken.
pub(crate) struct Protocol {
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) versions: Vec<&'static SupportedProtocolVersion>,
}

pub(crate) fn version(name: &str) -> Option<Version> {
    Some(match name {
        "1.0" => Version::V10,
        "1.1" => Version::V11,
        "1.2" => Version::V12,
        "1.3" => Version::V13,
        _ => return None,
    })
}

/// A name that Go has, and that is not among its insecure ones.
pub(crate) fn suite(name: &str) -> Option<Suite> {
    Some(match name {
        "TLS_AES_128_GCM_SHA256" | "TLS_AES_256_GCM_SHA384" | "TLS_CHACHA20_POLY1305_SHA256" => Suite::Tls13,
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
        | "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
        | "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
        | "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
        | "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"
        | "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" => Suite::Tls12,
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"
        | "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"
        | "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"
        | "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA" => Suite::Missing,
        _ => return None,
    })
}

/// A name that the Collector has; inside, what it is here, if anything.
pub(crate) fn curve(name: &str) -> Option<Option<&'static dyn SupportedKxGroup>> {
    Some(match name {
        "X25519" => Some(kx_group::X25519),
        "P256" => Some(kx_group::SECP256R1),
        "P384" => Some(kx_group::SECP384R1),
        "P521" | "X25519MLKEM768" => None,
        _ => return None,
    })
}

// === impl Protocol ===

impl Protocol {
    /// From options that have been checked.
    pub(crate) fn new(common: &Common) -> Result<Self, TlsError> {
        let least = version(&common.min_version).unwrap_or(Version::V12);
        let most = version(&common.max_version).unwrap_or(Version::V13);
        let spoken = [(Version::V13, &TLS13), (Version::V12, &TLS12)];
        let spoken = spoken.into_iter().filter(|(version, _)| (least..=most).contains(version));
        let mut provider = default_provider();
        if !common.suites.is_empty() {
            let chosen = |name: String| common.suites.contains(&name);
            let kept = ALL_CIPHER_SUITES.iter().filter(|suite| {
                suite.tls13().is_some() || chosen(suite.suite().as_str().unwrap_or_default().to_owned())
            });
            provider.cipher_suites = kept.copied().collect();
            if most == Version::V12 && provider.cipher_suites.iter().all(|suite| suite.tls13().is_some()) {
                return Err(TlsError::new("cipher_suites", "none of them is implemented for TLS 1.2"));
            }
        }
        if !common.curves.is_empty() {
            provider.kx_groups = common.curves.iter().filter_map(|name| curve(name).flatten()).collect();
        }
        Ok(Self { provider: Arc::new(provider), versions: spoken.map(|(_, version)| version).collect() })
    }
}
