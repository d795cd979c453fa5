//! From `--config` and `--set` to one resolved tree.

mod expand;
mod merge;
mod providers;
mod uri;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use providers::Providers;
pub use uri::{SetFlag, SetFlagError, Uri, UriError};

use crate::{ConfigError, Map, Node, Place, Problem, Value};
use expand::Expander;
use merge::{merge, split_keys};

/// A configuration with all sources merged and all `${...}` put in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resolved {
    /// The configuration; a map.
    pub tree: Node,
    /// What is suspicious without being wrong, such as an environment variable that is not set.
    pub warnings: Vec<Problem>,
}

/// Reads all sources, merges them (later ones win, maps are joined, lists replaced), applies `--set`, puts in what `${...}`
/// stands for, and turns `$$` into `$`. Blocks while files and HTTP answers are read.
///
/// # Errors
///
/// Fails when no URI is given, when a source cannot be read or is no map, when a `${...}` cannot be resolved, and when a limit on
/// size, depth or number is exceeded.
pub fn load(uris: &[Uri], sets: &[SetFlag], providers: &Providers) -> Result<Resolved, ConfigError> {
    if uris.is_empty() {
        return Err(ConfigError::new("", "at least one config flag must be provided"));
    }
    let mut merged = Map::new();
    for (uri, label) in uris.iter().map(|uri| (uri, uri.label())).chain(sets.iter().map(|set| (set.uri(), set.label())))
    {
        let place = Place::new(Arc::from(label.as_str()), 1);
        let retrieved = providers.retrieve(uri, &label).map_err(|message| {
            let message = format!("cannot retrieve the configuration: {message}");
            ConfigError::from(Problem::new("", message).at(Some(place.clone())))
        })?;
        let map = match retrieved.node.value {
            Value::Map(map) => map,
            Value::Null => continue,
            _ => {
                let problem = retrieved.invalid_yaml.map_or_else(
                    || Problem::new("", "a configuration must be a map").at(retrieved.node.place.or(Some(place))),
                    |error| Problem::new("", error.message).at(Some(error.place)),
                );
                return Err(problem.into());
            }
        };
        merge(&mut merged, split_keys(map)?);
    }

    let mut expander = Expander::new(providers);
    let tree = expander.expand(merged)?;
    let warnings = expander.into_warnings();
    Ok(Resolved { tree: Node::new(Value::Map(split_keys(tree)?), None), warnings })
}
