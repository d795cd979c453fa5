use serde::Deserialize;
use spanmill_config::{ConfigError, Section};
use spanmill_pipeline::Signal;

/// Options of the `groupbyattrs` processor.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// The attributes that are moved to the resource. Without any, spans of the same resource and scope are only put together.
    keys: Vec<String>,
}

/// Reads the configuration: the keys, each once.
pub(super) fn read(section: &Section, signal: Signal) -> Result<Vec<String>, ConfigError> {
    let config: Config = section.parse()?;
    let mut keys: Vec<String> = Vec::new();
    for key in config.keys.into_iter().filter(|key| !key.is_empty()) {
        if keys.contains(&key) {
            tracing::warn!(key, "a grouping key is given twice");
        } else {
            keys.push(key);
        }
    }
    if signal != Signal::Traces && !keys.is_empty() {
        let message = "only spans can be grouped here; without keys metrics and logs pass through";
        return Err(section.error("keys", message));
    }
    Ok(keys)
}
