use std::fmt;
use std::marker::PhantomData;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use spanmill_config::{ConfigError, Section};
use spanmill_genai::normalizer::{self, Normalizer, NormalizerError};

/// Options of the `gen_ai_normalizer` processor: those of the Collector's.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// Whether the schema URL of a scope is replaced where it has one already.
    overwrite_schema_url: bool,
    /// What spans are written in; applied one after the other.
    sources: Vec<Source>,
}

/// A built-in source, or one of the user's own.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Source {
    /// `openinference`, `openllmetry`, or any other name for one of the user's own.
    name: String,
    /// Whether attributes are removed once they were mapped.
    remove_originals: bool,
    /// Whether an attribute that stands there already is replaced.
    overwrite: bool,
    /// Attributes of a source of the user's own, and what they become.
    mappings: Ordered<String>,
    /// By the attribute that is written, texts and what they become.
    value_mappings: Ordered<Ordered<String>>,
}

/// A map in the order of the file.
#[derive(Debug)]
struct Ordered<T>(Vec<(String, T)>);

/// Reads the section and makes what it asks for.
pub(super) fn read(section: &Section) -> Result<Normalizer, ConfigError> {
    let Config { overwrite_schema_url, sources } = section.parse()?;
    let sources: Vec<normalizer::Source> = sources.into_iter().map(normalizer::Source::from).collect();
    sources.iter().for_each(|source| tell_unused(section, source));
    Normalizer::new(&normalizer::Config { overwrite_schema_url, sources }).map_err(|error| match error {
        NormalizerError::Config(error) => section.error(&error.path, error.message),
        NormalizerError::Catalogue(error) => section.error("", error),
    })
}

/// Value mappings of an attribute that is never written are a mistake, and do no harm.
fn tell_unused(section: &Section, source: &normalizer::Source) {
    for (target, _) in &source.value_mappings {
        if !source.mappings.iter().any(|(_, to)| to == target) {
            let (processor, source) = (section.path(), &source.name);
            tracing::warn!(processor, source, target, "value_mappings has a key that is not a target in mappings");
        }
    }
}

// === impl Source ===

impl From<Source> for normalizer::Source {
    fn from(source: Source) -> Self {
        let Source { name, remove_originals, overwrite, mappings, value_mappings } = source;
        let value_mappings = value_mappings.0.into_iter().map(|(target, Ordered(words))| (target, words)).collect();
        Self { name, remove_originals, overwrite, mappings: mappings.0, value_mappings }
    }
}

// === impl Ordered ===

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}
