//! `service.telemetry.resource`, in its present form and in the older one.

use indexmap::IndexMap;
use serde::Deserialize;

use crate::{ConfigError, Section, Value};

/// Attributes of the process. The present form is `attributes: [{name: a, value: b}]`; in the older one the attributes stand directly
/// in the section. An attribute given as nothing takes away one that would be there by itself.
///
/// `schema_url`, `detectors` and `detection/development` are accepted without effect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceAttributes {
    attributes: IndexMap<String, Option<String>>,
}

/// One attribute in the present form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NameValue {
    name: String,
    #[serde(default)]
    value: serde_json::Value,
    #[serde(default, rename = "type")]
    _kind: Option<String>,
}

/// Keys that are no attributes in the older form.
const OPTIONS: &[&str] = &["schema_url", "detectors", "detection/development"];

// === impl ResourceAttributes ===

impl ResourceAttributes {
    /// The attributes in the order of the file; `None` means that the attribute is to be left out.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.attributes.iter().map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    pub(super) fn from_section(section: &Section) -> Result<Self, ConfigError> {
        let map = match section.node().value() {
            Value::Null => return Ok(Self::default()),
            Value::Map(map) => map,
            _ => return Err(section.error("", "expected a map")),
        };
        let mut listed = IndexMap::new();
        let mut inline = IndexMap::new();
        for (key, entry) in map {
            match (key.as_str(), entry.node().value()) {
                ("attributes", _) => listed = read_list(section)?,
                ("attributes_list", Value::Null) => {}
                ("attributes_list", _) => {
                    let message = "attributes_list is not currently supported, please use attributes";
                    return Err(section.error(key, message));
                }
                (option, _) if OPTIONS.contains(&option) => {}
                (_, Value::Null) => {
                    inline.insert(key.clone(), None);
                }
                (_, Value::String(text)) => {
                    inline.insert(key.clone(), Some(text.clone()));
                }
                _ => {
                    let message = format!("legacy resource attribute {key:?} must be string or null");
                    return Err(section.error(key, message));
                }
            }
        }
        if !listed.is_empty() && !inline.is_empty() {
            let message = "attributes cannot be used together with legacy inline resource attributes";
            return Err(section.error("attributes", message));
        }
        listed.extend(inline);
        Ok(Self { attributes: listed })
    }
}

fn read_list(section: &Section) -> Result<IndexMap<String, Option<String>>, ConfigError> {
    let Some(list) = section.get("attributes") else { return Ok(IndexMap::new()) };
    let attributes: Vec<NameValue> = list.parse()?;
    let text = |value| match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text),
        other => Some(other.to_string()),
    };
    Ok(attributes.into_iter().map(|NameValue { name, value, .. }| (name, text(value))).collect())
}
