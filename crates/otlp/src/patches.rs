//! Changes to many parts of a request, noted while it is being read and made afterwards.

use std::ops::Range;

use crate::edit::Target;
use crate::patch::{Changes, Cut};
use crate::traces::Traces;
use crate::view::Pos;

/// Changes to several resources, scopes and spans. A request that is borrowed cannot be edited; what is noted here is made
/// by [`Traces::apply_all`]. All of them share the same memory, so that a change allocates nothing of its own.
#[derive(Debug, Clone, Default)]
pub struct Patches {
    notes: Vec<Note>,
    cuts: Vec<Cut>,
    replacements: Vec<u8>,
    appended: Vec<u8>,
}

/// Changes to one part; each range begins where it says and ends where the next note's begins.
#[derive(Debug, Clone, Copy)]
struct Note {
    target: Target,
    /// Whether what is appended takes the place of the whole message.
    whole: bool,
    cuts: usize,
    replacements: usize,
    appended: usize,
}

// === impl Patches ===

impl Patches {
    /// Nothing noted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing is noted.
    pub fn is_empty(&self) -> bool {
        self.notes.is_empty()
    }

    /// Forgets what is noted, and keeps the memory.
    pub fn clear(&mut self) {
        self.notes.clear();
        self.cuts.clear();
        self.replacements.clear();
        self.appended.clear();
    }

    /// How many bytes of memory there are.
    pub fn capacity(&self) -> usize {
        let notes = self.notes.capacity() * size_of::<Note>() + self.cuts.capacity() * size_of::<Cut>();
        notes + self.replacements.capacity() + self.appended.capacity()
    }

    /// Turns to a part: what follows changes that one.
    pub fn begin(&mut self, target: impl Into<Target>) {
        self.note(target.into(), false);
    }

    /// Replaces the whole message of a part by another one.
    pub fn replace_whole(&mut self, target: impl Into<Target>, message: &[u8]) {
        self.note(target.into(), true);
        self.appended.extend_from_slice(message);
    }

    /// Removes a field. Where a field is cut or replaced more than once, the first time counts.
    pub fn cut(&mut self, at: Pos) {
        let with = self.replaced();
        self.push(Cut { at, with: with..with });
    }

    /// Puts what `write` appends, one encoded field, in the place of a field.
    pub fn replace(&mut self, at: Pos, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.replaced();
        write(&mut self.replacements);
        let end = self.replaced();
        self.push(Cut { at, with: start..end });
    }

    /// Where encoded fields are to be appended.
    pub fn appended(&mut self) -> &mut Vec<u8> {
        &mut self.appended
    }

    fn note(&mut self, target: Target, whole: bool) {
        let (cuts, replacements, appended) = (self.cuts.len(), self.replacements.len(), self.appended.len());
        self.notes.push(Note { target, whole, cuts, replacements, appended });
    }

    /// How many bytes of replacements the part at hand has.
    fn replaced(&self) -> usize {
        self.replacements.len() - self.notes.last().map_or(0, |note| note.replacements)
    }

    fn push(&mut self, cut: Cut) {
        let first = self.notes.last().map_or(0, |note| note.cuts);
        let known = self.cuts.get(first..).unwrap_or(&[]);
        let after = known.iter().rposition(|known| known.at.start <= cut.at.start);
        self.cuts.insert(first + after.map_or(0, |at| at + 1), cut);
    }

    /// The changes of a note.
    fn changes(&self, at: usize, note: &Note) -> Changes<'_> {
        let next = self.notes.get(at + 1);
        let cuts = note.cuts..next.map_or(self.cuts.len(), |next| next.cuts);
        let replacements = note.replacements..next.map_or(self.replacements.len(), |next| next.replacements);
        Changes {
            cuts: self.cuts.get(cuts).unwrap_or(&[]),
            replacements: self.replacements.get(replacements).unwrap_or(&[]),
            appended: self.appended.get(self.appended_range(at, note)).unwrap_or(&[]),
        }
    }

    fn appended_range(&self, at: usize, note: &Note) -> Range<usize> {
        note.appended..self.notes.get(at + 1).map_or(self.appended.len(), |next| next.appended)
    }
}

// === impl Traces ===

impl Traces {
    /// Makes all changes that were noted, in order. Dropped and unknown parts stay as they are.
    pub fn apply_all(&mut self, patches: &Patches) {
        if patches.is_empty() {
            return;
        }
        self.reserve_edits(patches.notes.len(), patches.appended.len() / patches.notes.len());
        for (at, note) in patches.notes.iter().enumerate() {
            let changes = patches.changes(at, note);
            if note.whole {
                self.replace_whole(note.target, changes.appended);
            } else {
                self.apply_changes(note.target, changes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{Part, Patch, SpanIx, Value, put_key_value};

    /// Two spans named `a` and `b`, with an attribute `k` each.
    fn request() -> Traces {
        let mut request = Vec::new();
        let mut scope = Vec::new();
        for name in [b'a', b'b'] {
            let mut span = vec![0x2a, 1, name];
            put_key_value(&mut span, 0x4a, "k", &Value::Int(1));
            crate::wire::put_delimited(&mut scope, 0x12, &span);
        }
        let mut resource = Vec::new();
        crate::wire::put_delimited(&mut resource, 0x12, &scope);
        crate::wire::put_delimited(&mut request, 0x0a, &resource);
        Traces::parse(Bytes::from(request)).expect("well-formed")
    }

    /// Scenario: changes to two spans are noted while both are read.
    /// Guarantees: they come out as if each had been made by a patch of its own.
    #[test]
    fn noted_changes_are_those_of_patches() {
        let mut noted = request();
        let mut made = request();
        let mut patches = Patches::new();
        for (number, span) in noted.spans().enumerate() {
            let attribute = span.message().attributes(9).next().expect("an attribute");
            patches.begin(span.ix());
            patches.replace(attribute.pos, |out| put_key_value(out, 0x4a, "k", &Value::Int(number as i64 + 7)));
            put_key_value(patches.appended(), 0x4a, "new", &Value::Bool(true));
        }
        for ix in made.span_ixs().collect::<Vec<_>>() {
            let pos = made.span(ix).expect("a span").message().attributes(9).next().expect("an attribute").pos;
            let mut patch = Patch::new(Part::Span);
            patch.replace(pos, "k", Value::Int(i64::from(ix.0) + 7));
            patch.append("new", Value::Bool(true));
            made.apply(ix, &patch);
        }
        noted.apply_all(&patches);
        assert_eq!(noted.encode(), made.encode());
    }

    /// Scenario: a whole span is replaced, and a change to another one follows.
    /// Guarantees: each gets its own.
    #[test]
    fn a_span_is_replaced() {
        let mut traces = request();
        let mut patches = Patches::new();
        let ixs: Vec<SpanIx> = traces.span_ixs().collect();
        patches.replace_whole(ixs[0], &[0x2a, 2, b'n', b'n']);
        patches.begin(ixs[1]);
        put_key_value(patches.appended(), 0x4a, "new", &Value::Bool(true));
        traces.apply_all(&patches);
        let traces = Traces::parse(traces.encode()).expect("well-formed");
        let names: Vec<&[u8]> = traces.spans().map(|span| span.name()).collect();
        assert_eq!(names, [&b"nn"[..], b"b"]);
        let counts: Vec<usize> = traces.spans().map(|span| span.message().attributes(9).count()).collect();
        assert_eq!(counts, [0, 2]);
    }
}
