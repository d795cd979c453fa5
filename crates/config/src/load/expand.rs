//! Puts in what `${...}` stands for.

use std::sync::Arc;

use super::providers::Retrieved;
use super::uri::Uri;
use crate::node::{Step, join_path};
use crate::yaml::{MAX_DEPTH, MAX_TEXT};
use crate::{ConfigError, Map, Node, Place, Problem, Providers, Value};

/// How often one value may be expanded, what came out of an expansion included.
const MAX_ROUNDS: usize = 1000;
/// How many references one configuration may have, counted as often as they are expanded.
const MAX_REFERENCES: usize = 10_000;
/// How many bytes may be put in altogether.
const MAX_EXPANDED: usize = 4 * MAX_TEXT;

/// Expands a tree within limits, and gathers warnings.
pub(super) struct Expander<'a> {
    providers: &'a Providers,
    references: usize,
    bytes: usize,
    warnings: Vec<Problem>,
}

/// Why an expansion failed, and at which path, innermost step first.
struct ExpandError {
    steps: Vec<Step>,
    place: Option<Place>,
    message: String,
}

/// Where an expansion stands: how deep in the tree, and how many rounds the value may still take.
#[derive(Clone, Copy)]
struct Budget {
    depth: usize,
    rounds: usize,
}

// === impl Expander ===

impl<'a> Expander<'a> {
    pub(super) fn new(providers: &'a Providers) -> Self {
        Self { providers, references: 0, bytes: 0, warnings: Vec::new() }
    }

    pub(super) fn into_warnings(self) -> Vec<Problem> {
        self.warnings
    }

    pub(super) fn expand(&mut self, map: Map) -> Result<Map, ConfigError> {
        let mut map = map;
        for (key, entry) in &mut map {
            let budget = Budget { depth: 2, rounds: MAX_ROUNDS };
            self.expand_node(&mut entry.node, budget).map_err(|error| {
                let ExpandError { mut steps, place, message } = error.within(Step::Key(key.clone()));
                steps.reverse();
                Problem::new(join_path("", &steps), message).at(place.or_else(|| entry.key_place.clone()))
            })?;
            unescape(&mut entry.node);
        }
        Ok(map)
    }

    fn expand_node(&mut self, node: &mut Node, budget: Budget) -> Result<(), ExpandError> {
        if budget.depth > MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH} levels after expansion");
            return Err(ExpandError::new(node.place.clone(), message));
        }
        let inner = Budget { depth: budget.depth + 1, ..budget };
        match &mut node.value {
            Value::List(items) => items.iter_mut().enumerate().try_for_each(|(index, item)| {
                self.expand_node(item, inner).map_err(|error| error.within(Step::Index(index)))
            }),
            Value::Map(map) => map.iter_mut().try_for_each(|(key, entry)| {
                self.expand_node(&mut entry.node, inner).map_err(|error| error.within(Step::Key(key.clone())))
            }),
            Value::String(text) => {
                let text = std::mem::take(text);
                self.expand_text(node, text, budget)
            }
            _ => Ok(()),
        }
    }

    /// Expands `text`, which stood in `node`, until no reference is left or something else than text has come out.
    fn expand_text(&mut self, node: &mut Node, text: String, budget: Budget) -> Result<(), ExpandError> {
        let place = node.place.clone();
        let at_place = |message: String| ExpandError::new(place.clone(), message);
        let mut text = text;
        let mut rounds = budget.rounds;
        while let Some(reference) = find_reference(&text) {
            rounds = rounds.checked_sub(1).ok_or_else(|| at_place("too many recursive expansions".to_owned()))?;
            let reference = reference.to_owned();
            let retrieved = self.retrieve(&reference, place.as_ref()).map_err(at_place)?;
            if reference.len() < text.len() {
                text = self.put_in(&text, &reference, &retrieved.text).map_err(at_place)?;
                continue;
            }
            match retrieved.node.value {
                Value::String(next) => text = next,
                _ => return self.replace(node, retrieved, Budget { rounds, ..budget }),
            }
        }
        node.put_in |= rounds < budget.rounds;
        node.value = Value::String(text);
        Ok(())
    }

    /// Puts a value that is not text in the place of a reference that stood alone.
    fn replace(&mut self, node: &mut Node, retrieved: Retrieved, budget: Budget) -> Result<(), ExpandError> {
        let is_container = matches!(retrieved.node.value, Value::List(_) | Value::Map(_));
        node.value = retrieved.node.value;
        node.mark_put_in();
        if is_container {
            // What stands inside was written elsewhere.
            node.place = retrieved.node.place.or_else(|| node.place.take());
        }
        node.original = self.expand_original(retrieved.text, node.place.as_ref());
        self.expand_node(node, budget)
    }

    /// The original text of a value with its own references put in; `None` when they cannot be.
    fn expand_original(&mut self, original: Arc<str>, place: Option<&Place>) -> Option<Arc<str>> {
        if find_reference(&original).is_none() {
            return Some(original);
        }
        let mut text = original.to_string();
        for _ in 0..MAX_ROUNDS {
            let Some(reference) = find_reference(&text).map(str::to_owned) else { return Some(Arc::from(text)) };
            let retrieved = self.retrieve(&reference, place).ok()?;
            text = self.put_in(&text, &reference, &retrieved.text).ok()?;
        }
        None
    }

    fn put_in(&mut self, text: &str, reference: &str, value: &str) -> Result<String, String> {
        let occurrences = text.matches(reference).count();
        let length = text.len().saturating_add(occurrences.saturating_mul(value.len()));
        self.count_bytes(length)?;
        Ok(text.replace(reference, value))
    }

    fn retrieve(&mut self, reference: &str, place: Option<&Place>) -> Result<Retrieved, String> {
        self.references += 1;
        if self.references > MAX_REFERENCES {
            return Err(format!("more than {MAX_REFERENCES} references, expanded ones included"));
        }
        let text = reference.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
        let uri = Uri::parse_reference(text).map_err(|error| error.to_string())?;
        if uri.rest.contains('$') {
            return Err(format!("the uri {:?} contains unsupported characters ('$')", uri.to_string()));
        }
        let retrieved = self.providers.retrieve(&uri, &uri.label())?;
        self.count_bytes(retrieved.text.len())?;
        if let Some(warning) = &retrieved.warning {
            self.warnings.push(Problem::new("", warning).at(place.cloned()));
        }
        Ok(retrieved)
    }

    fn count_bytes(&mut self, bytes: usize) -> Result<(), String> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > MAX_EXPANDED { Err(format!("more than {MAX_EXPANDED} bytes after expansion")) } else { Ok(()) }
    }
}

// === impl ExpandError ===

impl ExpandError {
    fn new(place: Option<Place>, message: String) -> Self {
        Self { steps: Vec::new(), place, message }
    }

    fn within(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

/// The first reference to expand: up to the first `}`, from the last `${` before it, unless an odd number of `$` before that
/// escapes it.
fn find_reference(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once('}') {
        if let Some(open) = head.rfind("${") {
            let dollars = head.bytes().take(open).rev().take_while(|byte| *byte == b'$').count();
            if dollars % 2 == 0 {
                return rest.get(open..=head.len());
            }
        }
        rest = tail;
    }
    None
}

/// `$$` becomes `$`.
fn unescape(node: &mut Node) {
    if let Some(original) = node.original.as_ref().filter(|original| original.contains("$$")) {
        node.original = Some(Arc::from(original.replace("$$", "$")));
    }
    match &mut node.value {
        Value::String(text) if text.contains("$$") => *text = text.replace("$$", "$"),
        Value::List(items) => items.iter_mut().for_each(unescape),
        Value::Map(map) => map.values_mut().for_each(|entry| unescape(&mut entry.node)),
        _ => {}
    }
}
