//! The configuration as components and pipelines.

use std::fmt;
use std::str::FromStr;

use indexmap::IndexMap;
use serde::Deserialize;

use crate::node::Entry;
use crate::{ComponentId, ConfigError, IdError, Kind, Map, Node, PipelineId, Problem, Section, Value};

/// The configured components of one kind, in the order of the file.
pub type Components = IndexMap<ComponentId, Section>;

/// A whole configuration: what is to be built, and how it is wired.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// `receivers`.
    pub receivers: Components,
    /// `processors`.
    pub processors: Components,
    /// `exporters`.
    pub exporters: Components,
    /// `connectors`.
    pub connectors: Components,
    /// `extensions`.
    pub extensions: Components,
    /// `service`.
    pub service: Service,
    root: Section,
}

/// `service`: which of the configured components are used, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Service {
    /// The extensions to start, in this order.
    pub extensions: Vec<ComponentId>,
    /// The pipelines.
    pub pipelines: IndexMap<PipelineId, PipelineConfig>,
    /// `telemetry`: what is told about the process itself.
    pub telemetry: Section,
}

/// One pipeline: its parts by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PipelineConfig {
    /// Where telemetry comes from: receivers, or connectors that are exporters elsewhere.
    pub receivers: Vec<ComponentId>,
    /// What is done with it, in this order.
    pub processors: Vec<ComponentId>,
    /// Where it goes: exporters, or connectors that are receivers elsewhere.
    pub exporters: Vec<ComponentId>,
}

/// The top-level keys.
const KEYS: &[&str] = &["receivers", "processors", "exporters", "connectors", "extensions", "service"];
/// The keys of `service`.
const SERVICE_KEYS: &[&str] = &["extensions", "pipelines", "telemetry"];

// === impl Document ===

impl Document {
    /// Reads components and pipelines out of a resolved configuration. All problems are gathered, not the first one only.
    ///
    /// # Errors
    ///
    /// Fails on unknown keys, on ids that are none, and on values of another type. What ids refer to is not looked at here.
    pub fn from_tree(tree: Node) -> Result<Self, ConfigError> {
        let root = Section::new("", tree);
        let mut document = Self::default();
        let mut problems = Vec::new();
        for (key, entry) in entries(&root, &mut problems) {
            let part = Section::new(key.as_str(), entry.node.clone());
            match Kind::ALL.into_iter().find(|kind| kind.section() == key.as_str()) {
                Some(kind) => *document.components_mut(kind) = read_components(&part, &mut problems),
                None if key == "service" => document.service = Service::read(&part, &mut problems),
                None => problems.push(unknown_key(&root, key, entry, KEYS)),
            }
        }
        ConfigError::all(problems)?;
        document.root = root;
        Ok(document)
    }

    /// The components of a kind.
    pub fn components(&self, kind: Kind) -> &Components {
        match kind {
            Kind::Receiver => &self.receivers,
            Kind::Processor => &self.processors,
            Kind::Exporter => &self.exporters,
            Kind::Connector => &self.connectors,
            Kind::Extension => &self.extensions,
        }
    }

    /// The whole configuration as one section with an empty path.
    pub fn root(&self) -> &Section {
        &self.root
    }

    /// An error at a path from the top, like `service::pipelines::traces`.
    pub fn error(&self, path: &str, message: impl fmt::Display) -> ConfigError {
        self.problem(path, message).into()
    }

    /// As [`Document::error`], to collect several.
    pub fn problem(&self, path: &str, message: impl fmt::Display) -> Problem {
        self.root.problem(path, message)
    }

    /// As [`Document::problem`], told with names of components and pipelines alone: see [`Section::problem_of_names`].
    pub(crate) fn problem_of_names(&self, path: &str, message: impl fmt::Display) -> Problem {
        let place = self.problem(path, "").place;
        Problem::new(path, message).at(place)
    }

    fn components_mut(&mut self, kind: Kind) -> &mut Components {
        match kind {
            Kind::Receiver => &mut self.receivers,
            Kind::Processor => &mut self.processors,
            Kind::Exporter => &mut self.exporters,
            Kind::Connector => &mut self.connectors,
            Kind::Extension => &mut self.extensions,
        }
    }
}

// === impl Service ===

impl Service {
    fn read(section: &Section, problems: &mut Vec<Problem>) -> Self {
        let mut service = Self::default();
        for (key, entry) in entries(section, problems) {
            let part = Section::new(format!("service::{key}"), entry.node.clone());
            match key.as_str() {
                "extensions" => service.extensions = collect(part.parse(), problems),
                "pipelines" => service.pipelines = read_pipelines(&part, problems),
                "telemetry" => service.telemetry = part,
                _ => problems.push(unknown_key(section, key, entry, SERVICE_KEYS)),
            }
        }
        if service.telemetry.path().is_empty() {
            service.telemetry = Section::empty("service::telemetry");
        }
        service
    }
}

fn read_components(section: &Section, problems: &mut Vec<Problem>) -> Components {
    let components: Components = read_ids(section, problems).collect();
    for part in components.values() {
        if !matches!(part.node().value(), Value::Map(_) | Value::Null) {
            problems.push(part.problem("", "expected a map"));
        }
    }
    components
}

fn read_pipelines(section: &Section, problems: &mut Vec<Problem>) -> IndexMap<PipelineId, PipelineConfig> {
    let parts: Vec<(PipelineId, Section)> = read_ids(section, problems).collect();
    parts.into_iter().map(|(id, part)| (id, collect(part.parse(), problems))).collect()
}

/// The entries of a section whose keys are ids. Ids that differ in spaces only are the same id given twice.
fn read_ids<I>(section: &Section, problems: &mut Vec<Problem>) -> impl Iterator<Item = (I, Section)> + use<I>
where
    I: FromStr<Err = IdError> + PartialEq + fmt::Display + std::hash::Hash + Eq,
{
    let mut found: IndexMap<I, Section> = IndexMap::new();
    for (key, entry) in entries(section, problems) {
        match key.parse::<I>() {
            Ok(id) if found.contains_key(&id) => {
                problems.push(section.problem("", format_args!("duplicate name {key:?}")).at(entry.key_place.clone()));
            }
            Ok(id) => {
                let part = Section::new(format!("{}::{id}", section.path()), entry.node.clone());
                found.insert(id, part);
            }
            Err(error) => problems.push(section.problem("", error).at(entry.key_place.clone())),
        }
    }
    found.into_iter()
}

/// The entries of a section that must be a map or nothing.
fn entries<'a>(
    section: &'a Section,
    problems: &mut Vec<Problem>,
) -> impl Iterator<Item = (&'a String, &'a Entry)> + use<'a> {
    let map: Option<&Map> = match section.node().value() {
        Value::Map(map) => Some(map),
        Value::Null => None,
        _ => {
            problems.push(section.problem("", "expected a map"));
            None
        }
    };
    map.into_iter().flatten()
}

/// The value, or its default after the problems were taken out.
fn collect<T: Default>(result: Result<T, ConfigError>, problems: &mut Vec<Problem>) -> T {
    result.unwrap_or_else(|error| {
        problems.extend(error.into_problems());
        T::default()
    })
}

fn unknown_key(section: &Section, key: &str, entry: &Entry, valid: &[&str]) -> Problem {
    let problem = section.problem("", format_args!("unknown key {key:?}")).at(entry.key_place.clone());
    Problem {
        suggestion: crate::suggest::nearest(key, valid.iter().copied()),
        hint: Some(format!("valid keys: {}", valid.join(", "))),
        ..problem
    }
}
