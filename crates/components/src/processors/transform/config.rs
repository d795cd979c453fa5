use std::fmt;
use std::sync::Arc;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use spanmill_config::{ConfigError, Problem, Section, Value};
use spanmill_otlp::Signal;
use spanmill_ottl::{Context, ErrorMode, Sequence, SequenceText, SharedCache};

use super::Group;
use crate::gates;

/// Options of the `transform` processor.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// What becomes of an error while a statement is executed: `ignore` logs it and goes on with the next statement,
    /// `silent` goes on without a word, `propagate` refuses the whole request.
    error_mode: Mode,
    /// What is done to spans: a list of statements whose paths begin with the name of their context, or a list of groups.
    trace_statements: Vec<Item>,
    /// The same for metrics and their points.
    metric_statements: Vec<Item>,
    /// The same for log records.
    log_statements: Vec<Item>,
    /// Statements on profiles are read, but there are none to run them on.
    profile_statements: Vec<OtherItem>,
    /// Concerns logs; behind a feature gate of the Collector.
    flatten_data: bool,
}

/// An item of a list of statements.
#[derive(Debug)]
enum Item {
    Text(String),
    Group(GroupConfig),
}

/// An item of the list for profiles.
#[derive(Debug)]
enum OtherItem {
    Text(String),
    Group(OtherGroup),
}

/// Statements on profiles that belong together.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OtherGroup {
    context: IgnoredAny,
    conditions: IgnoredAny,
    statements: Vec<String>,
    error_mode: Option<Mode>,
    shared_cache: bool,
}

/// Statements that belong together.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct GroupConfig {
    /// Where it is given, paths need no prefix.
    context: In,
    /// Conditions of which one must be met.
    conditions: Vec<String>,
    /// The statements.
    statements: Vec<String>,
    /// Replaces the processor's.
    error_mode: Option<Mode>,
    /// Whether the cache is shared with the other groups of the same context that say so.
    shared_cache: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Mode(ErrorMode);

/// A context, or none.
#[derive(Debug, Clone, Copy, Default)]
struct In(Option<Context>);

/// Reads the configuration, and gives what is for a signal. Groups are applied one after the other, each to what the previous one left.
pub(super) fn read(section: &Section, signal: Signal) -> Result<Vec<Group>, ConfigError> {
    let config: Config = section.parse()?;
    if config.flatten_data {
        let message = "needs the Collector's feature gate transform.flatten.logs, which there is not";
        return Err(section.error("flatten_data", message));
    }
    for key in ["trace_statements", "metric_statements", "log_statements", "profile_statements"] {
        if section.get(key).is_some_and(|given| !matches!(given.node().value(), Value::List(_))) {
            return Err(section.error(key, "expected a list of statements"));
        }
    }
    check_profiles(section, &config.profile_statements)?;
    let mode = config.error_mode.0;
    let lists = [
        ("trace_statements", Signal::Traces, config.trace_statements),
        ("metric_statements", Signal::Metrics, config.metric_statements),
        ("log_statements", Signal::Logs, config.log_statements),
    ];
    let (mut problems, mut wanted) = (Vec::new(), Vec::new());
    for (key, of, items) in lists {
        let groups = List { section, key, signal: of, mode }.compile(items, &mut problems)?;
        if of == signal {
            wanted = groups;
        }
    }
    ConfigError::all(problems)?;
    Ok(wanted)
}

/// Checks the grammar of statements on profiles; what they name is known to the Collector alone.
fn check_profiles(section: &Section, items: &[OtherItem]) -> Result<(), ConfigError> {
    let mut problems = Vec::new();
    for (index, item) in items.iter().enumerate() {
        for statement in item.statements() {
            if let Err(error) = Sequence::check_grammar(statement) {
                problems.push(section.problem(&format!("profile_statements[{index}]"), error));
            }
        }
    }
    ConfigError::all(problems)
}

/// The cache of the groups of a context that share one.
fn shared(groups: &[Group], context: Context) -> Arc<SharedCache> {
    let known = groups.iter().filter(|group| group.sequence.context() == context);
    known.filter_map(|group| group.shared.clone()).next().unwrap_or_default()
}

/// The statements for a signal.
struct List<'c> {
    section: &'c Section,
    key: &'static str,
    signal: Signal,
    mode: ErrorMode,
}

/// Where a group is written.
enum Place {
    /// As an item of the list.
    Group(usize),
    /// As the texts among the items.
    List(Vec<usize>),
}

// === impl List ===

impl List<'_> {
    fn compile(&self, items: Vec<Item>, problems: &mut Vec<Problem>) -> Result<Vec<Group>, ConfigError> {
        let mut compiled: Vec<Group> = Vec::new();
        for (place, group) in self.groups(items)? {
            if group.context.0.is_none() && group.statements.is_empty() && group.conditions.is_empty() {
                let message = "a group without statements must say its context";
                problems.push(self.section.problem(&place.path(self.key, "statements", 0), message));
                continue;
            }
            let text =
                SequenceText { context: group.context.0, statements: &group.statements, conditions: &group.conditions };
            let mode = group.error_mode.map_or(self.mode, |mode| mode.0);
            match Sequence::parse(text, mode, gates::compiler().with_signal(self.signal)) {
                Ok(sequence) => {
                    let shared = group.shared_cache.then(|| shared(&compiled, sequence.context()));
                    compiled.push(Group { sequence, shared });
                }
                Err(errors) => {
                    let problem =
                        |(at, error), list: &str| self.section.problem(&place.path(self.key, list, at), error);
                    problems.extend(errors.statements.into_iter().map(|failed| problem(failed, "statements")));
                    problems.extend(errors.conditions.into_iter().map(|failed| problem(failed, "conditions")));
                }
            }
        }
        Ok(compiled)
    }

    /// The groups that are written; statements that stand alone are one together.
    fn groups(&self, items: Vec<Item>) -> Result<Vec<(Place, GroupConfig)>, ConfigError> {
        let mut texts: Vec<(usize, String)> = Vec::new();
        let mut groups: Vec<(Place, GroupConfig)> = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            match item {
                Item::Text(text) => texts.push((index, text)),
                Item::Group(_) if !texts.is_empty() => {
                    let message = "statements and groups of statements cannot stand in one list";
                    return Err(self.section.error(self.key, message));
                }
                Item::Group(group) => groups.push((Place::Group(index), group)),
            }
        }
        if !texts.is_empty() {
            let (places, statements) = texts.into_iter().unzip();
            groups.push((Place::List(places), GroupConfig { statements, ..GroupConfig::default() }));
        }
        Ok(groups)
    }
}

// === impl Place ===

impl Place {
    fn path(&self, key: &str, list: &str, at: usize) -> String {
        match self {
            Self::Group(index) => format!("{key}[{index}]::{list}[{at}]"),
            Self::List(places) => format!("{key}[{}]", places.get(at).copied().unwrap_or(at)),
        }
    }
}

// === impl Item ===

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_group(deserializer, Self::Text, Self::Group)
    }
}

// === impl OtherItem ===

impl OtherItem {
    fn statements(&self) -> &[String] {
        match self {
            Self::Text(text) => std::slice::from_ref(text),
            Self::Group(group) => &group.statements,
        }
    }
}

impl<'de> Deserialize<'de> for OtherItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_group(deserializer, Self::Text, Self::Group)
    }
}

/// Reads a statement, or a group of statements.
fn text_or_group<'de, D, G, T>(deserializer: D, text: fn(String) -> T, group: fn(G) -> T) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    G: DeserializeOwned,
{
    struct ItemVisitor<G, T>(fn(String) -> T, fn(G) -> T);

    impl<'de, G: DeserializeOwned, T> Visitor<'de> for ItemVisitor<G, T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a statement, or a group with context, conditions, statements, error_mode and shared_cache")
        }

        fn visit_str<E>(self, text: &str) -> Result<T, E> {
            Ok(self.0(text.to_owned()))
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            G::deserialize(MapAccessDeserializer::new(map)).map(self.1)
        }
    }

    deserializer.deserialize_any(ItemVisitor(text, group))
}

// === impl Mode ===

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

// === impl In ===

impl<'de> Deserialize<'de> for In {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(|context| Self(Some(context))).map_err(serde::de::Error::custom)
    }
}
