//! Builds the tree from a parser's events.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, ScalarStyle, Tag};

use super::scalar::{key_text, resolve};
use super::timestamp::is_timestamp;
use super::{MAX_DEPTH, MAX_VALUES};
use crate::node::Entry;
use crate::{Map, Node, Place, Value};

/// The key that takes the entries of another map in.
const MERGE_KEY: &str = "<<";

/// Takes events, gives a tree.
pub(super) struct Builder {
    source: Arc<str>,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    root: Option<Node>,
    values: usize,
}

/// A list or map whose end has not come yet.
struct Open {
    content: Content,
    place: Place,
    anchor: usize,
    /// How many values there were before it.
    values_before: usize,
}

enum Content {
    List(Vec<Node>),
    Map { map: Map, key: Option<Key>, merged: Vec<Node> },
}

struct Key {
    text: String,
    place: Place,
    is_merge: bool,
}

/// A node that aliases may repeat.
enum Anchored {
    Open,
    Done { node: Node, values: usize },
}

// === impl Builder ===

impl Builder {
    pub(super) fn new(source: Arc<str>) -> Self {
        Self { source, open: Vec::new(), anchors: HashMap::new(), root: None, values: 0 }
    }

    pub(super) fn on_event(&mut self, event: Event<'_>, line: usize) -> Result<(), String> {
        let place = Place::new(Arc::clone(&self.source), line);
        match event {
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, anchor, tag.as_deref(), place),
            Event::SequenceStart(anchor, _) => self.start(Content::List(Vec::new()), anchor, place),
            Event::MappingStart(anchor, _) => {
                self.start(Content::Map { map: Map::new(), key: None, merged: Vec::new() }, anchor, place)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor, place),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    pub(super) fn finish(self) -> Result<Node, String> {
        if self.open.is_empty() {
            Ok(self.root.unwrap_or_default())
        } else {
            Err("invalid YAML: it ends too early".into())
        }
    }

    fn count(&mut self, values: usize) -> Result<(), String> {
        self.values = self.values.saturating_add(values);
        if self.values > MAX_VALUES { Err(format!("more than {MAX_VALUES} values")) } else { Ok(()) }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        place: Place,
    ) -> Result<(), String> {
        self.count(1)?;
        let is_merge = text == MERGE_KEY && style == ScalarStyle::Plain && tag.is_none_or(|tag| tag.suffix == "merge");
        let value = resolve(text, style, tag)?;
        let node = Node::new(value, Some(place.clone()));
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored::Done { node: node.clone(), values: 1 });
        }
        if let Some(Open { content: Content::Map { key: key @ None, .. }, .. }) = self.open.last_mut() {
            *key = Some(Key { text: key_text(&node.value)?, place, is_merge });
            return Ok(());
        }
        if style == ScalarStyle::Plain && tag.is_none_or(|tag| tag.suffix == "timestamp") && is_timestamp(text) {
            return Err(format!("{text} without quotes is a time, which no option takes: for text write \"{text}\""));
        }
        self.add(node)
    }

    fn start(&mut self, content: Content, anchor: usize, place: Place) -> Result<(), String> {
        let values_before = self.values;
        self.count(1)?;
        if self.open.len() >= MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH} levels"));
        }
        if let Some(Open { content: Content::Map { key: None, .. }, .. }) = self.open.last() {
            return Err("a list or a map cannot be a key".to_owned());
        }
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored::Open);
        }
        self.open.push(Open { content, place, anchor, values_before });
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let Some(Open { content, place, anchor, values_before }) = self.open.pop() else {
            return Err("invalid YAML: an end without a start".to_owned());
        };
        let value = match content {
            Content::List(items) => Value::List(items),
            Content::Map { map, merged, .. } => Value::Map(merge(map, merged)?),
        };
        let node = Node::new(value, Some(place));
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored::Done { node: node.clone(), values: self.values - values_before });
        }
        self.add(node)
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<(), String> {
        let (mut node, values) = match self.anchors.get(&anchor) {
            // Counted before the copy is made: a few aliases of aliases could fill the memory.
            Some(Anchored::Done { values, .. }) if self.values.saturating_add(*values) > MAX_VALUES => {
                return Err(format!("more than {MAX_VALUES} values, aliases counted as often as used"));
            }
            Some(Anchored::Done { node, values }) => (node.clone(), *values),
            Some(Anchored::Open) => return Err("an anchor's value contains itself".to_owned()),
            None => return Err("an alias of an unknown anchor".to_owned()),
        };
        self.count(values)?;
        if let Some(Open { content: Content::Map { key: key @ None, .. }, .. }) = self.open.last_mut() {
            *key = Some(Key { text: key_text(&node.value)?, place, is_merge: false });
            return Ok(());
        }
        if self.open.len() + depth(&node) > MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH} levels"));
        }
        node.place = Some(place);
        self.add(node)
    }

    fn add(&mut self, node: Node) -> Result<(), String> {
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { map, key, merged }) => match key.take() {
                None => return Err("a list or a map cannot be a key".to_owned()),
                Some(key) if key.is_merge && !merged.is_empty() => {
                    return Err("key \"<<\" was already given".to_owned());
                }
                Some(key) if key.is_merge => merged.push(node),
                Some(key) => {
                    if let Some(first) = map.get(&key.text).and_then(|entry| entry.key_place.as_ref()) {
                        return Err(format!("key {:?} was already given in line {}", key.text, first.line()));
                    }
                    map.insert(key.text, Entry { key_place: Some(key.place), node });
                }
            },
        }
        Ok(())
    }
}

/// Adds the entries of merged maps (`<<: *other`) that the map does not have itself; earlier ones win.
fn merge(mut map: Map, merged: Vec<Node>) -> Result<Map, String> {
    for node in merged {
        let sources = match node.value {
            Value::List(items) => items,
            _ => vec![node],
        };
        for source in sources {
            let Value::Map(entries) = source.value else {
                return Err("<< needs a map or a list of maps".to_owned());
            };
            for (key, entry) in entries {
                map.entry(key).or_insert(entry);
            }
        }
    }
    Ok(map)
}

fn depth(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Map(map) => 1 + map.values().map(|entry| depth(&entry.node)).max().unwrap_or(0),
        _ => 0,
    }
}
