//! XML as values.

use indexmap::IndexMap;

use super::reader::{Charsets, Reader, Token};
use super::tree::{Kind, NodeId, Tree};
use crate::eval::val::{MapVal, Val, put_delimited, put_entry};

/// Deepest nesting of elements that become values.
const MAX_DEPTH: usize = 128;

/// A value under construction.
enum Value {
    Text(String),
    Map(IndexMap<String, Value>),
    List(Vec<Value>),
}

/// An element that has not ended.
#[derive(Default)]
struct Element {
    tag: String,
    text: String,
    attributes: IndexMap<String, Value>,
    children: Vec<Value>,
}

/// `tag`, `content`, `attributes` and `children` of a single element, and of those in it. Nothing may follow it.
pub(super) fn parse(text: &[u8]) -> Option<Val<'static>> {
    let mut reader = Reader::new(text, Charsets::Utf8);
    let mut open: Vec<Element> = Vec::new();
    loop {
        match reader.next().ok()?? {
            Token::Start { name, attributes } => {
                if reader.depth() > MAX_DEPTH {
                    return None;
                }
                let mut element = Element { tag: name.local, ..Element::default() };
                for (name, value) in attributes {
                    element.attributes.insert(name.local, Value::Text(value));
                }
                open.push(element);
            }
            Token::End => {
                let element = open.pop()?.value();
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => return reader.is_at_end().then(|| element.into_val()),
                }
            }
            Token::Text(text) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(text.trim());
                }
            }
            Token::Comment(_) | Token::Instruction { .. } | Token::Directive(_) => {}
        }
    }
}

/// Elements by their names: those that hold other elements are maps, repeated ones lists, and what is empty is left out.
pub(super) fn simplified(tree: &Tree) -> Option<Val<'static>> {
    entries(tree, Tree::ROOT, 0).map(|entries| Value::Map(entries).into_val())
}

fn entries(tree: &Tree, parent: NodeId, depth: usize) -> Option<IndexMap<String, Value>> {
    if depth > MAX_DEPTH {
        return None;
    }
    let elements: Vec<NodeId> = tree.children(parent).filter(|child| tree.get(*child).kind == Kind::Element).collect();
    let mut counts = std::collections::HashMap::new();
    for element in &elements {
        *counts.entry(tree.get(*element).data.as_str()).or_insert(0_usize) += 1;
    }
    let mut entries = IndexMap::new();
    for element in elements.iter().copied().filter(|element| tree.get(*element).first.is_some()) {
        let name = &tree.get(element).data;
        let repeated = counts.get(name.as_str()).is_some_and(|count| *count > 1);
        if repeated {
            entries.entry(name.clone()).or_insert_with(|| Value::List(Vec::new()));
        }
        let value = match leaf(tree, element) {
            Some(text) => Value::Text(text),
            None => match self::entries(tree, element, depth + 1)? {
                inner if inner.is_empty() => continue,
                inner => Value::Map(inner),
            },
        };
        if let Some(Value::List(items)) = entries.get_mut(name) {
            items.push(value);
        } else {
            entries.insert(name.clone(), value);
        }
    }
    Some(entries)
}

/// The first text of an element that has no elements in it.
fn leaf(tree: &Tree, element: NodeId) -> Option<String> {
    if tree.children(element).any(|child| tree.get(child).kind == Kind::Element) {
        return None;
    }
    let text = tree.children(element).find(|child| matches!(tree.get(*child).kind, Kind::Text | Kind::CharData))?;
    Some(tree.get(text).data.clone()).filter(|text| !text.is_empty())
}

// === impl Element ===

impl Element {
    fn value(self) -> Value {
        let mut entries = IndexMap::from([("tag".to_owned(), Value::Text(self.tag))]);
        if !self.text.is_empty() {
            entries.insert("content".to_owned(), Value::Text(self.text));
        }
        if !self.attributes.is_empty() {
            entries.insert("attributes".to_owned(), Value::Map(self.attributes));
        }
        if !self.children.is_empty() {
            entries.insert("children".to_owned(), Value::List(self.children));
        }
        Value::Map(entries)
    }
}

// === impl Value ===

impl Value {
    fn into_val(self) -> Val<'static> {
        match self {
            Self::Text(text) => Val::string(text),
            Self::Map(entries) => Val::Map(MapVal::Encoded(encode_map(entries).into())),
            Self::List(items) => Val::Slice(encode_list(items).into()),
        }
    }

    /// As an encoded `AnyValue`.
    fn encode(self) -> Vec<u8> {
        let (tag, body) = match self {
            Self::Text(text) => (0x0a, text.into_bytes()),
            Self::Map(entries) => (0x32, encode_map(entries)),
            Self::List(items) => (0x2a, encode_list(items)),
        };
        let mut out = Vec::with_capacity(body.len() + 6);
        put_delimited(&mut out, tag, &body);
        out
    }
}

fn encode_map(entries: IndexMap<String, Value>) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, value) in entries {
        put_entry(&mut out, key.as_bytes(), &value.encode());
    }
    out
}

fn encode_list(items: Vec<Value>) -> Vec<u8> {
    let mut out = Vec::new();
    for item in items {
        put_delimited(&mut out, 0x0a, &item.encode());
    }
    out
}
