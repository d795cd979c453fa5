//! Request metadata by which requests are kept apart: `metadata_keys`.

use std::collections::HashSet;

use http::{HeaderMap, HeaderName, HeaderValue};
use spanmill_config::{ConfigError, Section};
use spanmill_pipeline::Client;

/// The values of those keys that a client sent. Requests with the same ones may be joined.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Partition(Vec<(String, Vec<String>)>);

/// Refuses a key that is there twice; case does not matter.
pub(crate) fn check_keys(section: &Section, path: &str, keys: &[String]) -> Result<(), ConfigError> {
    let mut seen = HashSet::new();
    match keys.iter().map(|key| key.to_lowercase()).find(|key| !seen.insert(key.clone())) {
        Some(key) => Err(section.error(path, format!("duplicate entry in metadata_keys: {key:?} (case-insensitive)"))),
        None => Ok(()),
    }
}

// === impl Partition ===

impl Partition {
    /// That of a client who sent those headers.
    pub(crate) fn of(keys: &[String], headers: &HeaderMap) -> Self {
        let values = keys.iter().map(|key| {
            let key = key.to_lowercase();
            let values =
                headers.get_all(&key).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
            let values = values.collect::<Vec<_>>();
            (key, values)
        });
        Self(values.filter(|(_, values)| !values.is_empty()).collect())
    }

    /// That of the client whose request is being consumed.
    pub(crate) fn current(keys: &[String]) -> Self {
        Client::current(|client| client.headers.as_ref().map(|headers| Self::of(keys, headers)).unwrap_or_default())
    }

    /// What follows is told of the client's metadata: that which all requests of the partition have.
    pub(crate) fn metadata(&self) -> Option<HeaderMap> {
        let mut headers = HeaderMap::new();
        for (key, values) in &self.0 {
            let Ok(name) = HeaderName::from_bytes(key.as_bytes()) else { continue };
            for value in values.iter().filter_map(|value| HeaderValue::from_str(value).ok()) {
                headers.append(name.clone(), value);
            }
        }
        (!headers.is_empty()).then_some(headers)
    }

    /// A client of the partition, of whom nothing else is known.
    pub(crate) fn client(&self) -> Client {
        Client { headers: self.metadata(), ..Client::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: clients with and without the keys, with several values, and with other headers.
    /// Guarantees: what the keys say is all that tells partitions apart and that is passed on.
    #[test]
    fn partitions() {
        let keys = ["X-Tenant".to_owned(), "region".to_owned()];
        let of = |headers: &[(&'static str, &str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, value.parse().unwrap());
            }
            Partition::of(&keys, &map)
        };
        assert_eq!(of(&[("x-tenant", "a"), ("user-agent", "x")]), of(&[("x-tenant", "a"), ("user-agent", "y")]));
        assert_ne!(of(&[("x-tenant", "a")]), of(&[("region", "a")]));
        assert_ne!(of(&[("x-tenant", "a"), ("x-tenant", "b")]), of(&[("x-tenant", "a,b")]));
        assert_eq!(Partition::current(&keys), Partition::default());
        let passed = of(&[("x-tenant", "a"), ("x-tenant", "b"), ("user-agent", "x")]).client();
        assert_eq!(passed.metadata("x-tenant"), ["a", "b"]);
        assert!(passed.metadata("user-agent").is_empty());
    }
}
