//! What was found, and how it gets into resources.

use std::borrow::Cow;

use spanmill_otlp::{Malformed, Message, Opaque, Part, Patch, ResourceIx, Traces, Value};

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
        let patches: Vec<(ResourceIx, Patch)> =
            traces.resources().map(|resource| (resource.ix(), self.patch(resource.message(), replaces))).collect();
        for (resource, patch) in patches {
            traces.apply(resource, &patch);
        }
    }

    /// The same in requests of metrics or logs: all signals have resources alike.
    pub(super) fn put_into_opaque(&self, opaque: &Opaque, replaces: bool) -> Result<Opaque, Malformed> {
        opaque.revise_resources(|resource| self.patch(resource, replaces).revised(resource))
    }

    /// What changes in a resource.
    fn patch(&self, resource: Message<'_>, replaces: bool) -> Patch {
        let mut patch = Patch::new(Part::Resource);
        for (key, value) in &self.attributes {
            let mut present = resource.attributes(Part::Resource.attributes());
            match present.find(|attribute| attribute.key == key.as_bytes()) {
                None => value.with(|value| patch.append(key, value)),
                Some(attribute) if replaces => value.with(|value| patch.replace(attribute.pos, key, value)),
                Some(_) => {}
            }
        }
        patch
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
