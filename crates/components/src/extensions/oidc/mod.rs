//! `oidc`: knows senders by tokens that an OpenID Connect provider has signed.

mod config;
mod good;
mod issuer;
mod keys;
mod provider;

#[cfg(test)]
mod tests;

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName};
use jsonwebtoken::dangerous::insecure_decode_claims;
use prometheus::IntCounter;
use serde::Deserialize;
use spanmill_config::ConfigError;
use spanmill_pipeline::auth::{AuthError, Authenticator, Identity, ServerAuth};
use spanmill_pipeline::{Component, ComponentError, Context, ExtensionFactory, Host, Kind, Stability};

use crate::net::header::only;
use config::Config;
use provider::{Provider, Refusal};

/// Makes `oidc` extensions.
pub const FACTORY: ExtensionFactory =
    ExtensionFactory { kind: Kind { name: "oidc", aliases: &[], stability: Stability::Beta, signals: &[] }, create };

struct Oidc(Arc<Verifier>);

/// Verifies tokens of several providers.
struct Verifier {
    header: HeaderName,
    providers: Vec<Provider>,
    refused: HashMap<&'static str, IntCounter>,
}

/// What is read of a token before it is verified.
#[derive(Deserialize)]
struct Claimed {
    #[serde(default)]
    iss: String,
}

/// Tokens have one or two KiB; larger ones are not worth the work.
const MOST: usize = 16 << 10;

/// Why requests are refused.
const REASONS: [&str; 11] = [
    "header",
    "malformed",
    "provider",
    "algorithm",
    "key",
    "signature",
    "expired",
    "early",
    "audience",
    "issuer",
    "claims",
];

fn create(context: Context<'_>) -> Result<Arc<dyn Component>, ConfigError> {
    Ok(Arc::new(Oidc::new(context)?))
}

// === impl Oidc ===

impl Oidc {
    fn new(context: Context<'_>) -> Result<Self, ConfigError> {
        let config = Config::read(context.section)?;
        let attribute = if config.attribute.is_empty() { "authorization" } else { &config.attribute };
        let header = HeaderName::from_bytes(attribute.as_bytes());
        let header = header.map_err(|error| context.section.error("attribute", error))?;
        let providers: Result<Vec<_>, _> = config.providers().into_iter().map(Provider::new).collect();
        let providers = providers.map_err(|error| context.section.error("providers", error))?;
        let extension = context.id.to_string();
        let counter = |reason: &'static str| {
            let counter = context.telemetry.counter(
                "spanmill_extension_oidc_refused",
                "Requests that are refused for their token, by reason",
                &[("extension", &extension), ("reason", reason)],
            );
            (reason, counter)
        };
        Ok(Self(Arc::new(Verifier { header, providers, refused: REASONS.map(counter).into_iter().collect() })))
    }
}

#[async_trait]
impl Component for Oidc {
    async fn start(&self, _host: &Host) -> Result<(), ComponentError> {
        for provider in &self.0.providers {
            let failed = |error| {
                let message = "failed to get configuration from at least one configured auth server";
                ComponentError::Other(format!("{message}: {error}"))
            };
            provider.start().await.map_err(failed)?;
        }
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        self.0.providers.iter().for_each(Provider::stop);
        Ok(())
    }

    fn capability(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        Some(Arc::new(Authenticator { server: Some(Arc::clone(&self.0) as _), client: None }))
    }
}

// === impl Verifier ===

impl Verifier {
    async fn verify(&self, headers: &HeaderMap) -> Result<Identity, Refusal> {
        let refused = |reason, message: &str| Refusal::new(reason, message.to_owned());
        let given = only(headers, &self.header).map_err(|message| refused("header", &message.to_string()))?;
        let given = given.filter(|given| !given.is_empty());
        let given = given.ok_or_else(|| refused("header", "authentication didn't succeed"))?;
        // Any scheme will do, as with the Collector.
        let parts = given.to_str().ok().and_then(|given| given.split_once(' '));
        let token = parts.map(|(_, token)| token).filter(|token| !token.contains(' '));
        let token = token.ok_or_else(|| refused("header", "invalid authorization header format"))?;
        if token.len() > MOST {
            return Err(refused("malformed", "failed to parse the token: it is too large"));
        }
        self.provider(token)?.verify(token).await
    }

    /// The provider of whom the token says to be.
    fn provider(&self, token: &str) -> Result<&Provider, Refusal> {
        if let [only] = self.providers.as_slice() {
            return Ok(only);
        }
        let claimed: Result<Claimed, _> = insecure_decode_claims(token);
        let malformed = |error| Refusal::new("malformed", format!("failed to parse the token: {error}"));
        let issuer = claimed.map_err(malformed)?.iss;
        self.providers.iter().find(|provider| provider.config.issuer_url == issuer).ok_or_else(|| {
            let message = format!("failed to resolve OIDC provider for the issuer {issuer:?}: no OIDC provider configured for the issuer {issuer:?}");
            Refusal::new("provider", message)
        })
    }
}

#[async_trait]
impl ServerAuth for Verifier {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Identity, AuthError> {
        let verified = self.verify(headers).await;
        verified.map_err(|refusal| {
            if let Some(counter) = self.refused.get(refusal.reason) {
                counter.inc();
            }
            tracing::debug!(reason = refusal.reason, "a token is refused");
            refusal.message.into()
        })
    }
}
