//! What is changed of a span, in one pass over its fields and one patch.

use std::borrow::Cow;
use std::ops::ControlFlow;

use regex::bytes::CaptureLocations;
use spanmill_otlp::{
    AnyValue, KeyTable, Message, Part, Patch, Payload, Pos, Slot, ValueRef, Visitor, put_plain_double,
};

use super::rule::{Rule, RuleError};
use crate::processors::actions::sheet::{Filling, Reader, Sheet};

/// The changes.
#[derive(Debug, Default)]
pub(super) struct Edits {
    /// The attributes whose values are the new name.
    from: Vec<Slot>,
    separator: String,
    rules: Vec<Rule>,
    break_after_match: bool,
    keep_name: bool,
    /// The encoded status.
    status: Option<Vec<u8>>,
    /// The keys of all attributes that are read or written, by slot.
    names: Vec<String>,
    table: KeyTable,
}

/// Collects changes.
#[derive(Debug, Default)]
pub(super) struct EditsBuilder {
    edits: Edits,
    pub(super) break_after_match: bool,
    pub(super) keep_name: bool,
}

/// Changes one span after the other.
pub(super) struct Editor<'a> {
    edits: &'a Edits,
    reader: Reader,
    locations: Vec<CaptureLocations>,
    /// Where names and statuses were found, both of which may be repeated.
    places: Places,
    patch: Patch,
}

#[derive(Debug, Default)]
struct Places {
    names: Vec<Pos>,
    statuses: Vec<Pos>,
}

/// Reads a span.
struct Reading<'r, 't> {
    filling: Filling<'r, 't>,
    name: &'t [u8],
    places: &'r mut Places,
}

/// Numbers of fields.
const NAME: u32 = 5;
const ATTRIBUTES: u32 = 9;
const STATUS: u32 = 15;

// === impl EditsBuilder ===

impl EditsBuilder {
    pub(super) fn set_status(&mut self, code: u8, description: &str) {
        let mut status = Vec::new();
        if !description.is_empty() {
            spanmill_otlp::put_field(&mut status, 2, Payload::Bytes(description.as_bytes()));
        }
        if code != 0 {
            spanmill_otlp::put_field(&mut status, 3, Payload::Varint(u64::from(code)));
        }
        self.edits.status = Some(status);
    }

    pub(super) fn name_by(&mut self, attributes: &[String], separator: &str) {
        let names = &mut self.edits.names;
        self.edits.from = attributes.iter().map(|key| slot(names, key)).collect();
        separator.clone_into(&mut self.edits.separator);
    }

    pub(super) fn add_rule(&mut self, pattern: &str) -> Result<(), RuleError> {
        let names = &mut self.edits.names;
        let rule = Rule::new(pattern, |name| slot(names, name))?;
        self.edits.rules.push(rule);
        Ok(())
    }

    pub(super) fn build(self) -> Edits {
        let Self { edits, break_after_match, keep_name } = self;
        Edits { table: KeyTable::new(&edits.names), break_after_match, keep_name, ..edits }
    }
}

/// The number of a key. Configurations name a handful of them.
fn slot(names: &mut Vec<String>, key: &str) -> Slot {
    let at = names.iter().position(|name| name == key).unwrap_or_else(|| {
        names.push(key.to_owned());
        names.len() - 1
    });
    // A key beyond those that can be numbered is never found.
    Slot::try_from(at).unwrap_or(Slot::MAX)
}

// === impl Edits ===

impl Edits {
    pub(super) fn editor(&self) -> Editor<'_> {
        Editor {
            edits: self,
            reader: Reader::new(Part::Span, false),
            locations: self.rules.iter().map(Rule::locations).collect(),
            places: Places::default(),
            patch: Patch::new(Part::Span),
        }
    }

    /// The name that the attributes make up; none where one of them is missing.
    fn name_of(&self, sheet: &Sheet<'_>) -> Option<Vec<u8>> {
        if self.from.is_empty() {
            return None;
        }
        let mut name = Vec::new();
        for (index, slot) in self.from.iter().enumerate() {
            let value = sheet.value(*slot)?;
            if index > 0 {
                name.extend_from_slice(self.separator.as_bytes());
            }
            put_part(&mut name, value);
        }
        Some(name)
    }

    /// Takes attributes out of the name; gives what is left where that is another one.
    fn take_out(&self, name: &[u8], sheet: &mut Sheet<'_>, locations: &mut [CaptureLocations]) -> Option<Vec<u8>> {
        if name.is_empty() {
            return None;
        }
        let mut renamed: Option<Vec<u8>> = None;
        for (rule, locations) in self.rules.iter().zip(locations) {
            let Some(left) = rule.apply(renamed.as_deref().unwrap_or(name), sheet, locations) else { continue };
            if !self.keep_name {
                renamed = Some(left);
            }
            if self.break_after_match {
                break;
            }
        }
        renamed
    }
}

/// Appends the value of an attribute as part of a name.
fn put_part(name: &mut Vec<u8>, value: ValueRef<'_>) {
    match value.get() {
        AnyValue::Text(_) | AnyValue::Bool(_) | AnyValue::Int(_) => value.put_text(name),
        AnyValue::Double(number) => put_plain_double(name, number),
        AnyValue::Empty | AnyValue::Array(_) | AnyValue::Map(_) | AnyValue::Bytes(_) => {
            name.extend_from_slice(b"<unknown-attribute-type>");
        }
    }
}

// === impl Editor ===

impl Editor<'_> {
    /// What is changed of a span; an empty patch where that is nothing.
    pub(super) fn edit(&mut self, span: Message<'_>) -> &Patch {
        let Self { edits, reader, locations, places, patch } = self;
        places.names.clear();
        places.statuses.clear();
        let mut reading = Reading { filling: reader.begin(&edits.table), name: &[], places };
        span.visit(ATTRIBUTES, &mut reading);
        let mut name = Cow::Borrowed(reading.name);
        let mut sheet = reading.filling.finish();
        if let Some(made) = edits.name_of(&sheet) {
            name = Cow::Owned(made);
        }
        if let Some(left) = edits.take_out(&name, &mut sheet, locations) {
            name = Cow::Owned(left);
        }
        let renamed = matches!(name, Cow::Owned(_));
        let cut_names = places.names.iter().filter(|_| renamed);
        let cut_statuses = places.statuses.iter().filter(|_| edits.status.is_some());
        cut_names.chain(cut_statuses).for_each(|place| sheet.cut(*place));
        patch.clear();
        sheet.write(&edits.names, patch);
        reader.take_back(sheet);
        // An empty field is as good as none.
        if renamed && !name.is_empty() {
            patch.append_bytes(NAME, &name);
        }
        if let Some(status) = edits.status.as_ref().filter(|status| !status.is_empty()) {
            patch.append_bytes(STATUS, status);
        }
        patch
    }
}

// === impl Reading ===

impl<'t> Visitor<'t> for Reading<'_, 't> {
    #[inline]
    fn attribute(&mut self, body: &'t [u8], pos: Pos) -> ControlFlow<()> {
        self.filling.attribute(body, pos)
    }

    fn field(&mut self, number: u32, payload: Payload<'t>, pos: Pos) {
        match (number, payload) {
            (NAME, Payload::Bytes(name)) => {
                self.name = name;
                self.places.names.push(pos);
            }
            (STATUS, _) => self.places.statuses.push(pos),
            _ => {}
        }
    }
}
