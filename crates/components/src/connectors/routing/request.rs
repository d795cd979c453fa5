//! Conditions on headers of the request, in the one form that there is: `request["name"] == "value"`, or with `!=`.

use std::sync::LazyLock;

use regex::Regex;
use spanmill_pipeline::Client;

/// A header and what it is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestCondition {
    name: String,
    value: String,
    equal: bool,
}

// === impl RequestCondition ===

impl RequestCondition {
    /// With the Collector's leniency and its words: what stands around `request["..."]` or the quotes does not matter.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        static FIELD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"request\[".*"\]"#).ok());
        static VALUE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"".*""#).ok());
        let matches = |pattern: &Option<Regex>, text: &str| pattern.as_ref().is_some_and(|known| known.is_match(text));

        let count = text.matches("==").count() + text.matches("!=").count();
        let (operator, equal) = if text.contains("==") { ("==", true) } else { ("!=", false) };
        let (field, value) = match (count, text.split_once(operator)) {
            (1, Some((field, value))) => (field.trim(), value.trim()),
            (0, _) | (_, None) => return Err("condition does not contain a valid comparator"),
            _ => return Err("condition contains multiple comparators"),
        };
        if !matches(&FIELD, field) {
            return Err("condition must have format 'request[\"<name>\"] <comparator> <value>'");
        }
        if !matches(&VALUE, value) {
            return Err("condition must have format 'request[\"<name>\"] <comparator> \"<value>\"'");
        }
        let strip = |text: &str, start: &str, end: &str| {
            let text = text.strip_prefix(start).unwrap_or(text);
            text.strip_suffix(end).unwrap_or(text).to_owned()
        };
        Ok(Self { name: strip(field, "request[\"", "\"]"), value: strip(value, "\"", "\""), equal })
    }

    /// Whether any of the values that the header has is as asked; one that is not there is not.
    pub(super) fn is_met(&self, client: &Client) -> bool {
        let values = [client.grpc_metadata(&self.name), client.metadata(&self.name)].concat();
        values.iter().any(|value| (*value == self.value) == self.equal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(metadata: &[(&'static str, &str)], grpc: &[(&'static str, &str)]) -> Client {
        let headers = |pairs: &[(&'static str, &str)]| {
            pairs.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect()
        };
        Client { headers: Some(headers(metadata)), grpc: Some(headers(grpc)), ..Client::default() }
    }

    /// Scenario: conditions that are met and not, by headers of both protocols.
    /// Guarantees: any value of the header may meet it, names are of any case, a missing header meets neither comparison.
    #[test]
    fn conditions() {
        let http = client(&[("x-tenant", "acme"), ("x-tenant", "other")], &[]);
        let grpc = client(&[], &[("x-tenant", "acme")]);
        let met = |text: &str, client: &Client| RequestCondition::parse(text).unwrap().is_met(client);
        assert!(met(r#"request["X-Tenant"] == "acme""#, &http) && met(r#"request["X-Tenant"] == "acme""#, &grpc));
        assert!(met(r#"request["X-Tenant"] != "acme""#, &http) && !met(r#"request["X-Tenant"] != "acme""#, &grpc));
        assert!(!met(r#"request["X-Tenant"]=="ecorp""#, &http) && !met(r#"request["Y"] != "acme""#, &http));
        assert!(!RequestCondition::parse(r#"request["a"] != "b""#).unwrap().is_met(&Client::default()));
    }

    /// Scenario: texts of other forms.
    /// Guarantees: refused, with what is wrong.
    #[test]
    fn refusals() {
        for (text, expected) in [
            ("", "valid comparator"),
            (r#"request["a"]"#, "valid comparator"),
            (r#"request["a"] == "b" or request["a"] == "c""#, "multiple comparators"),
            (r#"request["a"] == "b" and request["c"] != "d""#, "multiple comparators"),
            (r#"attributes["a"] == "b""#, "must have format"),
            (r#"request["a"] == 5"#, "must have format"),
        ] {
            let error = RequestCondition::parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
