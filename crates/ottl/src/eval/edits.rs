//! What statements change. An attribute that is set or removed is noted at its slot, so that what follows reads it at once;
//! whoever reads or changes a message as a whole has it put together first. At the end of a part its changes become a patch.

use spanmill_otlp::{Message, Payload, Pos, Slot, Target, ValueRef, put_field};

use super::draft::{Draft, Marks, Noted};
use super::frame::Frame;
use super::level::{EVENTS, LEVELS, Level, Levels};
use super::val::put_attribute;

/// An attribute or an entry of a map: its key, and its value.
pub(crate) type Entry<'a> = (&'a [u8], ValueRef<'a>);

// === impl Frame ===

impl<'a> Frame<'a> {
    /// Sets an attribute that has a slot, or removes it.
    pub(crate) fn put_slot(&mut self, level: Level, slot: Slot, value: Option<ValueRef<'a>>) {
        let table = self.table_mut(level);
        let (Some(held), Some(place)) =
            (table.values.get_mut(usize::from(slot)), table.places.get(usize::from(slot)).copied())
        else {
            return;
        };
        let before = held.is_some().then_some(place);
        *held = value;
        let Some(marks) = self.draft.as_mut().and_then(|draft| draft.mark(level)) else { return };
        if !marks.slots.iter().any(|(known, _)| *known == slot) {
            marks.slots.push((slot, before));
        }
    }

    /// Notes that a field was set which is no attribute, given its number.
    pub(crate) fn touch(&mut self, level: Level, number: u32) {
        if let Some(marks) = self.draft.as_mut().and_then(|draft| draft.mark(level)) {
            marks.fields |= 1 << number;
        }
    }

    /// Notes that the schema URL of a resource or a scope was set.
    pub(crate) fn touch_schema_url(&mut self, level: Level) {
        if let Some(marks) = self.draft.as_mut().and_then(|draft| draft.marks.get_mut(level as usize)) {
            marks.schema_url = true;
        }
    }

    /// Puts the messages of those levels together that have changes, before they are read as a whole.
    #[inline]
    pub(crate) fn settle(&mut self, levels: Levels) {
        if self.draft.as_ref().is_some_and(|draft| draft.dirty.meets(levels)) {
            self.settle_all(levels);
        }
    }

    fn settle_all(&mut self, levels: Levels) {
        const ORDER: [Level; LEVELS] = [
            Level::Event,
            Level::Span,
            Level::Point,
            Level::Metric,
            Level::Log,
            Level::Scope,
            Level::Resource,
            Level::Cache,
        ];
        let dirty = self.draft.as_ref().map(|draft| draft.dirty).unwrap_or_default();
        for level in ORDER {
            // A span is read with its events.
            let wanted = levels.contains(level) || level == Level::Event && levels.contains(Level::Span);
            if wanted && dirty.contains(level) {
                self.rewrite(level, None);
            }
        }
    }

    /// Makes these the attributes of a level.
    pub(crate) fn put_attributes(&mut self, level: Level, entries: &[Entry<'a>]) {
        self.rewrite(level, Some(entries));
    }

    /// Makes those fields of a message the span's own ones of that number: events or links.
    pub(crate) fn put_repeated(&mut self, number: u32, fields: &[u8]) {
        self.settle_all_of_span();
        let mut scratch = self.take_scratch();
        for field in self.span.message.fields().filter(|field| field.number != number) {
            put_field(&mut scratch, field.number, field.payload);
        }
        scratch.extend_from_slice(fields);
        self.adopt(Level::Span, scratch);
    }

    fn settle_all_of_span(&mut self) {
        let mut levels = Levels::default();
        levels.insert(Level::Span);
        self.settle_all(levels);
    }

    /// Puts the message of a level together anew.
    fn rewrite(&mut self, level: Level, entries: Option<&[Entry<'a>]>) {
        if level == Level::Span {
            self.keep_event();
        }
        let mut scratch = self.take_scratch();
        self.write(level, entries, &mut scratch);
        self.adopt(level, scratch);
    }

    /// Makes the encoded message in the scratch that of a level.
    fn adopt(&mut self, level: Level, scratch: Vec<u8>) {
        let Some(draft) = &mut self.draft else { return };
        let message = Message::standalone(draft.arena.alloc_slice_copy(&scratch));
        draft.scratch = scratch;
        draft.dirty.remove(level);
        if let Some(marks) = draft.marks.get_mut(level as usize) {
            marks.slots.clear();
            (marks.fields, marks.rewritten) = (0, true);
        }
        if level != Level::Span {
            return self.read_table(level, message);
        }
        draft.events.clear();
        draft.generation += 1;
        if let Some((_, at)) = draft.event_at {
            // The event at hand lies elsewhere now.
            let moved = message.fields().filter(|field| field.number == EVENTS).nth(at);
            draft.event_at = moved.map(|field| (field.pos, at));
        }
        self.read_span(message);
    }

    pub(crate) fn take_scratch(&mut self) -> Vec<u8> {
        let mut scratch = self.draft.as_mut().map(|draft| std::mem::take(&mut draft.scratch)).unwrap_or_default();
        scratch.clear();
        scratch
    }

    /// Copies bytes to where they stay.
    #[inline]
    pub(crate) fn keep(&self, bytes: &[u8]) -> &'a [u8] {
        self.draft.as_ref().map_or(&[], |draft| draft.arena.alloc_slice_copy(bytes))
    }

    /// Puts bytes into the arena, and gives the scratch back.
    pub(crate) fn store(&mut self, scratch: Vec<u8>) -> &'a [u8] {
        let Some(draft) = &mut self.draft else { return &[] };
        let stored = draft.arena.alloc_slice_copy(&scratch);
        draft.scratch = scratch;
        stored
    }

    /// Encodes the message of a level with all changes, and with those attributes where any are given.
    fn write(&self, level: Level, entries: Option<&[Entry<'a>]>, out: &mut Vec<u8>) {
        let Some(draft) = &self.draft else { return };
        let Some(marks) = draft.marks(level) else { return };
        let (table, number) = (self.table(level), level.attributes());
        for field in table.message.fields() {
            if field.number == number {
                if entries.is_some() {
                    continue;
                }
                if let Some((slot, _)) = marks.slots.iter().find(|(_, place)| *place == Some(field.pos)) {
                    self.put_slot_value(level, *slot, out);
                    continue;
                }
            } else if marks.touches(field.number) {
                continue;
            } else if level == Level::Span
                && field.number == EVENTS
                && let Some((_, event)) = draft.events.iter().find(|(pos, _)| *pos == field.pos)
            {
                put_field(out, EVENTS, Payload::Bytes(event));
                continue;
            }
            put_field(out, field.number, field.payload);
        }
        match entries {
            Some(entries) => entries.iter().for_each(|(key, value)| put_attribute(out, number, key, value.raw())),
            None => marks
                .slots
                .iter()
                .filter(|(_, place)| place.is_none())
                .for_each(|(slot, _)| self.put_slot_value(level, *slot, out)),
        }
        self.put_fields(level, marks, out);
    }

    fn put_slot_value(&self, level: Level, slot: Slot, out: &mut Vec<u8>) {
        if let Some(value) = self.slot(level, slot) {
            put_attribute(out, level.attributes(), self.slots.key(level, slot), value.raw());
        }
    }

    fn put_fields(&self, level: Level, marks: &Marks, out: &mut Vec<u8>) {
        if marks.fields == 0 {
            return;
        }
        match level {
            Level::Resource => self.resource_fields.put(marks, out),
            Level::Scope => self.scope_fields.put(marks, out),
            Level::Span => self.fields.put(marks, out),
            Level::Event => self.event_fields.put(marks, out),
            Level::Cache | Level::Log | Level::Metric | Level::Point => {}
        }
    }

    /// Says where the event lies that was entered, and its number.
    pub(crate) fn place_event(&mut self, pos: Pos, at: usize) {
        if let Some(draft) = &mut self.draft {
            draft.event_at = Some((pos, at));
        }
    }

    /// How often a span was put together anew: whenever it grows, the events of the span at hand lie elsewhere.
    pub(crate) fn generation(&self) -> u32 {
        self.draft.as_ref().map_or(0, |draft| draft.generation)
    }

    /// Notes the changes of the event at hand, if any.
    pub(crate) fn leave_event(&mut self) {
        self.keep_event();
        if let Some(draft) = &mut self.draft {
            draft.event_at = None;
        }
    }

    fn keep_event(&mut self) {
        let Some(draft) = &self.draft else { return };
        let Some((pos, _)) = draft.event_at else { return };
        let Some(marks) = draft.marks(Level::Event) else { return };
        if !draft.dirty.contains(Level::Event) && !marks.rewritten {
            return;
        }
        let mut scratch = self.take_scratch();
        self.write(Level::Event, None, &mut scratch);
        let event = self.store(scratch);
        let message = Message::standalone(event);
        let Some(draft) = &mut self.draft else { return };
        draft.forget(Level::Event);
        match draft.events.iter_mut().find(|(known, _)| *known == pos) {
            Some((_, kept)) => *kept = event,
            None => draft.events.push((pos, event)),
        }
        draft.dirty.insert(Level::Span);
        self.read_table(Level::Event, message);
    }

    /// Notes the changes of the resource at hand, if any.
    pub(crate) fn leave_resource(&mut self) {
        if let Some(ix) = self.resource_ix {
            self.note(Level::Resource, ix.into());
        }
        let url = self.resource_fields.schema_url;
        if let (Some(draft), Some(ix)) = (&mut self.draft, self.resource_ix)
            && draft.takes_schema_url(Level::Resource)
        {
            draft.noted.resource_urls.push((ix, String::from_utf8_lossy(url).into_owned()));
        }
    }

    /// Notes the changes of the scope at hand, if any.
    pub(crate) fn leave_scope(&mut self) {
        if let Some(ix) = self.scope_ix {
            self.note(Level::Scope, ix.into());
        }
        let url = self.scope_fields.schema_url;
        if let (Some(draft), Some(ix)) = (&mut self.draft, self.scope_ix)
            && draft.takes_schema_url(Level::Scope)
        {
            draft.noted.scope_urls.push((ix, String::from_utf8_lossy(url).into_owned()));
        }
    }

    /// Notes the changes of the span at hand, if any.
    #[inline]
    pub(crate) fn leave_span(&mut self) {
        if let Some(ix) = self.span_ix {
            self.note(Level::Span, ix.into());
        }
    }

    /// Puts the changes of a level into its message, and says whether there were any.
    pub(crate) fn finish(&mut self, level: Level) -> bool {
        let Some(draft) = &self.draft else { return false };
        let (dirty, rewritten) = (draft.dirty.contains(level), draft.marks(level).is_some_and(|marks| marks.rewritten));
        if dirty {
            self.rewrite(level, None);
        }
        if let Some(draft) = &mut self.draft {
            draft.forget(level);
        }
        dirty || rewritten
    }

    /// Whether the schema URL of a resource or a scope was set since the last time.
    pub(crate) fn takes_schema_url(&mut self, level: Level) -> bool {
        self.draft.as_mut().is_some_and(|draft| draft.takes_schema_url(level))
    }

    fn note(&mut self, level: Level, target: Target) {
        let Some(draft) = &self.draft else { return };
        let Some(marks) = draft.marks(level) else { return };
        let (dirty, rewritten) = (draft.dirty.contains(level), marks.rewritten);
        if !dirty && !rewritten {
            return;
        }
        if rewritten {
            if dirty {
                self.rewrite(level, None);
            }
            let message = self.table(level).message;
            let Some(draft) = &mut self.draft else { return };
            match message.whole() {
                Some(bytes) => draft.noted.patches.replace_whole(target, bytes),
                None => draft.noted.patches.replace_whole(target, &message.to_vec()),
            }
            return draft.forget(level);
        }
        let Some(mut draft) = self.draft.take() else { return };
        self.patch(level, target, &mut draft);
        draft.forget(level);
        self.draft = Some(draft);
    }

    /// Notes changes one by one.
    fn patch(&self, level: Level, target: Target, draft: &mut Draft<'a>) {
        let Draft { marks, events, noted: Noted { patches, .. }, .. } = draft;
        let Some(marks) = marks.get(level as usize) else { return };
        let number = level.attributes();
        patches.begin(target);
        for (slot, place) in &marks.slots {
            let key = self.slots.key(level, *slot);
            match (self.slot(level, *slot), *place) {
                (Some(value), Some(place)) => {
                    patches.replace(place, |out| put_attribute(out, number, key, value.raw()));
                }
                (Some(value), None) => put_attribute(patches.appended(), number, key, value.raw()),
                (None, Some(place)) => patches.cut(place),
                (None, None) => {}
            }
        }
        if marks.fields != 0 {
            for field in self.table(level).message.fields().filter(|field| marks.touches(field.number)) {
                patches.cut(field.pos);
            }
            self.put_fields(level, marks, patches.appended());
        }
        if level == Level::Span {
            for (pos, event) in events {
                patches.replace(*pos, |out| put_field(out, EVENTS, Payload::Bytes(event)));
            }
        }
    }

    /// Begins with an empty cache.
    #[inline]
    pub(crate) fn clear_cache(&mut self) {
        let used = self.draft.as_ref().and_then(|draft| draft.marks(Level::Cache)).is_some_and(Marks::any);
        if used {
            self.read_table(Level::Cache, Message::standalone(&[]));
            if let Some(draft) = &mut self.draft {
                draft.forget(Level::Cache);
            }
        } else if self.cache.values.len() != self.slots.count(Level::Cache) {
            self.read_table(Level::Cache, Message::standalone(&[]));
        }
    }

    /// Begins with a cache of before.
    pub(crate) fn load_cache(&mut self, entries: &'a [u8]) {
        self.read_table(Level::Cache, Message::standalone(entries));
    }

    /// The cache, encoded as a `KeyValueList`.
    pub(crate) fn save_cache(&mut self) -> Vec<u8> {
        self.rewrite(Level::Cache, None);
        self.cache.message.to_vec()
    }

    /// What was noted.
    pub(crate) fn into_noted(self) -> Noted {
        self.draft.map(|draft| draft.noted).unwrap_or_default()
    }
}
