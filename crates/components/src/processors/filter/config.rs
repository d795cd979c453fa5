use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use spanmill_config::{ConfigError, Problem, Section, Value};
use spanmill_ottl::{Compiler, Condition, ConditionSet, Context, ErrorMode, Paths};

use super::super::selection::{PropertiesConfig, Selection};
use super::group::Group;
use crate::gates;

/// Options of the `filter` processor.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// What becomes of an error while a condition is evaluated: `ignore` logs it and goes on with the next condition,
    /// `silent` goes on without a word, `propagate` refuses the whole request.
    error_mode: Mode,
    /// Conditions, any of which drops what it is met by. Paths begin with the name of their context, and the lowest context
    /// that a condition names decides what it drops. Either a list of texts, or a list of groups.
    trace_conditions: Vec<Item>,
    /// The same with one list a context, and paths without prefix. `trace_conditions` replaces it.
    traces: Contexts,
    /// The oldest form: spans by their properties, where there are no conditions.
    spans: Match,
    metrics: IgnoredAny,
    logs: IgnoredAny,
    profiles: IgnoredAny,
    metric_conditions: IgnoredAny,
    log_conditions: IgnoredAny,
    profile_conditions: IgnoredAny,
}

/// `traces`: one list a context.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Contexts {
    resource: Option<Vec<String>>,
    span: Option<Vec<String>>,
    spanevent: Option<Vec<String>>,
}

/// `spans`: which spans stay.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Match {
    include: Option<PropertiesConfig>,
    exclude: Option<PropertiesConfig>,
}

/// What is dropped.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// Applied one after the other, each to what the previous one left.
    pub(super) groups: Vec<Group>,
    /// Spans that stay; all where nothing is said.
    pub(super) kept: Option<Selection>,
}

/// An item of `trace_conditions`.
#[derive(Debug)]
enum Item {
    Text(String),
    Group(GroupConfig),
}

/// Conditions that belong together.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct GroupConfig {
    /// Where it is given, paths need no prefix: the conditions drop what this context is evaluated for.
    context: In,
    /// The conditions.
    conditions: Vec<String>,
    /// Replaces the processor's.
    error_mode: Option<Mode>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Mode(ErrorMode);

/// A context, or none where the text is empty.
#[derive(Debug, Clone, Copy, Default)]
struct In(Option<Context>);

/// Reads the configuration.
pub(super) fn read(section: &Section) -> Result<Rules, ConfigError> {
    let config: Config = section.parse()?;
    let Match { include, exclude } = &config.spans;
    let by_properties = include.is_some() || exclude.is_some();
    let Contexts { resource, span, spanevent } = &config.traces;
    let lists = [(Context::Resource, resource), (Context::Span, span), (Context::SpanEvent, spanevent)];
    let legacy = lists.iter().any(|(_, list)| list.is_some());
    if legacy && by_properties {
        let message = "cannot use \"traces.resource\", \"traces.span\", \"traces.spanevent\" and the span settings \
                       \"spans.include\", \"spans.exclude\" at the same time";
        return Err(section.error("spans", message));
    }
    let groups = match section.get("trace_conditions") {
        None if legacy => from_contexts(section, config.error_mode.0, lists),
        None if by_properties => {
            let kept = Selection::compile_under(section, "spans::", include.as_ref(), exclude.as_ref())?;
            return Ok(Rules { groups: Vec::new(), kept: Some(kept) });
        }
        None => Ok(Vec::new()),
        Some(_) if legacy => Err(section
            .error("trace_conditions", "cannot be used together with traces: the latter is the older form of it")),
        Some(given) if given.is_null() => Err(section.error("trace_conditions", "expected a list of conditions")),
        Some(_) => from_items(section, config.error_mode.0, &config.trace_conditions),
    };
    Ok(Rules { groups: groups?, kept: None })
}

/// Refuses conditions on another signal: nothing here can evaluate them.
pub(super) fn refuse_conditions(section: &Section, keys: [&str; 2]) -> Result<(), ConfigError> {
    section.parse::<Config>()?;
    for key in keys {
        let empty = section.get(key).is_none_or(|given| match given.node().value() {
            Value::Null => true,
            Value::Map(map) => map.is_empty(),
            Value::List(list) => list.is_empty(),
            _ => false,
        });
        if !empty {
            let message = "only spans can be filtered here; without these conditions metrics and logs pass through";
            return Err(section.error(key, message));
        }
    }
    Ok(())
}

fn from_contexts(
    section: &Section,
    mode: ErrorMode,
    lists: [(Context, &Option<Vec<String>>); 3],
) -> Result<Vec<Group>, ConfigError> {
    let mut compiler = gates::compiler();
    let mut problems = Vec::new();
    let mut conditions = Vec::new();
    for (context, list) in lists {
        let path = format!("traces::{context}");
        let texts = list.iter().flatten();
        conditions.extend(compile(section, &path, &mut compiler, Paths::Unprefixed(context), texts, &mut problems));
    }
    ConfigError::all(problems)?;
    Ok(vec![Group::new(conditions, mode, compiler.finish())])
}

fn from_items(section: &Section, mode: ErrorMode, items: &[Item]) -> Result<Vec<Group>, ConfigError> {
    let texts: Vec<&String> = items.iter().filter_map(Item::text).collect();
    if !texts.is_empty() && texts.len() < items.len() {
        return Err(section.error("trace_conditions", "conditions and groups of conditions cannot stand in one list"));
    }
    let mut problems = Vec::new();
    let mut groups = Vec::new();
    if !texts.is_empty() {
        let mut compiler = gates::compiler();
        let path = "trace_conditions";
        let conditions = compile(section, path, &mut compiler, Paths::Prefixed, texts, &mut problems);
        groups.push(Group::new(conditions, mode, compiler.finish()));
    }
    for (index, item) in items.iter().enumerate() {
        let Item::Group(group) = item else { continue };
        let mut compiler = gates::compiler();
        let paths = group.context.0.map_or(Paths::Prefixed, Paths::Unprefixed);
        let path = format!("trace_conditions[{index}]::conditions");
        let conditions = compile(section, &path, &mut compiler, paths, &group.conditions, &mut problems);
        let mode = group.error_mode.map_or(mode, |mode| mode.0);
        groups.push(Group::new(conditions, mode, compiler.finish()));
    }
    ConfigError::all(problems)?;
    Ok(groups)
}

fn compile<'t>(
    section: &Section,
    path: &str,
    compiler: &mut Compiler,
    paths: Paths,
    texts: impl IntoIterator<Item = &'t String>,
    problems: &mut Vec<Problem>,
) -> Vec<Condition> {
    let mut compiled = Vec::new();
    for (index, text) in texts.into_iter().enumerate() {
        match Condition::parse(compiler, paths, text) {
            Ok(condition) => compiled.push(condition),
            Err(error) => problems.push(section.problem(&format!("{path}[{index}]"), error)),
        }
    }
    compiled
}

// === impl Rules ===

impl Rules {
    pub(super) fn are_empty(&self) -> bool {
        self.groups.is_empty() && self.kept.is_none()
    }
}

// === impl Group ===

impl Group {
    fn new(conditions: Vec<Condition>, mode: ErrorMode, slots: spanmill_ottl::Slots) -> Self {
        let (mut resource, mut scope, mut span, mut event) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for condition in conditions {
            match condition.context() {
                Context::Resource => resource.push(condition),
                Context::Scope => scope.push(condition),
                Context::Span => span.push(condition),
                Context::SpanEvent => event.push(condition),
            }
        }
        let set = |conditions| ConditionSet::new(conditions, mode);
        Self { slots, resource: set(resource), scope: set(scope), span: set(span), event: set(event) }
    }
}

// === impl Item ===

impl Item {
    fn text(&self) -> Option<&String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Group(_) => None,
        }
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemVisitor;

        impl<'de> Visitor<'de> for ItemVisitor {
            type Value = Item;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a condition, or a group with context, conditions and error_mode")
            }

            fn visit_str<E>(self, text: &str) -> Result<Item, E> {
                Ok(Item::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Item, A::Error> {
                GroupConfig::deserialize(MapAccessDeserializer::new(map)).map(Item::Group)
            }
        }

        deserializer.deserialize_any(ItemVisitor)
    }
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
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(Self(None));
        }
        text.parse().map(|context| Self(Some(context))).map_err(serde::de::Error::custom)
    }
}
