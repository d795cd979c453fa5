use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use spanmill_config::{ConfigError, Problem, Section};
use spanmill_otlp::Signal;
use spanmill_ottl::{Compiler, Condition, Context, ErrorMode, Paths};

use super::group::Group;
use crate::gates;

/// An item of a list of conditions.
#[derive(Debug)]
pub(super) enum Item {
    Text(String),
    Group(GroupConfig),
}

/// Conditions that belong together.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct GroupConfig {
    /// Where it is given, paths need no prefix: the conditions drop what this context is evaluated for.
    context: In,
    /// The conditions.
    conditions: Vec<String>,
    /// Replaces the processor's.
    error_mode: Option<Mode>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mode(ErrorMode);

/// A context, or none where the text is empty.
#[derive(Debug, Clone, Copy, Default)]
struct In(Option<Context>);

/// Where the conditions for a signal are written.
pub(super) struct List<'c> {
    pub(super) section: &'c Section,
    pub(super) key: &'static str,
    pub(super) signal: Signal,
    pub(super) mode: Mode,
}

// === impl List ===

impl List<'_> {
    /// Compiles the older form: a list for each context, with its name.
    pub(super) fn contexts(
        &self,
        key: &str,
        lists: &[(Context, &'static str, &Option<Vec<String>>)],
        problems: &mut Vec<Problem>,
    ) -> Group {
        let mut compiler = self.compiler();
        let mut conditions = Vec::new();
        for (context, name, list) in lists {
            let path = format!("{key}::{name}");
            let texts = list.iter().flatten();
            conditions.extend(self.compile(&path, &mut compiler, Paths::Unprefixed(*context), texts, problems));
        }
        Group::new(conditions, self.mode.0, compiler.finish())
    }

    pub(super) fn items(&self, items: &[Item], problems: &mut Vec<Problem>) -> Result<Vec<Group>, ConfigError> {
        let texts: Vec<&String> = items.iter().filter_map(Item::text).collect();
        if !texts.is_empty() && texts.len() < items.len() {
            let message = "conditions and groups of conditions cannot stand in one list";
            return Err(self.section.error(self.key, message));
        }
        let mut groups = Vec::new();
        if !texts.is_empty() {
            let mut compiler = self.compiler();
            let conditions = self.compile(self.key, &mut compiler, Paths::Prefixed, texts, problems);
            groups.push(Group::new(conditions, self.mode.0, compiler.finish()));
        }
        for (index, item) in items.iter().enumerate() {
            let Item::Group(group) = item else { continue };
            let mut compiler = self.compiler();
            if let Some(context) = group.context.0.filter(|context| !Context::of(self.signal).contains(context)) {
                let message = format!("context {context} is not one that {} have", self.signal.as_str());
                problems.push(self.section.problem(&format!("{}[{index}]::context", self.key), message));
                continue;
            }
            let paths = group.context.0.map_or(Paths::Prefixed, Paths::Unprefixed);
            let path = format!("{}[{index}]::conditions", self.key);
            let conditions = self.compile(&path, &mut compiler, paths, &group.conditions, problems);
            let mode = group.error_mode.unwrap_or(self.mode);
            groups.push(Group::new(conditions, mode.0, compiler.finish()));
        }
        Ok(groups)
    }

    fn compiler(&self) -> Compiler {
        gates::compiler().with_signal(self.signal).with_point_functions(true)
    }

    fn compile<'t>(
        &self,
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
                Err(error) => problems.push(self.section.problem(&format!("{path}[{index}]"), error)),
            }
        }
        compiled
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
