//! What was found, and how it gets into resources.

use std::borrow::Cow;

use spanmill_otlp::{
    Attribute, Message, Opaque, Part, Patch, Payload, ResourceIx, Traces, Value, encode_attribute, put_field,
};

/// Attributes in the order in which they were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Detected {
    attributes: Vec<(String, Found)>,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Text(String),
    Int(i64),
    Texts(Vec<String>),
}

// === impl Detected ===

impl Detected {
    /// Sets an attribute.
    pub(super) fn set(&mut self, key: &str, value: impl Into<Found>) {
        let value = value.into();
        match self.attributes.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => *known = value,
            None => self.attributes.push((key.to_owned(), value)),
        }
    }

    /// Takes over what it does not have.
    pub(super) fn add(&mut self, other: Self) {
        for (key, value) in other.attributes {
            if !self.attributes.iter().any(|(known, _)| *known == key) {
                self.attributes.push((key, value));
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }

    /// Puts the attributes into all resources.
    pub(super) fn put_into_traces(&self, traces: &mut Traces, replaces: bool) {
        let patches: Vec<(ResourceIx, Patch)> = traces
            .resources()
            .map(|resource| {
                let mut patch = Patch::new(Part::Resource);
                for (key, value) in &self.attributes {
                    let mut present = resource.attributes().filter(|attribute| attribute.key == key.as_bytes());
                    match present.next() {
                        None => value.with(|value| patch.append(key, value)),
                        Some(attribute) if replaces => value.with(|value| patch.replace(attribute.pos, key, value)),
                        Some(_) => {}
                    }
                }
                (resource.ix(), patch)
            })
            .collect();
        for (resource, patch) in patches {
            traces.apply(resource, &patch);
        }
    }

    /// The same in requests of metrics or logs: all signals have resources alike. None where the request is malformed.
    pub(super) fn put_into_opaque(&self, opaque: &Opaque, replaces: bool) -> Option<Opaque> {
        let mut out = Vec::with_capacity(opaque.bytes().len() + 64);
        for field in Message::standalone(opaque.bytes()).fields() {
            match (field.number, field.payload) {
                (1, Payload::Bytes(group)) => put_field(&mut out, 1, Payload::Bytes(&self.group(group, replaces))),
                (number, payload) => put_field(&mut out, number, payload),
            }
        }
        Opaque::parse(opaque.signal(), out.into()).ok()
    }

    /// A resource with all that belongs to it: the resource is field 1.
    fn group(&self, group: &[u8], replaces: bool) -> Vec<u8> {
        let message = Message::standalone(group);
        let mut resource = Vec::new();
        for field in message.fields() {
            // A message that comes in several pieces is their concatenation.
            if let (1, Payload::Bytes(piece)) = (field.number, field.payload) {
                resource.extend_from_slice(piece);
            }
        }
        let mut out = Vec::with_capacity(group.len() + 64);
        put_field(&mut out, 1, Payload::Bytes(&self.resource(&resource, replaces)));
        for field in message.fields().filter(|field| field.number != 1) {
            put_field(&mut out, field.number, field.payload);
        }
        out
    }

    fn resource(&self, resource: &[u8], replaces: bool) -> Vec<u8> {
        let message = Message::standalone(resource);
        let present: Vec<&[u8]> = message.attributes(1).map(|Attribute { key, .. }| key).collect();
        let is_new = |key: &str| !present.contains(&key.as_bytes());
        let mut out = Vec::with_capacity(resource.len() + 64);
        let mut attributes = message.attributes(1);
        for field in message.fields() {
            let found = (field.number == 1).then(|| attributes.next()).flatten();
            let replacing = found
                .filter(|_| replaces)
                .and_then(|found| self.attributes.iter().find(|(key, _)| key.as_bytes() == found.key));
            match replacing {
                Some((key, value)) => out.extend_from_slice(&value.encoded(key)),
                None => put_field(&mut out, field.number, field.payload),
            }
        }
        for (key, value) in self.attributes.iter().filter(|(key, _)| is_new(key)) {
            out.extend_from_slice(&value.encoded(key));
        }
        out
    }

    /// As texts, for logs and tests.
    pub(super) fn texts(&self) -> Vec<String> {
        self.attributes.iter().map(|(key, value)| format!("{key}={}", value.text())).collect()
    }
}

// === impl Found ===

impl Found {
    fn with<T>(&self, use_it: impl FnOnce(Value<'_>) -> T) -> T {
        match self {
            Self::Text(text) => use_it(Value::Str(text)),
            Self::Int(number) => use_it(Value::Int(*number)),
            Self::Texts(texts) => {
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                use_it(Value::Strs(&texts))
            }
        }
    }

    /// As a field of a resource.
    fn encoded(&self, key: &str) -> Vec<u8> {
        self.with(|value| encode_attribute(Part::Resource, key, value))
    }

    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => text.into(),
            Self::Int(number) => number.to_string().into(),
            Self::Texts(texts) => texts.join(" ").into(),
        }
    }
}

impl From<String> for Found {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Found {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Found {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<Vec<String>> for Found {
    fn from(texts: Vec<String>) -> Self {
        Self::Texts(texts)
    }
}
