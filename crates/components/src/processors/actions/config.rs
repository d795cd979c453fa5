//! The options of an action, and what is made of them.

use std::collections::HashMap;

use regex::bytes::Regex;
use serde::Deserialize;
use spanmill_config::{ConfigError, Problem, Section};
use spanmill_otlp::{KeyTable, Slot};
use spanmill_ottl::compile_re2_groups;

use super::convert::ConvertTo;
use super::origin::Origin;
use super::{Action, Actions, KeyPattern, Source, When};
use crate::processors::literal::Literal;

/// An item of the list of actions.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in super::super) struct ActionConfig {
    /// The attribute to act on.
    key: String,
    /// What is set, of any type.
    value: Option<Literal>,
    /// What is set where `from_attribute` or `from_context` have no value.
    default_value: Option<Literal>,
    /// For `extract` what is taken out of the value, by named groups; for `delete` and `hash` which keys are meant as well.
    pattern: String,
    /// The attribute whose value is set.
    from_attribute: String,
    /// What about the client is set: `metadata.<key>`, `auth.<key>` or `client.address`.
    from_context: String,
    /// The type to convert to: `string`, `int` or `double`.
    converted_type: String,
    /// What to do, in any case.
    action: String,
}

/// Keys and their numbers.
#[derive(Debug, Default)]
struct Keys {
    names: Vec<String>,
    slots: HashMap<String, Slot>,
}

/// More different keys than this cannot be numbered.
const MOST_KEYS: usize = 65_534;

/// What an action is compiled in: which one it is, and what is made of all.
struct Compiler<'a> {
    keys: Keys,
    origins: Vec<Origin>,
    section: &'a Section,
    list: &'a str,
    problems: Vec<Problem>,
}

/// An option of an action, and what is wrong with it.
type Mistake = (&'static str, String);

// === impl Actions ===

impl Actions {
    /// Compiles the actions that stand in the list `list` of a section.
    pub(in super::super) fn compile(
        section: &Section,
        list: &str,
        configs: &[ActionConfig],
    ) -> Result<Self, ConfigError> {
        if configs.is_empty() {
            return Err(section.error(list, format!("missing required field {list:?}")));
        }
        let (keys, origins, problems) = (Keys::default(), Vec::new(), Vec::new());
        let mut compiler = Compiler { keys, origins, section, list, problems };
        let mut actions: Vec<Action> =
            configs.iter().enumerate().filter_map(|(index, config)| compiler.action(index, config)).collect();
        let Compiler { keys, origins, mut problems, .. } = compiler;
        if keys.names.len() > MOST_KEYS {
            problems.push(section.problem(list, format!("more than {MOST_KEYS} different keys")));
        }
        ConfigError::all(problems).map_err(ConfigError::at_creation)?;
        let mut patterns = false;
        for action in &mut actions {
            if let Action::Delete { keys: Some(named), .. } | Action::Hash { keys: Some(named), .. } = action {
                named.known = keys.names.iter().map(|name| named.pattern.is_match(name.as_bytes())).collect();
                patterns = true;
            }
        }
        Ok(Self { actions, table: KeyTable::new(&keys.names), names: keys.names, origins, patterns })
    }
}

// === impl Compiler ===

impl Compiler<'_> {
    fn action(&mut self, index: usize, config: &ActionConfig) -> Option<Action> {
        self.compile(config)
            .map_err(|(option, message)| {
                let path = format!("{}[{index}]::{option}", self.list);
                self.problems.push(self.section.problem(&path, message));
            })
            .ok()
    }

    fn compile(&mut self, config: &ActionConfig) -> Result<Action, Mistake> {
        let action = config.action.to_lowercase();
        let needs_key = !matches!(action.as_str(), "delete" | "hash");
        if config.key.is_empty() && needs_key {
            return Err(("key", "missing: the action needs an attribute to act on".to_owned()));
        }
        match action.as_str() {
            "insert" => self.set(config, When::Absent),
            "update" => self.set(config, When::Present),
            "upsert" => self.set(config, When::Always),
            "delete" | "hash" => self.remove_or_hash(config, action == "hash"),
            "extract" => self.extract(config),
            "convert" => self.convert(config),
            _ => {
                let known = "insert, update, upsert, delete, hash, extract and convert";
                Err(("action", format!("unsupported action {:?}, valid are {known}", config.action)))
            }
        }
    }

    fn set(&mut self, config: &ActionConfig, when: When) -> Result<Action, Mistake> {
        config.refuse(&["pattern", "converted_type"])?;
        let given = ["value", "from_attribute", "from_context"].into_iter().filter(|option| config.has(option));
        match (given.count(), &config.default_value) {
            (0, None) => {
                let message = "missing: one of value, from_attribute, from_context and default_value must be given";
                return Err(("value", message.to_owned()));
            }
            (0 | 1, _) => {}
            _ => return Err(("value", "only one of value, from_attribute and from_context can be given".to_owned())),
        }
        let origin = config.has("from_context").then(|| {
            self.origins.push(Origin::parse(&config.from_context));
            self.origins.len() - 1
        });
        let source = Source {
            value: config.value.clone(),
            origin,
            attribute: config.has("from_attribute").then(|| self.keys.slot(&config.from_attribute)),
            default: config.default_value.clone(),
        };
        Ok(Action::Set { key: self.keys.slot(&config.key), when, source })
    }

    fn remove_or_hash(&mut self, config: &ActionConfig, hash: bool) -> Result<Action, Mistake> {
        if config.key.is_empty() && config.pattern.is_empty() {
            return Err(("key", "missing: at least one of key and pattern must be given".to_owned()));
        }
        config.refuse(&["value", "from_attribute", "converted_type"])?;
        let keys =
            config.has("pattern").then(|| config.pattern()).transpose()?.map(|(pattern, _)| KeyPattern::new(pattern));
        let key = self.keys.slot(&config.key);
        Ok(if hash { Action::Hash { key, keys } } else { Action::Delete { key, keys } })
    }

    fn extract(&mut self, config: &ActionConfig) -> Result<Action, Mistake> {
        config.refuse(&["value", "from_attribute", "from_context", "converted_type"])?;
        if !config.has("pattern") {
            return Err(("pattern", "missing: the action extracts what it says".to_owned()));
        }
        let (pattern, names) = config.pattern()?;
        if names.is_empty() {
            return Err(("pattern", "has no named groups, which say what to extract".to_owned()));
        }
        if names.iter().any(String::is_empty) {
            return Err(("pattern", "has a group without a name".to_owned()));
        }
        let targets = names.iter().map(|name| self.keys.slot(name)).collect();
        Ok(Action::Extract { key: self.keys.slot(&config.key), pattern, targets })
    }

    fn convert(&mut self, config: &ActionConfig) -> Result<Action, Mistake> {
        config.refuse(&["value", "from_attribute", "from_context", "pattern"])?;
        let to = ConvertTo::parse(&config.converted_type).ok_or_else(|| {
            let message = match config.converted_type.as_str() {
                "" => "missing: expected string, int or double".to_owned(),
                other => format!("unknown type {other:?}, valid are string, int and double"),
            };
            ("converted_type", message)
        })?;
        Ok(Action::Convert { key: self.keys.slot(&config.key), to })
    }
}

// === impl ActionConfig ===

impl ActionConfig {
    /// Whether an option is given.
    fn has(&self, option: &str) -> bool {
        match option {
            "value" => self.value.is_some(),
            "from_attribute" => !self.from_attribute.is_empty(),
            "from_context" => !self.from_context.is_empty(),
            "pattern" => !self.pattern.is_empty(),
            _ => !self.converted_type.is_empty(),
        }
    }

    fn refuse(&self, options: &[&'static str]) -> Result<(), Mistake> {
        match options.iter().find(|option| self.has(option)) {
            Some(option) => Err((option, format!("not used by the action {:?}: must not be given", self.action))),
            None => Ok(()),
        }
    }

    /// The pattern and the names of its groups.
    fn pattern(&self) -> Result<(Regex, Vec<String>), Mistake> {
        let wrong = |error| ("pattern", format!("invalid pattern {:?}: {error}", self.pattern));
        compile_re2_groups(&self.pattern).map_err(wrong)
    }
}

// === impl Keys ===

impl Keys {
    /// The number of a key. One that is too large, of more keys than are accepted, is never used.
    fn slot(&mut self, name: &str) -> Slot {
        if let Some(slot) = self.slots.get(name) {
            return *slot;
        }
        let slot = Slot::try_from(self.names.len()).unwrap_or(Slot::MAX);
        self.names.push(name.to_owned());
        self.slots.insert(name.to_owned(), slot);
        slot
    }
}
