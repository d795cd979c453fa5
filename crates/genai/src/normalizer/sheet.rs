//! What a source finds on one span, and what it changes there.

use std::borrow::Cow;

use spanmill_otlp::{Attribute, Patch, Pos, Slot, SpanRef, Value, ValueRef};

use super::plan::Plan;
use crate::call::Written;
use crate::datum::{Datum, Strings};
use crate::messages::MOST_FLAT;

/// One span as a source sees it.
#[derive(Debug)]
pub(super) struct Sheet<'a> {
    plan: &'a Plan,
    /// The first attribute of each slot.
    found: Vec<Option<Attribute<'a>>>,
    /// Further attributes with the key of one that was found.
    repeats: Vec<(Slot, Pos)>,
    pub(super) pieces: Vec<Piece<'a>>,
    writes: Vec<(Slot, Written<'a>)>,
    cuts: Vec<Pos>,
}

/// An attribute that a piece of a list was flattened to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    /// Which of the plan's flattened lists.
    pub(super) list: usize,
    /// The key behind the prefix.
    pub(super) rest: &'a str,
    pub(super) value: ValueRef<'a>,
    pub(super) pos: Pos,
}

// === impl Sheet ===

impl<'a> Sheet<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        Self {
            plan,
            found: vec![None; plan.len()],
            repeats: Vec::new(),
            pieces: Vec::new(),
            writes: Vec::new(),
            cuts: Vec::new(),
        }
    }

    /// Reads a span; says whether the source has anything to do with it.
    pub(super) fn read(&mut self, span: &SpanRef<'a>) -> bool {
        self.found.fill(None);
        self.repeats.clear();
        self.pieces.clear();
        self.writes.clear();
        self.cuts.clear();
        let mut concerned = false;
        for attribute in span.attributes() {
            if let Some(slot) = self.plan.slot(attribute.key) {
                concerned |= self.plan.is_source(slot);
                match self.found.get_mut(usize::from(slot)) {
                    Some(place @ None) => *place = Some(attribute),
                    _ => self.repeats.push((slot, attribute.pos)),
                }
            } else if let Some((list, rest)) = self.plan.flattened(attribute.key)
                && self.pieces.len() < MOST_FLAT
            {
                concerned = true;
                self.pieces.push(Piece { list, rest, value: attribute.value, pos: attribute.pos });
            }
        }
        concerned
    }

    /// The value that the span has.
    pub(super) fn value(&self, slot: Slot) -> Option<ValueRef<'a>> {
        self.found(slot).map(|attribute| attribute.value)
    }

    /// The value that the span will have, in so far as it is text.
    pub(super) fn text(&self, slot: Slot) -> Option<&str> {
        match self.written(slot) {
            Some(Written::Text(text)) => Some(text),
            Some(_) => None,
            None => self.value(slot)?.as_str(),
        }
    }

    /// The strings that the span will have.
    pub(super) fn strings(&self, slot: Slot) -> Option<Strings<'a>> {
        match self.written(slot) {
            Some(Written::Strings(strings)) => Some(strings.clone()),
            Some(_) => None,
            None => Datum::read(self.value(slot)?).strings(),
        }
    }

    /// Whether an attribute may be written: nothing was, and nothing stands there or it is to be replaced.
    pub(super) fn is_open(&self, slot: Slot) -> bool {
        self.written(slot).is_none() && (self.plan.overwrite || self.found(slot).is_none())
    }

    pub(super) fn written(&self, slot: Slot) -> Option<&Written<'a>> {
        self.writes.iter().find(|(known, _)| *known == slot).map(|(_, value)| value)
    }

    pub(super) fn wrote(&self) -> bool {
        !self.writes.is_empty()
    }

    pub(super) fn write(&mut self, slot: Slot, value: Written<'a>) {
        self.writes.push((slot, value));
    }

    pub(super) fn write_text(&mut self, slot: Slot, text: String) {
        self.write(slot, Written::Text(Cow::Owned(text)));
    }

    /// Removes an attribute that was mapped, if that is wanted.
    pub(super) fn remove(&mut self, slot: Slot) {
        if self.plan.remove_originals {
            self.cuts.extend(self.found(slot).map(|attribute| attribute.pos));
            self.cuts.extend(self.repeats.iter().filter(|(known, _)| *known == slot).map(|(_, pos)| *pos));
        }
    }

    pub(super) fn remove_at(&mut self, pos: Pos) {
        if self.plan.remove_originals {
            self.cuts.push(pos);
        }
    }

    /// Puts all changes into a patch. A value that stands there already is none.
    pub(super) fn fill(&self, patch: &mut Patch) {
        patch.clear();
        for (slot, written) in &self.writes {
            let key = self.plan.name(*slot);
            with_value(written, |value| match self.found(*slot) {
                None => patch.append(key, value),
                Some(attribute) if !is_same(attribute.value, &value) => {
                    patch.replace(attribute.pos, key, value);
                    let repeats = self.repeats.iter().filter(|(known, _)| known == slot);
                    repeats.for_each(|(_, pos)| patch.cut(*pos));
                }
                Some(_) => {}
            });
        }
        self.cuts.iter().for_each(|pos| patch.cut(*pos));
    }

    fn found(&self, slot: Slot) -> Option<&Attribute<'a>> {
        self.found.get(usize::from(slot))?.as_ref()
    }
}

fn with_value(written: &Written<'_>, then: impl FnOnce(Value<'_>)) {
    match written {
        Written::Text(text) => then(Value::Str(text)),
        Written::Int(number) => then(Value::Int(*number)),
        Written::Double(number) => then(Value::Double(*number)),
        Written::Bool(flag) => then(Value::Bool(*flag)),
        Written::Encoded(value) | Written::Strings(Strings::Encoded(value)) => then(Value::Raw(value.raw())),
        Written::Strings(Strings::One(one)) => then(Value::Strs(&[one])),
        Written::Strings(Strings::Many(many)) => {
            then(Value::Strs(&many.iter().map(String::as_str).collect::<Vec<&str>>()));
        }
    }
}

fn is_same(found: ValueRef<'_>, value: &Value<'_>) -> bool {
    let mut encoded = Vec::new();
    spanmill_otlp::put_any_value(&mut encoded, value);
    found.raw() == encoded
}
