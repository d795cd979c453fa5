use serde::Deserialize;
use spanmill_config::{ConfigError, Section};
use spanmill_pipeline::Signal;

use crate::processors::actions::{ActionConfig, Actions};

/// Options of the `resource` processor.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// What is done to the attributes of resources, in order. There must be something.
    attributes: Vec<ActionConfig>,
}

/// Reads the configuration.
pub(super) fn read(section: &Section, signal: Signal) -> Result<Actions, ConfigError> {
    let config: Config = section.parse()?;
    let actions = Actions::compile(section, "attributes", &config.attributes)?;
    if signal != Signal::Traces {
        let message = format!("only resources of spans can be changed here, not those of {}", signal.as_str());
        return Err(section.error("attributes", message));
    }
    Ok(actions)
}
