//! `api_keys`: knows senders by a key, and for whom they act.

mod config;

#[cfg(test)]
mod tests;

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use spanmill_config::ConfigError;
use spanmill_pipeline::auth::{AuthError, Authenticator, Identity, ServerAuth};
use spanmill_pipeline::{Component, ComponentError, Context, ExtensionFactory, Host, Kind, Stability};

use super::watched::{Watched, same};
use crate::net::header::only;
use config::Config;

/// Makes `api_keys` extensions.
pub const FACTORY: ExtensionFactory = ExtensionFactory {
    kind: Kind { name: "api_keys", aliases: &[], stability: Stability::Alpha, signals: &[] },
    create,
};

struct ApiKeys(Arc<Known>);

/// The keys that are good, and where they are looked for.
struct Known {
    header: HeaderName,
    bearer: bool,
    tenants: Vec<(Source, Identity)>,
}

enum Source {
    Fixed(String),
    /// A key a line.
    File(Watched),
}

fn create(context: Context<'_>) -> Result<Arc<dyn Component>, ConfigError> {
    Ok(Arc::new(ApiKeys::new(context)?))
}

// === impl ApiKeys ===

impl ApiKeys {
    fn new(context: Context<'_>) -> Result<Self, ConfigError> {
        let config = Config::read(context.section)?;
        let header = HeaderName::from_bytes(config.header.as_bytes());
        let header = header.map_err(|error| context.section.error("header", error))?;
        let tenants = config.keys.iter().map(|key| {
            let source = match key.file.as_str() {
                "" => Source::Fixed(key.api_key.expose().to_owned()),
                file => Source::File(Watched::new(file)),
            };
            (source, Identity { tenant: Some(key.tenant.as_str().into()), attributes: None })
        });
        Ok(Self(Arc::new(Known { header, bearer: config.bearer, tenants: tenants.collect() })))
    }

    fn files(&self) -> impl Iterator<Item = &Watched> {
        self.0.tenants.iter().filter_map(|(source, _)| match source {
            Source::Fixed(_) => None,
            Source::File(file) => Some(file),
        })
    }
}

#[async_trait]
impl Component for ApiKeys {
    async fn start(&self, _host: &Host) -> Result<(), ComponentError> {
        for file in self.files() {
            file.open().await?;
        }
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        self.files().for_each(Watched::stop);
        Ok(())
    }

    fn capability(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        Some(Arc::new(Authenticator { server: Some(Arc::clone(&self.0) as _), client: None }))
    }
}

// === impl Known ===

impl Known {
    /// The key that a request carries: in the header, or else as a bearer's token.
    fn given<'h>(&self, headers: &'h HeaderMap) -> Result<Option<&'h [u8]>, AuthError> {
        const SCHEME: &[u8] = b"Bearer ";
        if let Some(own) = only(headers, &self.header)? {
            return Ok(Some(own.as_bytes()));
        }
        let other = if self.bearer { only(headers, &AUTHORIZATION)? } else { None };
        Ok(other.and_then(|value| {
            let (scheme, key) = value.as_bytes().split_at_checked(SCHEME.len())?;
            scheme.eq_ignore_ascii_case(SCHEME).then_some(key)
        }))
    }
}

#[async_trait]
impl ServerAuth for Known {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Identity, AuthError> {
        let given = self.given(headers)?.filter(|given| !given.is_empty()).ok_or("no API key provided")?;
        let mut found = None;
        // All are looked at: how long it takes tells nothing about which one is nearly right.
        for (source, identity) in &self.tenants {
            let good = match source {
                Source::Fixed(key) => same(key.as_bytes(), given),
                Source::File(file) => {
                    let text = file.text();
                    let keys = text.lines().filter_map(|line| line.split_whitespace().next());
                    keys.fold(false, |good, key| good | same(key.as_bytes(), given))
                }
            };
            if good {
                found = Some(identity);
            }
        }
        found.cloned().ok_or_else(|| "the API key is not known".into())
    }
}
