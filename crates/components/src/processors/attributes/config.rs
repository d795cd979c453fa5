use serde::Deserialize;
use spanmill_config::{ConfigError, Section};
use spanmill_pipeline::Signal;

use crate::processors::actions::{ActionConfig, Actions};
use crate::processors::selection::{PropertiesConfig, Selection};

/// Options of the `attributes` processor.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// What spans must be like.
    include: Option<PropertiesConfig>,
    /// What they must not be like.
    exclude: Option<PropertiesConfig>,
    /// What is done to their attributes, in order. There must be something.
    actions: Vec<ActionConfig>,
}

/// Reads the configuration.
pub(super) fn read(section: &Section, signal: Signal) -> Result<(Selection, Actions), ConfigError> {
    let config: Config = section.parse()?;
    let actions = Actions::compile(section, "actions", &config.actions)?;
    if signal != Signal::Traces {
        let message = format!("only attributes of spans can be changed here, not those of {}", signal.as_str());
        return Err(section.error("actions", message));
    }
    let selection = Selection::compile(section, config.include.as_ref(), config.exclude.as_ref())?;
    Ok((selection, actions))
}
