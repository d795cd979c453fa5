use serde::Deserialize;
use spanmill_config::{ConfigError, Section};

use crate::processors::actions::{ActionConfig, Actions};

/// Options of the `resource` processor.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// What is done to the attributes of resources, in order. There must be something.
    attributes: Vec<ActionConfig>,
}

/// Reads the configuration.
pub(super) fn read(section: &Section) -> Result<Actions, ConfigError> {
    let config: Config = section.parse()?;
    Actions::compile(section, "attributes", &config.attributes)
}
