//! Options as they are written, and their checks in the Collector's words.

use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use spanmill_config::{ConfigError, Duration, Secret, Section};

use crate::TlsError;
use crate::pem::{Source, certificates};
use crate::protocol::{Suite, Version, curve, suite, version};

/// What servers and clients have in common.
pub(crate) struct Common {
    pub(crate) authorities: Source,
    pub(crate) certificate: Source,
    pub(crate) key: Source,
    pub(crate) system: bool,
    pub(crate) min_version: String,
    pub(crate) max_version: String,
    pub(crate) suites: Vec<String>,
    pub(crate) curves: Vec<String>,
    pub(crate) reload: Option<std::time::Duration>,
    tpm: bool,
}

/// Keys in a Trusted Platform Module; not supported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tpm {
    /// Must be `false`.
    pub enabled: bool,
    path: String,
    owner_auth: Secret,
    auth: Secret,
}

macro_rules! options {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)*
            /// Certificates of authorities, as a file.
            pub ca_file: String,
            /// The same, inline.
            pub ca_pem: Secret,
            /// Whether the system's authorities are trusted beside the given ones.
            pub include_system_ca_certs_pool: bool,
            /// Our certificate and what leads to its authority, as a file.
            pub cert_file: String,
            /// The same, inline.
            pub cert_pem: Secret,
            /// Its key, as a file.
            pub key_file: String,
            /// The same, inline.
            pub key_pem: Secret,
            /// The least version: `1.2`, which is the default, or `1.3`.
            pub min_version: String,
            /// The greatest version: `1.2` or `1.3`.
            pub max_version: String,
            /// The cipher suites of TLS 1.2, by Go's names.
            pub cipher_suites: Vec<String>,
            /// How keys are agreed upon, by Go's names, the best first.
            pub curve_preferences: Vec<String>,
            /// How often files are looked at again; 0: never.
            pub reload_interval: Duration,
            /// Keys in a Trusted Platform Module; not supported.
            pub tpm: Tpm,
        }

        impl $name {
            pub(crate) fn common(&self) -> Common {
                let reload = self.reload_interval.positive();
                let source = |file: &str, inline: &Secret| Source::new(file, inline, reload.is_some());
                Common {
                    authorities: source(&self.ca_file, &self.ca_pem),
                    certificate: source(&self.cert_file, &self.cert_pem),
                    key: source(&self.key_file, &self.key_pem),
                    system: self.include_system_ca_certs_pool,
                    min_version: self.min_version.clone(),
                    max_version: self.max_version.clone(),
                    suites: self.cipher_suites.clone(),
                    curves: self.curve_preferences.clone(),
                    reload,
                    tpm: self.tpm.enabled,
                }
            }

            fn both(&self) -> Result<(), TlsError> {
                let both = |file: &str, inline: &Secret| !file.is_empty() && !inline.is_empty();
                let (ca, certificate) = (both(&self.ca_file, &self.ca_pem), both(&self.cert_file, &self.cert_pem));
                let wrong = [
                    (ca, "ca_file", "provide either a CA file or the PEM-encoded string, but not both"),
                    (certificate, "cert_file", "provide either certificate file or PEM, but not both"),
                    (both(&self.key_file, &self.key_pem), "key_file", "provide either key file or PEM, but not both"),
                ];
                match wrong.into_iter().find(|(both, ..)| *both) {
                    Some((_, option, message)) => Err(TlsError::new(option, message)),
                    None => {
                        warn_of_pem("ca_pem", certificates("ca_pem", self.ca_pem.expose().as_bytes()), &self.ca_pem);
                        let certificate = certificates("cert_pem", self.cert_pem.expose().as_bytes());
                        warn_of_pem("cert_pem", certificate, &self.cert_pem);
                        let key = PrivateKeyDer::from_pem_slice(self.key_pem.expose().as_bytes());
                        warn_of_pem("key_pem", key, &self.key_pem);
                        self.common().check()
                    }
                }
            }
        }
    };
}

options! {
    /// Options of `tls` of a server.
    ServerTls {
        /// Certificates of authorities of clients, as a file: clients must then present a certificate.
        client_ca_file: String,
        /// Whether that file is looked at again.
        client_ca_file_reload: bool,
    }
}

options! {
    /// Options of `tls` of a client.
    ClientTls {
        /// No TLS at all, unless an authority is given.
        insecure: bool,
        /// Accepts any certificate.
        insecure_skip_verify: bool,
        /// The name that the certificate must carry, where it is not the host's.
        server_name_override: String,
    }
}

/// The Collector reads it when it starts, and only then.
fn warn_of_pem<T, E: std::fmt::Display>(option: &str, read: Result<T, E>, text: &Secret) {
    if let Some(error) = read.err().filter(|_| !text.is_empty()) {
        tracing::warn!(option, %error, "TLS: it is no PEM, and what uses it will not start");
    }
}

// === impl Common ===

impl Common {
    fn check(&self) -> Result<(), TlsError> {
        if self.certificate.is_given() != self.key.is_given() {
            let message =
                "TLS configuration must include both certificate and key (CertFile/CertPem and KeyFile/KeyPem)";
            return Err(TlsError::new("", message));
        }
        let read = |option: &'static str, text: &str, default| {
            let known = if text.is_empty() { Some(default) } else { version(text) };
            let message = || format!("invalid TLS {option}: unsupported TLS version: {text:?}");
            known.ok_or_else(|| TlsError::new(option, message()))
        };
        let least = read("min_version", &self.min_version, Version::V12)?;
        let most = read("max_version", &self.max_version, Version::V13)?;
        if most < least {
            let message = "invalid TLS configuration: min_version cannot be greater than max_version";
            return Err(TlsError::new("", message));
        }
        if most < Version::V12 {
            let message =
                format!("TLS {} is not spoken: 1.0 and 1.1 are broken (RFC 8996); use 1.2 or 1.3", self.max_version);
            return Err(TlsError::new("max_version", message));
        }
        if let Some(unknown) = self.suites.iter().find(|name| suite(name).is_none()) {
            return Err(TlsError::new("cipher_suites", format!("invalid TLS cipher suite: {unknown:?}")));
        }
        if let Some(unknown) = self.curves.iter().find(|name| curve(name).is_none()) {
            let message =
                format!("invalid curve type: {unknown}. Expected values are [P256 P384 P521 X25519 X25519MLKEM768]");
            return Err(TlsError::new("curve_preferences", message));
        }
        if !self.curves.is_empty() && self.curves.iter().all(|name| curve(name).flatten().is_none()) {
            let message = "none of them is implemented: add one of X25519, P256 and P384";
            return Err(TlsError::new("curve_preferences", message));
        }
        if self.tpm {
            return Err(TlsError::new("tpm", "is not supported"));
        }
        if least < Version::V12 {
            tracing::warn!(min_version = self.min_version, "TLS 1.0 and 1.1 are not spoken: 1.2 is the least");
        }
        for name in self.suites.iter().filter(|name| suite(name) == Some(Suite::Missing)) {
            tracing::warn!(suite = name, "a cipher suite is not implemented and is passed over");
        }
        for name in self.curves.iter().filter(|name| curve(name).flatten().is_none()) {
            tracing::warn!(curve = name, "a curve is not implemented and is passed over");
        }
        Ok(())
    }
}

// === impl ServerTls ===

impl ServerTls {
    /// Checks the options, which are at `at` in `section`, and warns of what is unwise or has no effect. No file is read.
    ///
    /// # Errors
    ///
    /// Fails at the first option that is wrong, in the Collector's words.
    pub fn check(&self, section: &Section, at: &str) -> Result<(), ConfigError> {
        self.both().map_err(|error| error.in_section(section, at))?;
        if !self.common().certificate.is_given() {
            let message = "TLS configuration must include both certificate and key for server connections";
            return Err(section.error(at, message));
        }
        Ok(())
    }
}

// === impl ClientTls ===

impl ClientTls {
    /// Checks the options, which are at `at` in `section`, and warns of what is unwise or has no effect. No file is read.
    ///
    /// # Errors
    ///
    /// Fails at the first option that is wrong, in the Collector's words.
    pub fn check(&self, section: &Section, at: &str) -> Result<(), ConfigError> {
        self.both().map_err(|error| error.in_section(section, at))?;
        if self.insecure_skip_verify && !self.is_off() {
            let at = section.path();
            tracing::warn!(at, "insecure_skip_verify: whoever answers is believed to be the backend");
        }
        Ok(())
    }

    /// Whether there is no TLS at all. As with Go, `insecure` has no effect where an authority is given.
    pub fn is_off(&self) -> bool {
        self.insecure && self.ca_file.is_empty() && self.ca_pem.is_empty()
    }
}
