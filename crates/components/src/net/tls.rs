//! TLS of clients: who the backend must be, and who we are.

use serde::Deserialize;
use spanmill_config::{ConfigError, Duration, Secret, Section};
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

/// Options of `tls` of an exporter.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ClientTls {
    /// No TLS at all.
    pub(crate) insecure: bool,
    /// Would accept any certificate; refused.
    pub(crate) insecure_skip_verify: bool,
    /// The name that the certificate must carry, where it is not the host's.
    pub(crate) server_name_override: String,
    /// Certificates of authorities, as a file. Public authorities are trusted otherwise.
    pub(crate) ca_file: String,
    /// The same, inline.
    pub(crate) ca_pem: Secret,
    /// Our certificate, as a file.
    pub(crate) cert_file: String,
    /// The same, inline.
    pub(crate) cert_pem: Secret,
    /// Its key, as a file.
    pub(crate) key_file: String,
    /// The same, inline.
    pub(crate) key_pem: Secret,
    /// Accepted: public authorities are trusted beside the given ones.
    pub(crate) include_system_ca_certs_pool: bool,
    /// Accepted: TLS 1.2 and 1.3 are spoken.
    pub(crate) min_version: String,
    /// Accepted: TLS 1.2 and 1.3 are spoken.
    pub(crate) max_version: String,
    /// Accepted: the library's choice is good.
    pub(crate) cipher_suites: Vec<String>,
    /// Accepted: the library's choice is good.
    pub(crate) curve_preferences: Vec<String>,
    /// Accepted; files are read at start.
    pub(crate) reload_interval: Duration,
}

// === impl ClientTls ===

impl ClientTls {
    pub(crate) fn check(&self, section: &Section) -> Result<(), ConfigError> {
        if self.insecure_skip_verify && !self.insecure {
            let message = "is not supported: name the authority by ca_file, or turn TLS off by insecure";
            return Err(section.error("tls::insecure_skip_verify", message));
        }
        for (option, version) in [("min_version", &self.min_version), ("max_version", &self.max_version)] {
            if !matches!(version.as_str(), "" | "1.2" | "1.3") {
                let message = format!("unsupported TLS version {version:?}: expected 1.2 or 1.3");
                return Err(section.error(&format!("tls::{option}"), message));
            }
        }
        let (has_cert, has_key) = (
            !self.cert_file.is_empty() || !self.cert_pem.expose().is_empty(),
            !self.key_file.is_empty() || !self.key_pem.expose().is_empty(),
        );
        if has_cert != has_key {
            return Err(section.error("tls", "a certificate and its key must both be given, or neither"));
        }
        Ok(())
    }

    /// As tonic wants it. Files are read now.
    pub(crate) fn for_tonic(&self, section: &Section) -> Result<ClientTlsConfig, ConfigError> {
        let mut config = ClientTlsConfig::new();
        let authorities = pem(section, "ca_file", &self.ca_file, &self.ca_pem)?;
        if self.include_system_ca_certs_pool || authorities.is_none() {
            config = config.with_enabled_roots();
        }
        if let Some(authorities) = authorities {
            config = config.ca_certificate(Certificate::from_pem(authorities));
        }
        if !self.server_name_override.is_empty() {
            config = config.domain_name(self.server_name_override.clone());
        }
        let certificate = pem(section, "cert_file", &self.cert_file, &self.cert_pem)?;
        let key = pem(section, "key_file", &self.key_file, &self.key_pem)?;
        if let (Some(certificate), Some(key)) = (certificate, key) {
            config = config.identity(Identity::from_pem(certificate, key));
        }
        Ok(config)
    }

    /// The PEM text of the authorities, where any are given.
    pub(crate) fn authorities(&self, section: &Section) -> Result<Option<Vec<u8>>, ConfigError> {
        pem(section, "ca_file", &self.ca_file, &self.ca_pem)
    }

    /// Certificate and key in one PEM text, where they are given.
    pub(crate) fn identity(&self, section: &Section) -> Result<Option<Vec<u8>>, ConfigError> {
        let certificate = pem(section, "cert_file", &self.cert_file, &self.cert_pem)?;
        let key = pem(section, "key_file", &self.key_file, &self.key_pem)?;
        Ok(certificate.zip(key).map(|(certificate, key)| [certificate, b"\n".to_vec(), key].concat()))
    }
}

fn pem(section: &Section, option: &str, file: &str, inline: &Secret) -> Result<Option<Vec<u8>>, ConfigError> {
    if !inline.expose().is_empty() {
        return Ok(Some(inline.expose().as_bytes().to_vec()));
    }
    if file.is_empty() {
        return Ok(None);
    }
    let failed = |error| section.error(&format!("tls::{option}"), format!("cannot read {file}: {error}"));
    std::fs::read(file).map(Some).map_err(failed)
}
