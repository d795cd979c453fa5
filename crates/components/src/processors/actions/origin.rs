//! `from_context`: what is known about the client.

use spanmill_otlp::Value;
use spanmill_pipeline::Client;

use super::super::literal::Literal;

/// What an action asks of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// Its address.
    Address,
    /// Metadata of the request, where the receiver passes it on.
    Metadata(String),
    /// What an authenticator has found out about it.
    Auth(String),
}

// === impl Origin ===

impl Origin {
    pub(super) fn parse(text: &str) -> Self {
        if text == "client.address" {
            return Self::Address;
        }
        if let Some(name) = text.strip_prefix("auth.") {
            // An older way to name the claims of a token.
            return Self::Auth(name.strip_prefix("claims.").unwrap_or(name).to_owned());
        }
        // Metadata was meant before there were prefixes.
        Self::Metadata(text.strip_prefix("metadata.").unwrap_or(text).to_owned())
    }

    /// What the client of the request that is being consumed says. Several values of one key are joined.
    pub(super) fn get(&self) -> Option<Literal> {
        match self {
            Self::Address => {
                let address = Client::current(|client| client.address.map(|address| address.to_string()));
                Some(Literal::new(&Value::Str(&address.unwrap_or_default())))
            }
            Self::Metadata(key) => {
                let values = Client::current(|client| client.metadata(key));
                (!values.is_empty()).then(|| Literal::new(&Value::Str(&values.join(";"))))
            }
            Self::Auth(name) => {
                let value = Client::current(|client| client.auth.as_ref()?.get(name).cloned());
                value.map(|value| Literal::new(&Value::Str(&value)))
            }
        }
    }
}
