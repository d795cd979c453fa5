//! The configuration as a tree: values in order, each with the place where it was written.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::Place;

/// A value and where it came from.
///
/// Two nodes are equal when their values and original texts are; places do not count, so that a section which only moved
/// within its file is still the same section after a reload.
#[derive(Clone, Debug, Default)]
pub struct Node {
    pub(crate) value: Value,
    /// The text that was put in for `${...}`, which string fields take instead of the parsed value.
    pub(crate) original: Option<Arc<str>>,
    pub(crate) place: Option<Place>,
    /// Whether it, or a part of it, was put in for `${...}`: it may be secret, so no error shows it.
    pub(crate) put_in: bool,
}

/// The value of a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing: `key:`, `~` or `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number that fits 64 bits with sign.
    Int(i64),
    /// A whole number too large for [`Value::Int`].
    UInt(u64),
    /// Any other number.
    Float(f64),
    /// Text.
    String(String),
    /// A list.
    List(Vec<Node>),
    /// A map.
    Map(Map),
}

/// A map from keys to nodes, in the order of the file.
pub type Map = IndexMap<String, Entry>;

/// A value in a map, with the place of its key.
#[derive(Clone, Debug)]
pub struct Entry {
    pub(crate) key_place: Option<Place>,
    pub(crate) node: Node,
}

/// One step of a path through the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

// === impl Node ===

impl Node {
    pub(crate) fn new(value: Value, place: Option<Place>) -> Self {
        Self { value, original: None, place, put_in: false }
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The text from which the value was read, when it was put in for a `${...}` that stood alone.
    pub fn original(&self) -> Option<&str> {
        self.original.as_deref()
    }

    /// Where the value was written; `None` for values that nobody wrote.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// Whether nothing was given.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The value under `key`, when this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(map) => map.get(key).map(|entry| &entry.node),
            _ => None,
        }
    }

    /// The nearest node on the way of `path` (keys joined by `::`, list positions as `[0]`), and its place, for error messages.
    pub(crate) fn nearest(&self, path: &str) -> (&Node, Option<&Place>) {
        let mut node = self;
        let mut place = self.place();
        for step in parse_path(path) {
            match (&node.value, step) {
                (Value::Map(map), Step::Key(key)) => {
                    let Some(entry) = map.get(&key) else { break };
                    node = &entry.node;
                    place = entry.key_place.as_ref().or(place);
                }
                (Value::List(list), Step::Index(index)) => {
                    let Some(item) = list.get(index) else { break };
                    node = item;
                    place = item.place().or(place);
                }
                _ => break,
            }
        }
        (node, place)
    }

    /// Says of it, and of all in it, that it was put in for `${...}`.
    pub(crate) fn mark_put_in(&mut self) {
        self.put_in = true;
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(Node::mark_put_in),
            Value::Map(map) => map.values_mut().for_each(|entry| entry.node.mark_put_in()),
            _ => {}
        }
    }

    /// Removes the map entry at `path`; false when it is not there.
    pub(crate) fn remove(&mut self, path: &[Step]) -> bool {
        let Some((last, way)) = path.split_last() else { return false };
        let mut node = self;
        for step in way {
            let next = match (&mut node.value, step) {
                (Value::Map(map), Step::Key(key)) => map.get_mut(key).map(|entry| &mut entry.node),
                (Value::List(list), Step::Index(index)) => list.get_mut(*index),
                _ => None,
            };
            let Some(next) = next else { return false };
            node = next;
        }
        match (&mut node.value, last) {
            (Value::Map(map), Step::Key(key)) => map.shift_remove(key).is_some(),
            _ => false,
        }
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value && self.original == other.original
    }
}

// === impl Entry ===

impl Entry {
    /// The value.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Where the key was written.
    pub fn key_place(&self) -> Option<&Place> {
        self.key_place.as_ref()
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

/// Joins steps as `a::b[0]::c`, behind `prefix` when that is not empty.
pub(crate) fn join_path(prefix: &str, steps: &[Step]) -> String {
    let mut path = prefix.to_owned();
    for step in steps {
        match step {
            Step::Key(key) => {
                if !path.is_empty() {
                    path.push_str("::");
                }
                path.push_str(key);
            }
            Step::Index(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

/// The inverse of [`join_path`].
fn parse_path(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for part in path.split("::").filter(|part| !part.is_empty()) {
        let (key, indices) = part.find('[').map_or((part, ""), |at| part.split_at(at));
        let indices: Option<Vec<usize>> =
            indices.split_terminator(']').map(|index| index.strip_prefix('[')?.parse().ok()).collect();
        match indices {
            Some(indices) => {
                if !key.is_empty() {
                    steps.push(Step::Key(key.to_owned()));
                }
                steps.extend(indices.into_iter().map(Step::Index));
            }
            None => steps.push(Step::Key(part.to_owned())),
        }
    }
    steps
}
