//! Setting what a path names.

use spanmill_otlp::{AnyValue, Slot, ValueRef};

use super::EvalError;
use super::edits::Entry;
use super::frame::Frame;
use super::given::Given;
use super::keyed::{Resolved, follow, inside, replaced, resolve, resolve_one};
use super::level::Level;
use super::path::{Path, trace_state_with};
use super::val::{Val, entries, put_delimited, put_entry};

// === impl Path ===

impl Path {
    /// Sets what the path names.
    pub(crate) fn set<'a>(&'a self, frame: &mut Frame<'a>, given: Given<'a>) -> Result<(), EvalError> {
        match self {
            Self::Attribute { level, slot, rest } => {
                let current = frame.slot(*level, *slot);
                let (value, result) = if rest.is_empty() {
                    replaced(frame, current, given)
                } else {
                    let keys = resolve(rest, frame);
                    inside(frame, current, &keys, given)
                };
                if value != current {
                    frame.put_slot(*level, *slot, value);
                }
                result
            }
            Self::Computed { level, key, rest } => {
                let Resolved::Name(name) = resolve_one(key, frame).named()? else {
                    return Err(EvalError::Static("the key of an attribute must be a string"));
                };
                let keys = resolve(rest, frame);
                let mut all: Vec<Entry<'a>> = attributes(frame, *level);
                let at = all.iter().position(|(known, _)| *known == name);
                let current = at.and_then(|at| all.get(at)).map(|(_, value)| *value);
                let (value, result) = inside(frame, current, &keys, given);
                let Some(value) = value else { return result };
                match at.and_then(|at| all.get_mut(at)) {
                    Some(entry) => entry.1 = value,
                    None => all.push((name, value)),
                }
                frame.put_attributes(*level, &all);
                result
            }
            Self::Attributes(level) => match given.get() {
                AnyValue::Map(body) => {
                    let all: Vec<Entry<'a>> = entries(body).collect();
                    frame.put_attributes(*level, &all);
                    Ok(())
                }
                _ if matches!(given, Given::Nil) => {
                    frame.put_attributes(*level, &[]);
                    Ok(())
                }
                _ => Err(EvalError::Type { expected: "map", found: given.type_name() }),
            },
            Self::Field(field) => field.set(frame, given),
            Self::TraceState(key) => {
                let value = given.string()?;
                let Some(key) = key else {
                    return Err(EvalError::Static("trace_state can only be indexed by a string"));
                };
                if let Some(state) = trace_state_with(frame.fields.trace_state, key.as_bytes(), value) {
                    frame.fields.trace_state = frame.keep(&state);
                    frame.touch(Level::Span, 3);
                }
                Ok(())
            }
            Self::Client { .. } => Err(EvalError::Static("what is known about a client cannot be changed")),
            Self::Body(keys) => {
                let current = frame.body();
                if !keys.is_empty() && !matches!(current.get(), AnyValue::Map(_) | AnyValue::Array(_)) {
                    return Err(EvalError::Unsupported {
                        what: "an indexed body",
                        found: Val::of(current).type_name(),
                    });
                }
                let keys = resolve(keys, frame);
                let (value, result) = if keys.is_empty() {
                    replaced(frame, Some(current), given)
                } else {
                    inside(frame, Some(current), &keys, given)
                };
                if let Some(value) = value {
                    frame.put_body(value);
                }
                result
            }
            Self::Log(field) => field.set(frame, given),
            Self::Metric(field) => field.set(frame, given),
            Self::Point(field) => field.set(frame, given),
        }
    }

    /// The entries of the map that the path names.
    pub(crate) fn entries<'a>(&'a self, frame: &mut Frame<'a>) -> Result<Vec<Entry<'a>>, EvalError> {
        let value = match self {
            Self::Attributes(level) => return Ok(attributes(frame, *level)),
            Self::Attribute { level, slot, rest } => {
                let keys = resolve(rest, frame);
                follow(frame.slot(*level, *slot), &keys)?
            }
            Self::Computed { level, key, rest } => {
                let Resolved::Name(name) = resolve_one(key, frame).named()? else {
                    return Err(EvalError::Static("the key of an attribute must be a string"));
                };
                let keys = resolve(rest, frame);
                let found = frame.table(*level).message.attributes(level.attributes()).find(|found| found.key == name);
                follow(found.map(|found| found.value), &keys)?
            }
            Self::Body(keys) => {
                let keys = resolve(keys, frame);
                follow(Some(frame.body()), &keys)?
            }
            _ => None,
        };
        match value.map(ValueRef::get) {
            Some(AnyValue::Map(body)) => Ok(entries(body).collect()),
            None => Err(EvalError::Type { expected: "map", found: "nil" }),
            Some(_) => {
                let found = value.map_or("nil", |value| Val::of(value).type_name());
                Err(EvalError::Type { expected: "map", found })
            }
        }
    }

    /// Makes these the entries of the map that the path names.
    pub(crate) fn put_entries<'a>(&'a self, frame: &mut Frame<'a>, all: &[Entry<'a>]) -> Result<(), EvalError> {
        if let Self::Attributes(level) = self {
            frame.put_attributes(*level, all);
            return Ok(());
        }
        let mut body = Vec::new();
        all.iter().for_each(|(key, value)| put_entry(&mut body, key, value.raw()));
        let mut scratch = frame.take_scratch();
        put_delimited(&mut scratch, 0x32, &body);
        let value = ValueRef::new(frame.store(scratch));
        self.set(frame, Given::Value(value))
    }
}

/// All attributes of a level, which was settled.
fn attributes<'a>(frame: &Frame<'a>, level: Level) -> Vec<Entry<'a>> {
    frame.table(level).message.attributes(level.attributes()).map(|found| (found.key, found.value)).collect()
}

/// Removes an attribute that has a slot.
pub(crate) fn remove_slot(frame: &mut Frame<'_>, level: Level, slot: Slot) {
    if frame.slot(level, slot).is_some() {
        frame.put_slot(level, slot, None);
    }
}
