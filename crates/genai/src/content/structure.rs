//! What becomes of values that are no text: lists, maps, vectors and bytes.

use spanmill_otlp::{Value, ValueRef};

use super::apply::{DROPPED, HASHED, OFFLOADED, Outcome, TRUNCATED, Work};
use super::data::LEAST_NUMBERS;
use super::edits::{HashEdit, Measure, cut};
use super::json::Edit;
use super::place::Place;
use super::wire::encoded;
use super::{Action, DataAction, value};
use crate::datum::Datum;

// === impl Work ===

impl Work<'_> {
    /// A list or a map.
    pub(super) fn structure(&mut self, key: &str, value: ValueRef<'_>) -> Outcome {
        if self.policy.embeddings != DataAction::Keep && value::is_vector(value, LEAST_NUMBERS) {
            return self.vector(value);
        }
        let cleaned = value::rewrite(value, key, &mut |key, text| self.clean(Place::attribute(key), text));
        let known = cleaned.as_deref().map_or(value, ValueRef::new);
        let mut size = 0;
        value::rewrite(known, key, &mut |_, text| {
            size += text.len();
            None
        });
        let whole = known.raw().len();
        let (action, before) = (self.policy.action(key, whole), whole);
        let mut how = HASHED;
        let done = match action {
            Action::Keep => None,
            Action::Drop => {
                self.lose(DROPPED, value.raw().len(), 0);
                return Outcome::Gone;
            }
            Action::Hash => {
                let edit = HashEdit { digest: &self.policy.digest };
                let mut hash = |key: &str, text: &str| {
                    let structural = Place::attribute(key).is_structural(text);
                    if structural { None } else { edit.hash(text) }
                };
                value::rewrite(known, key, &mut hash)
            }
            Action::Truncate => {
                how = TRUNCATED;
                let mut measure = Measure::default();
                value::rewrite(known, key, &mut |key, text| measure.text(text, text.len(), Place::attribute(key)));
                let longest = if whole > self.policy.max_bytes {
                    measure.longest(size, self.policy.max_bytes)
                } else {
                    usize::MAX
                };
                let cut = |key: &str, text: &str| {
                    let stays = text.len() <= longest || Place::attribute(key).is_structural(text);
                    (!stays).then(|| cut(text, longest, char::len_utf8))
                };
                value::rewrite(known, key, &mut { cut })
            }
            Action::Offload => {
                how = OFFLOADED;
                let text = Datum::read(known).json().to_string();
                Some(encoded(&Value::Str(&self.aside.put_value(key, &text))))
            }
        };
        if let Some(done) = &done {
            self.lose(how, before, done.len());
        }
        done.or(cleaned).map_or(Outcome::Same, Outcome::Other)
    }

    /// An embedding vector.
    pub(super) fn vector(&mut self, value: ValueRef<'_>) -> Outcome {
        let text = Datum::read(value).json().to_string();
        match self.policy.embeddings {
            DataAction::Keep => Outcome::Same,
            DataAction::Drop => {
                self.lose(DROPPED, value.raw().len(), 0);
                Outcome::Gone
            }
            DataAction::Hash => {
                let hash = self.policy.digest.hash(text.as_bytes());
                self.lose(HASHED, value.raw().len(), hash.len());
                Outcome::Other(encoded(&Value::Str(&hash)))
            }
            DataAction::Offload => {
                let reference = self.aside.put_value("", &text);
                self.lose(OFFLOADED, value.raw().len(), reference.len());
                Outcome::Other(encoded(&Value::Str(&reference)))
            }
        }
    }

    /// Bytes are data, whatever they mean.
    pub(super) fn bytes(&mut self, key: &str, bytes: &[u8]) -> Outcome {
        let action = match (self.policy.blobs, self.policy.action(key, bytes.len())) {
            (DataAction::Keep, action) => action,
            (DataAction::Drop, _) => Action::Drop,
            (DataAction::Hash, _) => Action::Hash,
            (DataAction::Offload, _) => Action::Offload,
        };
        let (how, text) = match action {
            Action::Keep => return Outcome::Same,
            Action::Truncate if bytes.len() <= self.policy.max_bytes => return Outcome::Same,
            Action::Drop => {
                self.lose(DROPPED, bytes.len(), 0);
                return Outcome::Gone;
            }
            Action::Truncate => {
                self.lose(TRUNCATED, bytes.len(), self.policy.max_bytes);
                let kept = bytes.get(..self.policy.max_bytes).unwrap_or(bytes);
                return Outcome::Other(encoded(&Value::Bytes(kept)));
            }
            Action::Hash => (HASHED, self.policy.digest.hash(bytes)),
            Action::Offload => (OFFLOADED, self.aside.put(bytes)),
        };
        self.lose(how, bytes.len(), text.len());
        Outcome::Other(encoded(&Value::Str(&text)))
    }
}
