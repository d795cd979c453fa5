//! One component's part of the configuration.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::de::DeError;
use crate::node::{Entry, Step, join_path};
use crate::redact::without_put_in;
use crate::yaml::{self, YamlError};
use crate::{ConfigError, Map, Node, Problem, Value, de};

/// A part of the configuration with its path, from which a component reads its typed configuration.
///
/// Two sections are equal when path and content are, wherever they stand in the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    path: String,
    node: Node,
}

// === impl Section ===

impl Section {
    /// A section of `node` under `path`, like `receivers::otlp`.
    pub fn new(path: impl Into<String>, node: Node) -> Self {
        Self { path: path.into(), node }
    }

    /// A section that nobody wrote: everything has its default.
    pub fn empty(path: impl Into<String>) -> Self {
        Self::new(path, Node::default())
    }

    /// A section from YAML text without expansion, for tests and built-in defaults.
    ///
    /// # Errors
    ///
    /// Fails when `text` is no YAML.
    pub fn from_yaml(path: impl Into<String>, text: &str) -> Result<Self, ConfigError> {
        let path = path.into();
        match yaml::parse(text, &path) {
            Ok(node) => Ok(Self { path, node }),
            Err(YamlError { place, message }) => Err(Problem::new(path, message).at(Some(place)).into()),
        }
    }

    /// The path from the top of the configuration, like `receivers::otlp`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The content.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Whether the section was given without content (`otlp:`).
    pub fn is_null(&self) -> bool {
        self.node.is_null()
    }

    /// The part under `key`; `None` when it is not there.
    pub fn get(&self, key: &str) -> Option<Section> {
        let node = self.node.get(key)?.clone();
        Some(Self { path: format!("{}::{key}", self.path), node })
    }

    /// Puts the content of another section under a path of keys, in the place of what was there. What stands on the way and is no map becomes
    /// one.
    pub fn set(&mut self, keys: &[&str], content: &Section) {
        let mut node = &mut self.node;
        for key in keys {
            node.original = None;
            if !matches!(node.value, Value::Map(_)) {
                node.value = Value::Map(Map::new());
            }
            let Value::Map(map) = &mut node.value else { return };
            let entry = map.entry((*key).to_owned());
            node = &mut entry.or_insert_with(|| Entry { key_place: None, node: Node::default() }).node;
        }
        *node = content.node.clone();
    }

    /// The parts of a list; none where it is something else.
    pub fn items(&self) -> impl Iterator<Item = Section> {
        let items = match self.node.value() {
            Value::List(items) => items.as_slice(),
            _ => &[],
        };
        let nodes = items.iter().cloned().enumerate();
        nodes.map(|(index, node)| Self { path: format!("{}[{index}]", self.path), node })
    }

    /// Reads a typed configuration. Use `#[serde(deny_unknown_fields, default)]` on structs, and
    /// [`OptionalBlock`](crate::OptionalBlock) for blocks that are switched on by being there; `#[serde(flatten)]` and
    /// untagged enums lose places, the original text of expanded values and the meaning of empty keys.
    ///
    /// # Errors
    ///
    /// Fails at the first key that `T` does not know and at the first value of another type.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        de::deserialize(&self.node).map_err(|error| self.located(error).into())
    }

    /// The same where the Collector passes over keys that it does not know: in these blocks, by their paths relative to the section, of which the
    /// section itself is `""`. What was passed over comes back as well.
    ///
    /// # Errors
    ///
    /// As [`Section::parse`], for keys in other blocks.
    pub fn parse_passing<T: DeserializeOwned>(&self, blocks: &[&str]) -> Result<(T, Vec<Problem>), ConfigError> {
        let passes = |steps: &[Step]| blocks.contains(&join_path("", steps).as_str());
        let (value, passed) =
            de::deserialize_passing(&self.node, passes).map_err(|error| ConfigError::from(self.located(error)))?;
        Ok((value, passed.into_iter().map(|error| self.located(error)).collect()))
    }

    fn located(&self, error: DeError) -> Problem {
        let problem = error.into_problem(&self.path);
        let place = problem.place.clone().or_else(|| self.node.place().cloned());
        problem.at(place)
    }

    /// An error of this section. `subpath` is relative, like `protocols::grpc::endpoint`, or empty for the whole section; the
    /// place is that of the subpath or of what encloses it.
    pub fn error(&self, subpath: &str, message: impl fmt::Display) -> ConfigError {
        self.problem(subpath, message).into()
    }

    /// As [`Section::error`], to collect several.
    pub fn problem(&self, subpath: &str, message: impl fmt::Display) -> Problem {
        let path = match (self.path.as_str(), subpath) {
            (path, "") | ("", path) => path.to_owned(),
            (path, subpath) => format!("{path}::{subpath}"),
        };
        let (node, place) = self.node.nearest(subpath);
        Problem::new(path, without_put_in(message.to_string(), node)).at(place.cloned())
    }

    /// A problem of the whole section, told with names of components and pipelines alone. These are keys, which nothing was put in for `${...}`, so
    /// all of them are shown: a value that has such a word in it by chance does not hide it.
    pub fn problem_of_names(&self, message: impl fmt::Display) -> Problem {
        Problem::new(self.path.clone(), message).at(self.node.place().cloned())
    }
}
