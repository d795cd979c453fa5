use serde::Deserialize;
use spanmill_config::{ConfigError, Section};

/// Options of the `oidc` extension. All but `attribute` and `providers` are an older way to write one provider.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// The header that carries the token; `authorization` where it is empty.
    pub(super) attribute: String,
    issuer_url: String,
    audience: String,
    ignore_audience: bool,
    issuer_ca_path: String,
    username_claim: String,
    groups_claim: String,
    tenant_claim: String,
    /// Who issues tokens.
    providers: Vec<ProviderConfig>,
}

/// One that issues tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ProviderConfig {
    /// Its address, as tokens have it in `iss`. Required.
    pub(super) issuer_url: String,
    /// For whom tokens must be. Required unless it is ignored.
    pub(super) audience: String,
    /// Takes tokens for anybody.
    pub(super) ignore_audience: bool,
    /// Takes tokens of any issuer that are signed by this one's keys. With one provider only.
    pub(super) ignore_issuer: bool,
    /// The authority that signed its certificate, as a file; one of the system's otherwise.
    pub(super) issuer_ca_path: String,
    /// The claim that names the sender; `sub` where it is empty.
    pub(super) username_claim: String,
    /// The claim with the sender's groups.
    pub(super) groups_claim: String,
    /// The claim with the tenant. Not of the Collector.
    pub(super) tenant_claim: String,
    /// A file with its keys, which is then not asked for them.
    pub(super) public_keys_file: String,
}

// === impl Config ===

impl Config {
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        let providers = config.providers();
        for (index, provider) in providers.iter().enumerate() {
            if providers.iter().take(index).any(|other| other.issuer_url == provider.issuer_url) {
                let message = format!("duplicate issuer URL found: {}", provider.issuer_url);
                return Err(section.error("providers", message));
            }
            if provider.audience.is_empty() && !provider.ignore_audience {
                return Err(section.error("", "no Audience provided for the OIDC configuration"));
            }
            if provider.issuer_url.is_empty() {
                return Err(section.error("", "no IssuerURL provided for the OIDC configuration"));
            }
            if provider.ignore_issuer && providers.len() > 1 {
                let message = "ignore_issuer cannot be true when multiple providers are configured";
                return Err(section.error("providers", message));
            }
        }
        Ok(config)
    }

    /// All providers, the one that is written in the older way first.
    pub(super) fn providers(&self) -> Vec<ProviderConfig> {
        let old = ProviderConfig {
            issuer_url: self.issuer_url.clone(),
            audience: self.audience.clone(),
            ignore_audience: self.ignore_audience,
            ignore_issuer: false,
            issuer_ca_path: self.issuer_ca_path.clone(),
            username_claim: self.username_claim.clone(),
            groups_claim: self.groups_claim.clone(),
            tenant_claim: self.tenant_claim.clone(),
            public_keys_file: String::new(),
        };
        let old = (old != ProviderConfig::default()).then_some(old);
        old.into_iter().chain(self.providers.iter().cloned()).collect()
    }
}
