//! The attributes of one message while they are changed.

use std::borrow::Cow;
use std::ops::ControlFlow;

use spanmill_otlp::{
    AnyValue, Attribute, Guesses, KeyTable, Message, Part, Patch, Payload, Pos, Slot, Value, ValueRef, Visitor,
    put_any_value,
};

/// What becomes of the attributes with known keys, and of the others where they are wanted.
#[derive(Default)]
pub(in super::super) struct Sheet<'t> {
    known: Vec<Cell<'t>>,
    others: Vec<(&'t [u8], Cell<'t>)>,
    /// Further occurrences of known keys. They stay, unless the key is changed.
    repeated: Vec<(Slot, Pos)>,
    /// What is cut and replaced, in order.
    changes: Vec<(Pos, Change)>,
    /// Encoded values that were made on the way.
    made: Vec<u8>,
}

/// One attribute.
#[derive(Debug, Clone, Copy)]
struct Cell<'t> {
    /// Where it was found.
    at: Option<Pos>,
    now: Now<'t>,
    changed: bool,
}

/// What becomes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    /// It goes.
    Cut,
    /// What became of the cell of that slot takes its place.
    Known(u32),
    /// The same, of another key.
    Other(u32),
}

/// The value of an attribute.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Now<'t> {
    Absent,
    /// One that was found or configured.
    Value(ValueRef<'t>),
    /// A range of what was made.
    Made(u32, u32),
}

/// Reads messages of one kind into sheets. The memory of one is used for the next.
pub(in super::super) struct Reader {
    part: Part,
    /// Whether attributes with other keys are wanted.
    all: bool,
    guesses: Guesses,
    blank: Sheet<'static>,
}

/// Fills a sheet.
pub(in super::super) struct Filling<'r, 't> {
    table: &'r KeyTable,
    guesses: &'r mut Guesses,
    all: bool,
    sheet: Sheet<'t>,
}

const ABSENT: Cell<'static> = Cell { at: None, now: Now::Absent, changed: false };

// === impl Reader ===

impl Reader {
    pub(in super::super) fn new(part: Part, all: bool) -> Self {
        Self { part, all, guesses: Guesses::default(), blank: Sheet::default() }
    }

    /// Begins a sheet, to be filled by a visit of the message.
    pub(in super::super) fn begin<'r, 't>(&'r mut self, table: &'r KeyTable) -> Filling<'r, 't> {
        let blank = &mut self.blank;
        let mut sheet = Sheet {
            known: recycle(std::mem::take(&mut blank.known)),
            others: recycle(std::mem::take(&mut blank.others)),
            repeated: std::mem::take(&mut blank.repeated),
            changes: std::mem::take(&mut blank.changes),
            made: std::mem::take(&mut blank.made),
        };
        sheet.known.resize(table.len(), ABSENT);
        sheet.repeated.clear();
        sheet.changes.clear();
        sheet.made.clear();
        self.guesses.restart();
        Filling { table, guesses: &mut self.guesses, all: self.all, sheet }
    }

    pub(in super::super) fn read<'t>(&mut self, table: &KeyTable, message: Message<'t>) -> Sheet<'t> {
        let attributes = self.part.attributes();
        let mut filling = self.begin(table);
        message.visit(attributes, &mut filling);
        filling.sheet
    }

    /// Gives the memory of a sheet back.
    pub(in super::super) fn take_back(&mut self, sheet: Sheet<'_>) {
        self.blank = Sheet {
            known: recycle(sheet.known),
            others: recycle(sheet.others),
            repeated: sheet.repeated,
            changes: sheet.changes,
            made: sheet.made,
        };
    }
}

/// An empty vector for another lifetime, in the same memory.
fn recycle<T, U>(mut items: Vec<T>) -> Vec<U> {
    items.clear();
    items.into_iter().filter_map(|_| None).collect()
}

// === impl Filling ===

impl<'t> Filling<'_, 't> {
    /// The sheet, after the visit.
    pub(in super::super) fn finish(self) -> Sheet<'t> {
        self.sheet
    }
}

impl<'t> Visitor<'t> for Filling<'_, 't> {
    #[inline]
    fn attribute(&mut self, body: &'t [u8], pos: Pos) -> ControlFlow<()> {
        let Attribute { key, value, pos } = Attribute::read(body, pos);
        let cell = Cell { at: Some(pos), now: Now::Value(value), changed: false };
        match self.table.get_next(key, self.guesses) {
            Some(slot) => match self.sheet.known.get_mut(usize::from(slot)) {
                Some(first) if first.at.is_none() => *first = cell,
                _ => self.sheet.repeated.push((slot, pos)),
            },
            None if self.all => self.sheet.others.push((key, cell)),
            None => {}
        }
        ControlFlow::Continue(())
    }

    fn field(&mut self, _: u32, _: Payload<'t>, _: Pos) {}
}

// === impl Sheet ===

impl<'t> Sheet<'t> {
    /// The value of a key, where it has one.
    pub(in super::super) fn get(&self, slot: Slot) -> Option<Now<'t>> {
        let now = self.known.get(usize::from(slot))?.now;
        (!matches!(now, Now::Absent)).then_some(now)
    }

    pub(in super::super) fn has(&self, slot: Slot) -> bool {
        self.get(slot).is_some()
    }

    /// The value of a key, to be read.
    pub(in super::super) fn value(&self, slot: Slot) -> Option<ValueRef<'_>> {
        self.known.get(usize::from(slot)).and_then(|cell| self.read(cell))
    }

    /// The value of a key where it is text; a copy where it was made on the way.
    pub(in super::super) fn text(&self, slot: Slot) -> Option<Cow<'t, [u8]>> {
        match self.get(slot)? {
            Now::Absent => None,
            Now::Value(value) => text(value).map(Cow::Borrowed),
            Now::Made(..) => text(self.value(slot)?).map(|text| Cow::Owned(text.to_vec())),
        }
    }

    pub(in super::super) fn set(&mut self, slot: Slot, now: Now<'t>) {
        if let Some(cell) = self.known.get_mut(usize::from(slot)) {
            (cell.now, cell.changed) = (now, true);
        }
    }

    pub(in super::super) fn set_text(&mut self, slot: Slot, text: &[u8]) {
        let start = self.made.len();
        put_any_value(&mut self.made, &Value::Text(text));
        self.set(slot, Now::Made(start as u32, self.made.len() as u32));
    }

    pub(in super::super) fn remove(&mut self, slot: Slot) {
        if self.has(slot) {
            self.set(slot, Now::Absent);
        }
    }

    /// Removes all attributes whose slot or key is meant.
    pub(in super::super) fn remove_all(&mut self, slots: impl Fn(usize) -> bool, keys: impl Fn(&[u8]) -> bool) {
        for cell in self.meant(slots, keys) {
            (cell.now, cell.changed) = (Now::Absent, true);
        }
    }

    /// Lets `edit` write another value for that of a key; where it writes none, the value stays.
    pub(in super::super) fn edit(&mut self, slot: Slot, edit: impl Fn(ValueRef<'_>, &mut Vec<u8>) -> bool) {
        let Self { known, made, .. } = self;
        if let Some(cell) = known.get_mut(usize::from(slot)) {
            cell.edit(made, edit);
        }
    }

    /// The same for all attributes whose slot or key is meant.
    pub(in super::super) fn edit_all(
        &mut self,
        slots: impl Fn(usize) -> bool,
        keys: impl Fn(&[u8]) -> bool,
        edit: impl Fn(ValueRef<'_>, &mut Vec<u8>) -> bool,
    ) {
        let mut made = std::mem::take(&mut self.made);
        for cell in self.meant(slots, keys) {
            cell.edit(&mut made, &edit);
        }
        self.made = made;
    }

    fn meant(
        &mut self,
        slots: impl Fn(usize) -> bool,
        keys: impl Fn(&[u8]) -> bool,
    ) -> impl Iterator<Item = &mut Cell<'t>> {
        let known = self.known.iter_mut().enumerate().filter(move |(slot, _)| slots(*slot)).map(|(_, cell)| cell);
        let others = self.others.iter_mut().filter(move |(key, _)| keys(key)).map(|(_, cell)| cell);
        known.chain(others).filter(|cell| !matches!(cell.now, Now::Absent))
    }

    /// Cuts another field of the message.
    pub(in super::super) fn cut(&mut self, field: Pos) {
        self.changes.push((field, Change::Cut));
    }

    /// Notes in `patch` what changed; `names` are the known keys.
    pub(in super::super) fn write(&mut self, names: &[String], patch: &mut Patch) {
        let changed = |slot: Slot| self.known.get(usize::from(slot)).is_some_and(|cell| cell.changed);
        self.changes
            .extend(self.repeated.iter().filter(|(slot, _)| changed(*slot)).map(|(_, pos)| (*pos, Change::Cut)));
        let known = self.known.iter().enumerate().map(|(slot, cell)| (cell, Change::Known(slot as u32)));
        let others = self.others.iter().enumerate().map(|(at, (_, cell))| (cell, Change::Other(at as u32)));
        let changed = known.chain(others).filter(|(cell, _)| cell.changed);
        self.changes.extend(changed.filter_map(|(cell, change)| Some((cell.at?, change))));
        // A patch is made in order: otherwise a message of very many attributes would take very long.
        self.changes.sort_unstable();
        for (pos, change) in &self.changes {
            let replacement = match *change {
                Change::Cut => None,
                Change::Known(slot) => {
                    self.known.get(slot as usize).zip(names.get(slot as usize).map(|name| Cow::Borrowed(name.as_str())))
                }
                Change::Other(at) => {
                    self.others.get(at as usize).map(|(key, cell)| (cell, String::from_utf8_lossy(key)))
                }
            };
            match replacement.and_then(|(cell, name)| Some((self.read(cell)?, name))) {
                Some((value, name)) => patch.replace(*pos, &name, Value::Raw(value.raw())),
                None => patch.cut(*pos),
            }
        }
        for (cell, name) in self.known.iter().zip(names).filter(|(cell, _)| cell.changed && cell.at.is_none()) {
            if let Some(value) = self.read(cell) {
                patch.append(name, Value::Raw(value.raw()));
            }
        }
    }

    fn read<'s>(&'s self, cell: &Cell<'s>) -> Option<ValueRef<'s>> {
        match cell.now {
            Now::Absent => None,
            Now::Value(value) => Some(value),
            Now::Made(start, end) => self.made.get(start as usize..end as usize).map(ValueRef::new),
        }
    }
}

fn text(value: ValueRef<'_>) -> Option<&[u8]> {
    match value.get() {
        AnyValue::Text(text) => Some(text),
        _ => None,
    }
}

// === impl Cell ===

impl Cell<'_> {
    fn edit(&mut self, made: &mut Vec<u8>, edit: impl Fn(ValueRef<'_>, &mut Vec<u8>) -> bool) {
        let start = made.len();
        let written = match self.now {
            Now::Absent => false,
            Now::Value(value) => edit(value, made),
            Now::Made(from, to) => {
                let value = made.get(from as usize..to as usize).unwrap_or(&[]).to_vec();
                edit(ValueRef::new(&value), made)
            }
        };
        if written {
            (self.now, self.changed) = (Now::Made(start as u32, made.len() as u32), true);
        } else {
            made.truncate(start);
        }
    }
}
