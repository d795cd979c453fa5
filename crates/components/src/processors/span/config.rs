use serde::Deserialize;
use spanmill_config::{ConfigError, Section};

use super::edits::{Edits, EditsBuilder};
use super::rule::RuleError;
use crate::processors::selection::{PropertiesConfig, Selection};

/// Options of the `span` processor. At least one of `name::from_attributes`, `name::to_attributes::rules` and `status` must be given.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// What spans must be like.
    include: Option<PropertiesConfig>,
    /// What they must not be like.
    exclude: Option<PropertiesConfig>,
    /// Their names.
    name: Name,
    /// Their status.
    status: Option<Status>,
}

/// `name`: what it is made of, and what is taken out of it, in this order.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Name {
    /// Attributes whose values are the new name. A span that has not all of them keeps its name.
    from_attributes: Vec<String>,
    /// What stands between two values.
    separator: String,
    /// Attributes that are taken out of the name.
    to_attributes: Option<ToAttributes>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ToAttributes {
    /// Patterns. What a group matches becomes the attribute that is called like the group, and is replaced by that name in braces. Each
    /// pattern works on the name that the one before has left.
    rules: Vec<String>,
    /// Whether the first pattern that matches is the last one.
    break_after_match: bool,
    /// Whether names stay as they are.
    keep_original_name: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Status {
    /// `Unset`, `Ok` or `Error`.
    code: String,
    /// What the error is; for `Error` alone.
    description: String,
}

/// Reads the configuration.
pub(super) fn read(section: &Section) -> Result<(Selection, Edits), ConfigError> {
    compile(section, section.parse()?).map_err(ConfigError::at_creation)
}

fn compile(section: &Section, config: Config) -> Result<(Selection, Edits), ConfigError> {
    let Config { include, exclude, name, status } = config;
    let to_attributes = name.to_attributes.unwrap_or_default();
    if name.from_attributes.is_empty() && to_attributes.rules.is_empty() && status.is_none() {
        let message = "one of name::from_attributes, name::to_attributes::rules and status must be specified";
        return Err(section.error("", message));
    }
    let mut builder = EditsBuilder::default();
    if let Some(Status { code, description }) = &status {
        let code = match code.as_str() {
            "Unset" => 0,
            "Ok" => 1,
            "Error" => 2,
            _ => return Err(section.error("status::code", format!("{code:?} is no status: Unset, Ok or Error"))),
        };
        if code != 2 && !description.is_empty() {
            return Err(section.error("status::description", "can be specified for the code Error only"));
        }
        builder.set_status(code, description);
    }
    builder.name_by(&name.from_attributes, &name.separator);
    for (index, rule) in to_attributes.rules.iter().enumerate() {
        let added = builder.add_rule(rule);
        added.map_err(|error: RuleError| section.error(&format!("name::to_attributes::rules[{index}]"), error))?;
    }
    builder.break_after_match = to_attributes.break_after_match;
    builder.keep_name = to_attributes.keep_original_name;
    Ok((Selection::compile(section, include.as_ref(), exclude.as_ref())?, builder.build()))
}
