//! Headers with secret values.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::Secret;

/// Names and secret values in order, written as a map or as a list of `{name, value}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    pairs: Vec<(String, Secret)>,
}

/// One header of a list.
#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct NameValue {
    name: String,
    value: Secret,
}

struct HeadersVisitor;

// === impl Headers ===

impl Headers {
    /// Names and values, as they were written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

impl FromIterator<(String, Secret)> for Headers {
    fn from_iter<I: IntoIterator<Item = (String, Secret)>>(pairs: I) -> Self {
        Self { pairs: pairs.into_iter().collect() }
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HeadersVisitor)
    }
}

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = Headers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of headers, or a list of {name, value}")
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Headers, E> {
        // It may be a secret, so it is not repeated.
        Err(E::custom(format_args!("expected {}, found a string", &self as &dyn serde::de::Expected)))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Headers, E> {
        Ok(Headers::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Headers { pairs })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Headers, A::Error> {
        let mut pairs = Vec::new();
        while let Some(NameValue { name, value }) = list.next_element()? {
            pairs.push((name, value));
        }
        Ok(Headers { pairs })
    }
}

#[cfg(test)]
mod tests {
    use super::Headers;
    use crate::Section;

    fn parse(text: &str) -> Result<Headers, String> {
        let section = Section::from_yaml("x::headers", text).unwrap();
        section.parse().map_err(|error| error.to_string())
    }

    /// Scenario: headers as a map and as a list, a value given as nothing.
    /// Guarantees: names and values in order; values are not in the debug output.
    #[test]
    fn both_forms() {
        for text in ["{b: x, a: }", "[{name: b, value: x}, {name: a}]"] {
            let headers = parse(text).unwrap();
            let pairs: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name, value.expose())).collect();
            assert_eq!(pairs, [("b", "x"), ("a", "")]);
            assert_eq!(format!("{headers:?}"), r#"Headers { pairs: [("b", [REDACTED]), ("a", [REDACTED])] }"#);
        }
    }

    /// Scenario: values that are no text.
    /// Guarantees: refused with their path.
    #[test]
    fn refused() {
        insta::assert_snapshot!(parse("{a: 5}").unwrap_err(), @r#"x::headers:1: x::headers::a: expected a string, found something else, which is not shown"#);
        insta::assert_snapshot!(parse("[{name: a, valu: b}]").unwrap_err(), @r#"x::headers:1: x::headers[0]: unknown key "valu", did you mean "value"? (valid keys: name, value)"#);
        insta::assert_snapshot!(parse("a").unwrap_err(), @r#"x::headers:1: x::headers: expected a map of headers, or a list of {name, value}, found a string"#);
    }
}
