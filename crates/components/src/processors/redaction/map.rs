//! One map of attributes: what changes in it, and what is told about that.

use std::borrow::Cow;

use spanmill_otlp::{
    AnyValue, Attribute, Attributes, Message, Part, Patch, Payload, Pos, Value, ValueRef, put_key_value,
};

use super::rules::{Fate, Rules};
use super::text::text_of;

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Summary {
    Silent,
    Counts,
    CountsAndKeys,
}

/// What changes in a map of attributes, encoded as fields of the message that they belong to.
#[derive(Debug)]
pub(super) struct Changes {
    tag: u8,
    /// What takes the place of the attribute there, in order; nothing where it is removed.
    pub(super) edits: Vec<(Pos, Vec<u8>)>,
    /// Attributes to append.
    pub(super) added: Vec<u8>,
}

/// Attributes that the same thing happened to.
#[derive(Debug, Default)]
struct Tally<'a> {
    count: i64,
    keys: Vec<&'a [u8]>,
}

/// What is found under a key of the summary.
enum Found<'a> {
    Nothing,
    /// As it came, at that place.
    Original(Pos, ValueRef<'a>),
    /// With another text in its place already.
    Edited(Pos, Vec<u8>),
}

// === impl Changes ===

impl Changes {
    /// Redacts a map whose attributes are encoded with that tag; none where nothing changes.
    pub(super) fn of(rules: &Rules, summary: Summary, attributes: &Attributes<'_>, tag: u8) -> Option<Self> {
        let system = if rules.databases.looks_at_attributes() { database(attributes.clone()) } else { String::new() };
        let mut changes = Self { tag, edits: Vec::new(), added: Vec::new() };
        let mut tallies: [Tally<'_>; 4] = Default::default();
        let [removed, masked, allowed, ignored] = &mut tallies;
        for attribute in attributes.clone() {
            let value = attribute.value;
            let text = || match value.get() {
                AnyValue::Text(text) => Cow::Borrowed(text),
                _ if rules.all_types => text_of(value),
                _ => Cow::Borrowed(&[][..]),
            };
            let tally = match rules.fate(attribute.key, text, &system) {
                Fate::Kept => continue,
                Fate::Ignored => &mut *ignored,
                Fate::Allowed => &mut *allowed,
                Fate::Removed => {
                    changes.edits.push((attribute.pos, Vec::new()));
                    &mut *removed
                }
                Fate::Masked(text) => {
                    let encoded = changes.encode(attribute.key, Value::Text(&text));
                    changes.edits.push((attribute.pos, encoded));
                    &mut *masked
                }
            };
            tally.count += 1;
            if summary == Summary::CountsAndKeys {
                tally.keys.push(attribute.key);
            }
        }
        if summary != Summary::Silent {
            let [removed, masked, allowed, ignored] = tallies;
            changes.tell(attributes, removed, "redaction.redacted.keys", "redaction.redacted.count");
            changes.tell(attributes, masked, "redaction.masked.keys", "redaction.masked.count");
            changes.tell(attributes, allowed, "redaction.allowed.keys", "redaction.allowed.count");
            changes.tell(attributes, Tally { keys: Vec::new(), ..ignored }, "", "redaction.ignored.count");
        }
        (!changes.edits.is_empty() || !changes.added.is_empty()).then_some(changes)
    }

    /// The same as a patch.
    pub(super) fn into_patch(self, part: Part) -> Patch {
        let mut patch = Patch::new(part);
        for (pos, encoded) in &self.edits {
            if encoded.is_empty() { patch.cut(*pos) } else { patch.replace_field(*pos, encoded) }
        }
        patch.append_encoded(&self.added);
        patch
    }

    /// Adds to what the attributes tell already.
    fn tell(
        &mut self,
        attributes: &Attributes<'_>,
        tally: Tally<'_>,
        keys_name: &'static str,
        count_name: &'static str,
    ) {
        if tally.count == 0 {
            return;
        }
        if !tally.keys.is_empty() {
            let found = self.find(attributes, keys_name);
            let mut keys = tally.keys;
            let known = found.text();
            if !known.is_empty() {
                keys.extend(known.split(|byte| *byte == b','));
            }
            keys.sort_unstable();
            let joined = keys.join(&b',');
            self.put(&found, keys_name, Value::Text(&joined));
        }
        let found = self.find(attributes, count_name);
        let count = tally.count.wrapping_add(found.count());
        self.put(&found, count_name, Value::Int(count));
    }

    fn find<'a>(&self, attributes: &Attributes<'a>, key: &str) -> Found<'a> {
        for attribute in attributes.clone().filter(|attribute| attribute.key == key.as_bytes()) {
            match self.edits.iter().find(|(pos, _)| *pos == attribute.pos) {
                None => return Found::Original(attribute.pos, attribute.value),
                Some((pos, encoded)) if !encoded.is_empty() => return Found::Edited(*pos, encoded.clone()),
                Some(_) => {}
            }
        }
        Found::Nothing
    }

    fn put(&mut self, found: &Found<'_>, key: &str, value: Value<'_>) {
        let encoded = self.encode(key.as_bytes(), value);
        match found {
            Found::Nothing => self.added.extend_from_slice(&encoded),
            Found::Original(pos, _) => self.edits.push((*pos, encoded)),
            Found::Edited(pos, _) => {
                if let Some((_, edit)) = self.edits.iter_mut().find(|(known, _)| known == pos) {
                    *edit = encoded;
                }
            }
        }
    }

    fn encode(&self, key: &[u8], value: Value<'_>) -> Vec<u8> {
        let mut encoded = Vec::new();
        put_key_value(&mut encoded, self.tag, &String::from_utf8_lossy(key), &value);
        encoded
    }
}

// === impl Found ===

impl Found<'_> {
    fn value(&self) -> AnyValue<'_> {
        match self {
            Self::Nothing => AnyValue::Empty,
            Self::Original(_, value) => value.get(),
            Self::Edited(_, encoded) => {
                let field = Message::standalone(encoded).fields().next();
                match field.map(|field| (field.payload, field.pos)) {
                    Some((Payload::Bytes(body), pos)) => Attribute::read(body, pos).value.get(),
                    _ => AnyValue::Empty,
                }
            }
        }
    }

    fn text(&self) -> Vec<u8> {
        match self.value() {
            AnyValue::Text(text) => text.to_vec(),
            _ => Vec::new(),
        }
    }

    fn count(&self) -> i64 {
        match self.value() {
            AnyValue::Int(count) => count,
            _ => 0,
        }
    }
}

/// The database that attributes name, in lower case.
pub(super) fn database(attributes: Attributes<'_>) -> String {
    let mut old = String::new();
    let (mut seen, mut seen_old) = (false, false);
    for attribute in attributes {
        match attribute.key {
            // The first one counts where a key is repeated.
            b"db.system.name" if !seen => {
                seen = true;
                if let Some(name) = attribute.value.as_str().filter(|name| !name.is_empty()) {
                    return name.to_lowercase();
                }
            }
            b"db.system" if !seen_old => {
                seen_old = true;
                old = attribute.value.as_str().map(str::to_lowercase).unwrap_or_default();
            }
            _ => {}
        }
    }
    old
}
