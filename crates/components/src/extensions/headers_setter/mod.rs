//! `headers_setter`: sends headers along, which may come from the client whose data it is, such as its tenant.

mod config;

#[cfg(test)]
mod tests;

use std::any::Any;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue};
use spanmill_config::{ComponentId, ConfigError, Section};
use spanmill_pipeline::auth::{self, Authenticator, ClientAuth, CredentialsError};
use spanmill_pipeline::{Client, Component, ComponentError, Context, ExtensionFactory, Host, Kind, Stability};

use super::watched::Watched;
use config::{Config, HeaderConfig};

/// Makes `headers_setter` extensions.
pub const FACTORY: ExtensionFactory = ExtensionFactory {
    kind: Kind { name: "headers_setter", aliases: &[], stability: Stability::Alpha, signals: &[] },
    create,
};

struct HeadersSetter {
    setter: Arc<Setter>,
    additional: Option<ComponentId>,
}

/// What is done with each request, one after the other.
struct Setter {
    headers: Vec<Header>,
    /// Who authenticates besides, known from the start on.
    additional: OnceLock<Arc<dyn ClientAuth>>,
}

struct Header {
    action: Action,
    name: HeaderName,
    source: Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Insert,
    Update,
    Upsert,
    Delete,
}

enum Source {
    Value(HeaderValue),
    File(Watched),
    /// A header of the client.
    Metadata {
        name: String,
        default: String,
    },
    /// What an authenticator has found out about the client.
    Attribute {
        name: String,
        default: String,
    },
}

fn create(context: Context<'_>) -> Result<Arc<dyn Component>, ConfigError> {
    Ok(Arc::new(HeadersSetter::new(&context)?))
}

// === impl HeadersSetter ===

impl HeadersSetter {
    fn new(context: &Context<'_>) -> Result<Self, ConfigError> {
        let config = Config::read(context.section)?;
        let mut headers = Vec::with_capacity(config.headers.len());
        for (index, header) in config.headers.into_iter().enumerate() {
            if header.action.is_empty() {
                tracing::warn!(extension = %context.id, header = header.key, "no action is given, the header is upserted");
            }
            headers.push(Header::new(header, context.section, &format!("headers[{index}]"))?);
        }
        let setter = Setter { headers, additional: OnceLock::new() };
        Ok(Self { setter: Arc::new(setter), additional: config.additional_auth })
    }

    fn files(&self) -> impl Iterator<Item = &Watched> {
        self.setter.headers.iter().filter_map(|header| match &header.source {
            Source::File(file) => Some(file),
            _ => None,
        })
    }
}

#[async_trait]
impl Component for HeadersSetter {
    async fn start(&self, host: &Host) -> Result<(), ComponentError> {
        if let Some(id) = &self.additional {
            // Started once only.
            let _ = self.setter.additional.set(auth::client(host, Some(id))?);
        }
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
        Some(Arc::new(Authenticator { server: None, client: Some(Arc::clone(&self.setter) as _) }))
    }
}

// === impl Setter ===

impl ClientAuth for Setter {
    fn apply(&self, headers: &mut HeaderMap) -> Result<(), CredentialsError> {
        for header in &self.headers {
            header.apply(headers)?;
        }
        self.additional.get().map_or(Ok(()), |additional| additional.apply(headers))
    }

    fn is_secret(&self) -> bool {
        self.additional.get().is_some_and(|additional| additional.is_secret())
    }
}

// === impl Header ===

impl Header {
    fn new(config: HeaderConfig, section: &Section, path: &str) -> Result<Self, ConfigError> {
        let wrong = |option: &str, error: &dyn std::fmt::Display| section.error(&format!("{path}::{option}"), error);
        let action = match config.action.as_str() {
            "insert" => Action::Insert,
            "update" => Action::Update,
            "" | "upsert" => Action::Upsert,
            "delete" => Action::Delete,
            other => return Err(wrong("action", &format_args!("{other:?} is none of insert, update, upsert, delete"))),
        };
        let key = config.key.unwrap_or_default();
        let name = HeaderName::from_bytes(key.as_bytes()).map_err(|error| wrong("key", &error))?;
        let default = config.default_value.map(|value| value.expose().to_owned()).unwrap_or_default();
        let source = if let Some(file) = config.value_file {
            Source::File(Watched::new(file))
        } else if let Some(name) = config.from_context {
            Source::Metadata { name, default }
        } else if let Some(name) = config.from_attribute {
            Source::Attribute { name, default }
        } else {
            let value = config.value.unwrap_or_default();
            Source::Value(value_of(value.expose()).map_err(|error| wrong("value", &error))?)
        };
        Ok(Self { action, name, source })
    }

    fn apply(&self, headers: &mut HeaderMap) -> Result<(), CredentialsError> {
        // An empty one counts as none, as with Go.
        let is_there = headers.get(&self.name).is_some_and(|value| !value.is_empty());
        match self.action {
            Action::Insert if is_there => {}
            Action::Update if !is_there => {}
            Action::Delete => _ = headers.remove(&self.name),
            Action::Insert | Action::Update | Action::Upsert => {
                headers.insert(self.name.clone(), self.source.value()?);
            }
        }
        Ok(())
    }
}

// === impl Source ===

impl Source {
    fn value(&self) -> Result<HeaderValue, CredentialsError> {
        let text = match self {
            Self::Value(value) => return Ok(value.clone()),
            Self::File(file) => file.credentials()?.to_string(),
            Self::Metadata { name, default } => {
                let mut values = Client::current(|client| client.metadata(name));
                if values.len() > 1 {
                    let message = format!("{} values of {name:?} in the client's metadata", values.len());
                    return Err(CredentialsError::Never(message + ", can't determine which one to use"));
                }
                values.pop().unwrap_or_else(|| default.clone())
            }
            Self::Attribute { name, default } => {
                let found = Client::current(|client| client.auth.as_ref()?.get(name).cloned());
                found.unwrap_or_else(|| default.clone())
            }
        };
        value_of(&text).map_err(|error| CredentialsError::Never(error.to_string()))
    }
}

fn value_of(text: &str) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(text)?;
    value.set_sensitive(true);
    Ok(value)
}
