//! Text that is not to be shown.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};

use crate::de::SECRET;

/// What is shown instead of a secret.
pub const REDACTED: &str = "[REDACTED]";

/// A password, token or the like. `Debug`, `Display` and `Serialize` show `[REDACTED]`, and errors of reading
/// it do not repeat what was there.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Secret(String);

struct SecretVisitor;

// === impl Secret ===

impl Secret {
    /// A secret from its text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it is the empty text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(SECRET, SecretVisitor)
    }
}

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret::new(text))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret)
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;
    use crate::Section;

    /// Scenario: a secret as text, as nothing, in a list that is one text, from JSON; a number, a list and a map in its place.
    /// Guarantees: texts are read; errors say what was expected, and nothing of what was there.
    #[test]
    fn errors_do_not_repeat_it() {
        let section = |text: &str| Section::from_yaml("x", text).unwrap();
        assert_eq!(section("a").parse::<Secret>().unwrap().expose(), "a");
        assert!(section("").parse::<Secret>().unwrap().is_empty());
        assert_eq!(section("a,b").parse::<Vec<Secret>>().unwrap(), ["a", "b"].map(Secret::new));
        assert_eq!(serde_json::from_str::<Secret>("\"a\"").unwrap().expose(), "a");
        for wrong in ["12345", "1234.5", "true", "[12345]", "{12345: 12345}"] {
            let error = section(wrong).parse::<Secret>().unwrap_err().to_string();
            assert!(error.contains("expected a string") && !error.contains("234"), "{error}");
        }
    }
}
