use serde::Deserialize;
use spanmill_config::{ConfigError, Section};
use spanmill_pipeline::Signal;

use crate::processors::actions::{ActionConfig, Actions};
use crate::processors::selection::{ItemSelection, PropertiesConfig, Selection};

/// Options of the `attributes` processor.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// What spans, log records and metrics must be like.
    include: Option<PropertiesConfig>,
    /// What they must not be like.
    exclude: Option<PropertiesConfig>,
    /// What is done to their attributes, in order. There must be something.
    actions: Vec<ActionConfig>,
}

/// What is changed, in pipelines of a signal.
pub(super) enum Selected {
    Spans(Box<Selection>),
    Items(ItemSelection),
}

/// Reads the configuration.
pub(super) fn read(section: &Section, signal: Signal) -> Result<(Selected, Actions), ConfigError> {
    let config: Config = section.parse()?;
    let actions = Actions::compile(section, "actions", &config.actions)?;
    let (include, exclude) = (config.include.as_ref(), config.exclude.as_ref());
    // Which properties there may be depends on the pipeline.
    let selected = selected(section, signal, include, exclude).map_err(ConfigError::at_creation)?;
    Ok((selected, actions))
}

fn selected(
    section: &Section,
    signal: Signal,
    include: Option<&PropertiesConfig>,
    exclude: Option<&PropertiesConfig>,
) -> Result<Selected, ConfigError> {
    Ok(match signal {
        Signal::Traces => Selected::Spans(Box::new(Selection::compile(section, include, exclude)?)),
        Signal::Metrics => Selected::Items(ItemSelection::of_metrics(section, include, exclude)?),
        Signal::Logs => Selected::Items(ItemSelection::of_logs(section, include, exclude)?),
    })
}
