//! What is done to one request.

use spanmill_otlp::{
    AnyValue, Attribute, EventRef, Part, Patch, Payload, SpanRef, Traces, Value, ValueRef, encode_attribute, put_field,
};

use super::aside::{Aside, is_reference};
use super::data::{DataEdit, Taken, is_note, unquoted};
use super::digest::is_hash;
use super::edits::{CutEdit, HashEdit, Measure, cut};
use super::json::{Edit, document, rewrite};
use super::place::Place;
use super::wire::encoded;
use super::{Action, ContentPolicy, DataAction};

/// A request after the policy was applied.
#[derive(Debug)]
pub struct Applied {
    /// The request.
    pub traces: Traces,
    /// What is to be stored before the request goes on, by the name that references have: its SHA-256.
    pub aside: Vec<(String, Vec<u8>)>,
    /// What was done.
    pub tally: ContentTally,
}

/// What was done to one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContentTally {
    /// How often something was masked, in the order of [`ContentPolicy::mask_names`].
    pub masked: Vec<u64>,
    /// Values that were dropped.
    pub dropped: u64,
    /// Values that were hashed.
    pub hashed: u64,
    /// Values that were cut.
    pub truncated: u64,
    /// Values that were put aside.
    pub offloaded: u64,
}

/// One request, while it is worked on.
pub(super) struct Work<'a> {
    pub(super) policy: &'a ContentPolicy,
    tally: ContentTally,
    pub(super) aside: Aside,
    /// The bytes that a span lost, by how.
    lost: [usize; LOST.len()],
}

/// What became of a value.
pub(super) enum Outcome {
    Same,
    Gone,
    /// Another value, encoded.
    Other(Vec<u8>),
}

/// Attributes that tell how many bytes of a span's content went, and by what.
const LOST: [&str; 4] = [
    "spanmill.content.dropped_bytes",
    "spanmill.content.hashed_bytes",
    "spanmill.content.truncated_bytes",
    "spanmill.content.offloaded_bytes",
];
pub(super) const DROPPED: usize = 0;
pub(super) const HASHED: usize = 1;
pub(super) const TRUNCATED: usize = 2;
pub(super) const OFFLOADED: usize = 3;

/// The number of a span's field for an event.
const EVENTS: u32 = 11;

/// Documents of which the structure stays when their texts are hashed.
const STRUCTURED: &[&str] = &[
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.retrieval.documents",
];

// === impl ContentPolicy ===

impl ContentPolicy {
    /// Does what is to be done to the content of a request. Its edits are written out before, since content may lie in them.
    pub fn apply(&self, traces: Traces) -> Applied {
        let mut traces = traces.freeze();
        let snapshot = traces.clone();
        let tally = ContentTally { masked: vec![0; self.masks.names().count()], ..ContentTally::default() };
        let mut work = Work { policy: self, tally, aside: Aside::new(&self.store), lost: [0; LOST.len()] };
        let mut patch = Patch::new(Part::Span);
        for span in snapshot.spans() {
            patch.clear();
            work.span(span, &mut patch);
            traces.apply(span.ix(), &patch);
        }
        Applied { traces, aside: work.aside.content.into_iter().collect(), tally: work.tally }
    }
}

// === impl Work ===

impl Work<'_> {
    fn span(&mut self, span: SpanRef<'_>, patch: &mut Patch) {
        self.lost = [0; LOST.len()];
        let genai = span.attribute("spanmill.source").is_some();
        for attribute in span.attributes() {
            let Some(key) = attribute.key_str().filter(|key| self.policy.names.is_content(key, genai)) else {
                continue;
            };
            match self.value(key, attribute.value) {
                Outcome::Same => {}
                Outcome::Gone => patch.cut(attribute.pos),
                Outcome::Other(encoded) => patch.replace(attribute.pos, key, Value::Raw(&encoded)),
            }
        }
        for event in span.events() {
            if let Some(encoded) = self.event(&event, genai) {
                let mut field = Vec::new();
                put_field(&mut field, EVENTS, Payload::Bytes(&encoded));
                patch.replace_field(event.pos, &field);
            }
        }
        for (key, lost) in LOST.into_iter().zip(self.lost).filter(|(_, lost)| *lost > 0) {
            let known = span.attributes().find(|known| known.key == key.as_bytes());
            let lost = i64::try_from(lost).unwrap_or(i64::MAX);
            match known {
                Some(known) => {
                    let before = known.value.as_int().unwrap_or(0);
                    patch.replace(known.pos, key, Value::Int(before.saturating_add(lost)));
                }
                None => patch.append(key, Value::Int(lost)),
            }
        }
    }

    /// An event with its content changed, encoded.
    fn event(&mut self, event: &EventRef<'_>, genai: bool) -> Option<Vec<u8>> {
        let all = std::str::from_utf8(event.name()).is_ok_and(|name| self.policy.names.is_content_event(name));
        let (mut out, mut changed) = (Vec::new(), false);
        for field in event.message().fields() {
            let start = out.len();
            put_field(&mut out, field.number, field.payload);
            let Payload::Bytes(body) = field.payload else { continue };
            if field.number != 3 {
                continue;
            }
            let attribute = Attribute::read(body, field.pos);
            let Some(key) = attribute.key_str() else { continue };
            if !all && !self.policy.names.is_content(key, genai) {
                continue;
            }
            let outcome = self.value(key, attribute.value);
            if matches!(outcome, Outcome::Same) {
                continue;
            }
            changed = true;
            out.truncate(start);
            if let Outcome::Other(encoded) = outcome {
                // Attributes of events have the number that those of scopes have.
                out.extend_from_slice(&encode_attribute(Part::Scope, key, Value::Raw(&encoded)));
            }
        }
        changed.then_some(out)
    }

    /// What becomes of the value of an attribute.
    fn value(&mut self, key: &str, value: ValueRef<'_>) -> Outcome {
        match value.get() {
            AnyValue::Text(text) => self.text(key, &String::from_utf8_lossy(text)),
            AnyValue::Array(_) | AnyValue::Map(_) => self.structure(key, value),
            AnyValue::Bytes(bytes) => self.bytes(key, bytes),
            // Numbers say how much, not what.
            AnyValue::Bool(_) | AnyValue::Int(_) | AnyValue::Double(_) | AnyValue::Empty => Outcome::Same,
        }
    }

    fn text(&mut self, key: &str, text: &str) -> Outcome {
        let place = Place::attribute(key);
        if is_reference(text) || is_hash(text) {
            return Outcome::Same;
        }
        let cleaned = self.clean(place, text);
        let known: &str = cleaned.as_deref().unwrap_or(text);
        let action = if place.is_structural(known) || known.is_empty() || is_hash(known) || is_note(known) {
            Action::Keep
        } else {
            self.policy.action(key, known.len())
        };
        let done = match action {
            Action::Keep => None,
            Action::Drop => {
                self.lose(DROPPED, text.len(), 0);
                return Outcome::Gone;
            }
            Action::Hash => self.hash(key, place, known),
            Action::Truncate => self.truncate(place, known),
            Action::Offload => Some(self.aside.put_value(key, known)),
        };
        if let Some(done) = &done {
            let how = match action {
                Action::Hash => HASHED,
                Action::Truncate => TRUNCATED,
                _ => OFFLOADED,
            };
            self.lose(how, known.len(), done.len());
        }
        done.or(cleaned).map_or(Outcome::Same, |text| Outcome::Other(encoded(&Value::Str(&text))))
    }

    /// A text without data and without what is to be masked.
    pub(super) fn clean(&mut self, place: Place<'_>, text: &str) -> Option<String> {
        let data = self.without_data(place, text);
        let masked = self.policy.masks.apply(data.as_deref().unwrap_or(text), place, &mut self.tally.masked);
        masked.or(data)
    }

    fn without_data(&mut self, place: Place<'_>, text: &str) -> Option<String> {
        let ContentPolicy { blobs, embeddings, digest, .. } = self.policy;
        if [*blobs, *embeddings] == [DataAction::Keep; 2] {
            return None;
        }
        let (blobs, embeddings, taken) = (*blobs, *embeddings, Taken::default());
        let mut edit = DataEdit { blobs, embeddings, digest, aside: &mut self.aside, taken };
        let changed = edit.text(text, text.len(), place)?;
        let taken = edit.taken;
        self.take(taken, text.len(), changed.len());
        Some(changed)
    }

    fn take(&mut self, taken: Taken, before: usize, after: usize) {
        self.tally.dropped += taken.dropped;
        self.tally.hashed += taken.hashed;
        self.tally.offloaded += taken.offloaded;
        // Where several things were done, most of the bytes are those of what was done most.
        let how = [(taken.dropped, DROPPED), (taken.hashed, HASHED), (taken.offloaded, OFFLOADED)];
        if let Some((_, how)) = how.into_iter().max_by_key(|(count, _)| *count)
            && let Some(lost) = self.lost.get_mut(how)
        {
            *lost += before.saturating_sub(after);
        }
    }

    fn hash(&self, key: &str, place: Place<'_>, text: &str) -> Option<String> {
        let mut edit = HashEdit { digest: &self.policy.digest };
        match document(text).filter(|_| STRUCTURED.contains(&key)) {
            Some(raw) => rewrite(raw, place, &mut edit).map(unquoted),
            None => edit.hash(text),
        }
    }

    fn truncate(&self, place: Place<'_>, text: &str) -> Option<String> {
        let most = self.policy.max_bytes;
        if text.len() <= most {
            return None;
        }
        let Some(raw) = document(text) else { return Some(cut(text, most, char::len_utf8)) };
        let mut measure = Measure::default();
        rewrite(raw, place, &mut measure);
        let longest = measure.longest(text.len(), most);
        rewrite(raw, place, &mut CutEdit { longest })
    }

    /// Counts a value, and the bytes that it lost.
    pub(super) fn lose(&mut self, how: usize, before: usize, after: usize) {
        let count = match how {
            DROPPED => &mut self.tally.dropped,
            HASHED => &mut self.tally.hashed,
            TRUNCATED => &mut self.tally.truncated,
            _ => &mut self.tally.offloaded,
        };
        *count += 1;
        if let Some(lost) = self.lost.get_mut(how) {
            *lost += before.saturating_sub(after);
        }
    }
}
