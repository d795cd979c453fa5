//! Addresses to listen on or to connect to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An address like `localhost:4317`, `[::1]:4317`, `:4317` (all interfaces) or, where unix sockets are allowed, a path. Any text is
/// taken; it is looked at by [`Endpoint::host_port`] when it is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Endpoint(String);

/// Why an address has no host and port.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// There is no colon, or nothing behind it.
    #[error("endpoint {0:?}: missing port in address, like localhost:4317")]
    MissingPort(String),
    /// Several colons without brackets around an IPv6 address.
    #[error("endpoint {0:?}: too many colons in address; an IPv6 address needs brackets, like [::1]:4317")]
    TooManyColons(String),
    /// The port is no number up to 65535.
    #[error("endpoint {0:?}: invalid port {1:?}")]
    InvalidPort(String, String),
}

// === impl Endpoint ===

impl Endpoint {
    /// An address from its text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether no address was given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Host and port; brackets are taken off, and an empty host stands for all interfaces.
    ///
    /// # Errors
    ///
    /// Fails when there is no port, or when it is no number.
    pub fn host_port(&self) -> Result<(&str, u16), EndpointError> {
        let text = self.0.as_str();
        let missing = || EndpointError::MissingPort(text.to_owned());
        let (host, port) = text.rsplit_once(':').ok_or_else(missing)?;
        let host = match host.strip_prefix('[').map(|rest| rest.strip_suffix(']')) {
            Some(Some(inner)) => inner,
            Some(None) => return Err(missing()),
            None if host.contains(':') => return Err(EndpointError::TooManyColons(text.to_owned())),
            None => host,
        };
        if port.is_empty() {
            return Err(missing());
        }
        let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
        let number = port.parse().ok().filter(|_| is_number);
        let port = number.ok_or_else(|| EndpointError::InvalidPort(text.to_owned(), port.to_owned()))?;
        Ok((host, port))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    fn split(text: &str) -> Result<(String, u16), String> {
        let endpoint = Endpoint::new(text);
        endpoint.host_port().map(|(host, port)| (host.to_owned(), port)).map_err(|error| error.to_string())
    }

    /// Scenario: addresses with names, IPv4, IPv6 and without host.
    /// Guarantees: host and port are told apart.
    #[test]
    fn split_addresses() {
        for (text, host, port) in [
            ("localhost:4317", "localhost", 4317),
            ("0.0.0.0:0", "0.0.0.0", 0),
            ("[::1]:65535", "::1", 65535),
            (":4317", "", 4317),
        ] {
            assert_eq!(split(text), Ok((host.to_owned(), port)), "{text}");
        }
    }

    /// Scenario: texts that are no addresses.
    /// Guarantees: the error says what is missing.
    #[test]
    fn refused_addresses() {
        insta::assert_snapshot!(split("localhost").unwrap_err(), @r#"endpoint "localhost": missing port in address, like localhost:4317"#);
        insta::assert_snapshot!(split("localhost:").unwrap_err(), @r#"endpoint "localhost:": missing port in address, like localhost:4317"#);
        insta::assert_snapshot!(split("::1:4317").unwrap_err(), @r#"endpoint "::1:4317": too many colons in address; an IPv6 address needs brackets, like [::1]:4317"#);
        insta::assert_snapshot!(split("localhost:65536").unwrap_err(), @r#"endpoint "localhost:65536": invalid port "65536""#);
        insta::assert_snapshot!(split("localhost:+1").unwrap_err(), @r#"endpoint "localhost:+1": invalid port "+1""#);
    }
}
