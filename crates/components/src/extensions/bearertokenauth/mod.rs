//! `bearertokenauth`: knows senders, and lets backends know us, by a token.

mod config;

#[cfg(test)]
mod tests;

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue};
use spanmill_config::ConfigError;
use spanmill_pipeline::auth::{AuthError, Authenticator, ClientAuth, CredentialsError, Identity, ServerAuth};
use spanmill_pipeline::{Component, ComponentError, Context, ExtensionFactory, Host, Kind, Stability};

use super::watched::{Watched, same};
use crate::net::header::only;
use config::{Config, RetryOnFailure};

/// Makes `bearertokenauth` extensions.
pub const FACTORY: ExtensionFactory = ExtensionFactory {
    kind: Kind { name: "bearertokenauth", aliases: &[], stability: Stability::Beta, signals: &[] },
    create,
};

struct BearerTokenAuth {
    tokens: Arc<Tokens>,
    retry: RetryOnFailure,
    wait: bool,
}

/// The header, and the tokens that are good in it.
struct Tokens {
    header: HeaderName,
    /// As it was written.
    header_text: String,
    scheme: String,
    source: Source,
}

enum Source {
    /// Whole tokens, none of them empty.
    Fixed(Vec<String>),
    /// A text with a token a line.
    File(Watched),
}

fn create(context: Context<'_>) -> Result<Arc<dyn Component>, ConfigError> {
    Ok(Arc::new(BearerTokenAuth::new(context)?))
}

// === impl BearerTokenAuth ===

impl BearerTokenAuth {
    fn new(context: Context<'_>) -> Result<Self, ConfigError> {
        let config = Config::read(context.section)?;
        let header = HeaderName::from_bytes(config.header.as_bytes());
        let header = header.map_err(|error| context.section.error("header", error))?;
        if !config.filename.is_empty() && !config.token.is_empty() {
            tracing::warn!(extension = %context.id, "a filename is specified, the configured token is ignored");
        }
        let source = if !config.tokens.0.is_empty() {
            Source::Fixed(config.tokens.0.iter().map(|token| token.expose().to_owned()).collect())
        } else if config.filename.is_empty() {
            Source::Fixed(lines(config.token.expose()))
        } else {
            Source::File(Watched::new(&config.filename))
        };
        if let Source::Fixed(tokens) = &source {
            // As the Collector, which takes it: no request can have it.
            let unfit = tokens.iter().filter(|token| HeaderValue::from_str(token).is_err()).count();
            if unfit > 0 {
                tracing::warn!(extension = %context.id, tokens = unfit, "tokens that no header can carry, such as with control characters");
            }
        }
        let tokens = Tokens { header, header_text: config.header, scheme: config.scheme, source };
        Ok(Self { tokens: Arc::new(tokens), retry: config.retry_on_failure, wait: config.wait_for_token_file })
    }
}

#[async_trait]
impl Component for BearerTokenAuth {
    async fn start(&self, _host: &Host) -> Result<(), ComponentError> {
        let Source::File(file) = &self.tokens.source else { return Ok(()) };
        let mut tries = 0;
        let failed = loop {
            let Err(error) = file.read().await else { break None };
            if self.retry.enabled && !self.wait {
                // Requests are refused until the file is there, but nothing else waits for it.
                break Some(error);
            }
            tries += 1;
            if !self.retry.enabled || (self.retry.max_retries > 0 && tries > self.retry.max_retries) {
                break Some(error);
            }
            tracing::warn!(error, "waiting for the token file");
            tokio::time::sleep(self.retry.interval.to_std()).await;
        };
        match failed {
            Some(error) if self.wait => return Err(ComponentError::Other(error)),
            Some(error) => tracing::error!(error, "no tokens yet: requests are refused until there are"),
            None => {}
        }
        file.watch();
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        if let Source::File(file) = &self.tokens.source {
            file.stop();
        }
        Ok(())
    }

    fn capability(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        let (server, client) = (Arc::clone(&self.tokens), Arc::clone(&self.tokens));
        Some(Arc::new(Authenticator { server: Some(server), client: Some(client) }))
    }
}

// === impl Tokens ===

impl Tokens {
    fn values(&self) -> Vec<String> {
        let tokens = match &self.source {
            Source::Fixed(tokens) => tokens.clone(),
            Source::File(file) => lines(&file.text()),
        };
        if self.scheme.is_empty() {
            return tokens;
        }
        tokens.into_iter().map(|token| format!("{} {token}", self.scheme)).collect()
    }
}

/// The first word of each line.
fn lines(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[async_trait]
impl ServerAuth for Tokens {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Identity, AuthError> {
        let Some(given) = only(headers, &self.header)? else {
            return Err(format!("missing or empty authorization header: {}", self.header_text).into());
        };
        if self.values().iter().any(|value| same(value.as_bytes(), given.as_bytes())) {
            return Ok(Identity::default());
        }
        Err("provided authorization does not match expected scheme or token".into())
    }
}

impl ClientAuth for Tokens {
    fn apply(&self, headers: &mut HeaderMap) -> Result<(), CredentialsError> {
        let not_yet = |message: &str| CredentialsError::NotYet(message.to_owned());
        if let Source::File(file) = &self.source {
            file.credentials()?;
        }
        let value = self.values().into_iter().next().ok_or_else(|| not_yet("there is no token to send"))?;
        let value = HeaderValue::from_str(&value);
        let mut value = value.map_err(|_| not_yet("the token cannot be sent in a header"))?;
        value.set_sensitive(true);
        headers.insert(self.header.clone(), value);
        Ok(())
    }
}
