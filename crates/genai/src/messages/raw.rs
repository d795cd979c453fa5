//! JSON that is opened only as far as it is read. What lies below stays the bytes it was: numbers keep their digits, objects
//! the order of their keys.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A value, opened by one level.
#[derive(Debug, Clone)]
pub(crate) enum Node<'a> {
    Null,
    /// A number or a boolean.
    Scalar(&'a RawValue),
    Text(Cow<'a, str>),
    List(Vec<&'a RawValue>),
    Map(Object<'a>),
}

/// The members of an object, in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object<'a> {
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
}

#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of an object, in their order, with names read as `K`.
pub(crate) struct Members<'a, K>(pub(crate) Vec<(K, &'a RawValue)>);

struct MembersVisitor<K>(PhantomData<K>);

// === impl Node ===

impl<'a> Node<'a> {
    /// Opens the text of a document.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        Some(Self::open(serde_json::from_str(text).ok()?))
    }

    /// Opens a value. A text that is no Unicode is nothing.
    pub(crate) fn open(raw: &'a RawValue) -> Self {
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'{') => serde_json::from_str(text).map_or(Self::Null, Self::Map),
            Some(b'[') => serde_json::from_str(text).map_or(Self::Null, Self::List),
            Some(b'"') => serde_json::from_str::<Text<'a>>(text).map_or(Self::Null, |Text(text)| Self::Text(text)),
            Some(b'n') | None => Self::Null,
            Some(_) => Self::Scalar(raw),
        }
    }

    pub(crate) fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.into_owned()),
            _ => None,
        }
    }

    /// Text, or the digits of a number: what identifiers come as.
    pub(crate) fn into_word(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.into_owned()),
            Self::Scalar(raw) => Some(raw.get().to_owned()),
            _ => None,
        }
    }

    pub(crate) fn into_map(self) -> Option<Object<'a>> {
        match self {
            Self::Map(object) => Some(object),
            _ => None,
        }
    }

    pub(crate) fn into_list(self) -> Option<Vec<&'a RawValue>> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }
}

// === impl Object ===

impl<'a> Object<'a> {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A member that is not null.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.members.iter().find(|(known, raw)| known == name && raw.get() != "null").map(|(_, raw)| *raw)
    }

    pub(crate) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        match Node::open(self.get(name)?) {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn map(&self, name: &str) -> Option<Self> {
        Node::open(self.get(name)?).into_map()
    }

    /// Takes the first of these members that is there and not null.
    pub(crate) fn take_raw(&mut self, names: &[&str]) -> Option<&'a RawValue> {
        names.iter().find_map(|name| {
            let at = self.members.iter().position(|(known, raw)| known == name && raw.get() != "null")?;
            Some(self.members.remove(at).1)
        })
    }

    pub(crate) fn take(&mut self, names: &[&str]) -> Option<Node<'a>> {
        self.take_raw(names).map(Node::open)
    }

    /// Takes the first of these members that is text or a number.
    pub(crate) fn take_word(&mut self, names: &[&str]) -> Option<String> {
        self.take(names)?.into_word()
    }

    /// Takes a member only if it is an object.
    pub(crate) fn take_map(&mut self, name: &str) -> Option<Self> {
        let map = self.map(name)?;
        self.forget(&[name]);
        Some(map)
    }

    pub(crate) fn put(&mut self, name: &'static str, raw: &'a RawValue) {
        self.members.push((Cow::Borrowed(name), raw));
    }

    pub(crate) fn forget(&mut self, names: &[&str]) {
        self.members.retain(|(known, _)| !names.contains(&&**known));
    }

    /// What is left, without what says nothing.
    pub(crate) fn rest(self) -> impl Iterator<Item = (Cow<'a, str>, &'a RawValue)> {
        self.members.into_iter().filter(|(_, raw)| !matches!(raw.get(), "null" | "[]" | "{}" | "\"\""))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Members(members) = Members::<Text<'a>>::deserialize(deserializer)?;
        Ok(Self { members: members.into_iter().map(|(Text(name), raw)| (name, raw)).collect() })
    }
}

// === impl Members ===

impl<'de: 'a, 'a, K: Deserialize<'de>> Deserialize<'de> for Members<'a, K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor(PhantomData))
    }
}

impl<'de, K: Deserialize<'de>> Visitor<'de> for MembersVisitor<K> {
    type Value = Members<'de, K>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de, K>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
