//! Changes to requests of metrics and logs. They are written anew around what changes, and every message that may change is checked first,
//! since nobody looked into it when it was received.

use std::borrow::Cow;

use crate::error::{Malformed, Reason};
use crate::index::check_attributes;
use crate::limits::Limits;
use crate::opaque::{Opaque, Signal};
use crate::patch::Part;
use crate::view::Message;
use crate::wire::{Payload, put_field};

/// A log record or a metric point, and what it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// What kind of message it is.
    pub part: Part,
    /// Its resource.
    pub resource: Message<'a>,
    /// Its scope.
    pub scope: Message<'a>,
    /// The name of its metric, as found; empty for log records.
    pub metric: &'a [u8],
    /// The item.
    pub message: Message<'a>,
}

/// What became of a message: none where it stays.
pub(crate) type Revised = Result<Option<Vec<u8>>, Malformed>;

/// The kinds of a metric's data by field number, and what their points are.
const KINDS: [(u32, Part); 5] = [
    (5, Part::NumberPoint),
    (7, Part::NumberPoint),
    (9, Part::HistogramPoint),
    (10, Part::ExponentialPoint),
    (11, Part::NumberPoint),
];

// === impl Opaque ===

impl Opaque {
    /// The request with what `edit` makes of its resources, none where one stays. A missing resource is an empty one.
    ///
    /// # Errors
    ///
    /// Fails where a resource is malformed or too deep, or the result is too large.
    pub fn revise_resources(&self, mut edit: impl FnMut(Message<'_>) -> Option<Vec<u8>>) -> Result<Self, Malformed> {
        let revised = revise(self.bytes(), &[1], |_, group| {
            let resource = joined(group);
            check_attributes(&resource, Part::Resource.attributes())?;
            let Some(new) = edit(Message::standalone(&resource)) else { return Ok(None) };
            let mut out = Vec::with_capacity(group.len() + new.len());
            put_field(&mut out, 1, Payload::Bytes(&new));
            for field in Message::standalone(group).fields().filter(|field| field.number != 1) {
                put_field(&mut out, field.number, field.payload);
            }
            Ok(Some(out))
        });
        self.become_of(revised)
    }

    /// The request with what `edit` makes of its log records or metric points, none where one stays.
    ///
    /// # Errors
    ///
    /// Fails where an item, or a resource or scope above one, is malformed or too deep, or the result is too large.
    pub fn revise_items(&self, mut edit: impl FnMut(Item<'_>) -> Option<Vec<u8>>) -> Result<Self, Malformed> {
        let mut item = |part: Part, [resource, scope, metric]: [&[u8]; 3], body: &[u8]| -> Revised {
            check_attributes(body, part.attributes())?;
            let (resource, scope) = (Message::standalone(resource), Message::standalone(scope));
            Ok(edit(Item { part, resource, scope, metric, message: Message::standalone(body) }))
        };
        let revised = revise(self.bytes(), &[1], |_, group| {
            let resource = joined(group);
            check_attributes(&resource, Part::Resource.attributes())?;
            revise(group, &[2], |_, group| {
                let scope = joined(group);
                check_attributes(&scope, Part::Scope.attributes())?;
                revise(group, &[2], |_, body| match self.signal() {
                    Signal::Logs => item(Part::LogRecord, [&resource, &scope, &[]], body),
                    Signal::Metrics => {
                        let name = match Message::standalone(body).last(1) {
                            Some(Payload::Bytes(name)) => name,
                            _ => &[],
                        };
                        revise(body, &KINDS.map(|(number, _)| number), |number, data| {
                            let part = KINDS.iter().find(|(kind, _)| *kind == number).map(|(_, part)| *part);
                            let Some(part) = part else { return Ok(None) };
                            revise(data, &[1], |_, point| item(part, [&resource, &scope, name], point))
                        })
                    }
                    Signal::Traces => Ok(None),
                })
            })
        });
        self.become_of(revised)
    }

    pub(crate) fn become_of(&self, revised: Revised) -> Result<Self, Malformed> {
        let Some(bytes) = revised? else { return Ok(self.clone()) };
        if bytes.len() > Limits::default().max_bytes {
            return Err(Malformed::new(0, Reason::TooLarge));
        }
        Ok(Self::counted(self.signal(), bytes.into(), self.item_count()))
    }
}

/// The message with what `child` makes of its fields of these numbers.
pub(crate) fn revise(message: &[u8], numbers: &[u32], mut child: impl FnMut(u32, &[u8]) -> Revised) -> Revised {
    let mut out = Vec::new();
    let mut done = 0;
    for field in Message::standalone(message).fields() {
        if let Payload::Bytes(body) = field.payload
            && numbers.contains(&field.number)
            && let Some(new) = child(field.number, body)?
        {
            out.extend_from_slice(message.get(done..field.pos.start as usize).unwrap_or(&[]));
            put_field(&mut out, field.number, Payload::Bytes(&new));
            done = field.pos.end as usize;
        }
    }
    if done == 0 {
        return Ok(None);
    }
    out.extend_from_slice(message.get(done..).unwrap_or(&[]));
    Ok(Some(out))
}

/// The resource or the scope of a group, which is field 1; several pieces of it are one message.
fn joined(group: &[u8]) -> Cow<'_, [u8]> {
    let pieces = Message::standalone(group).fields().filter_map(|field| match (field.number, field.payload) {
        (1, Payload::Bytes(piece)) => Some(piece),
        _ => None,
    });
    pieces.fold(Cow::Borrowed(&[]), |whole, piece| {
        if whole.is_empty() { Cow::Borrowed(piece) } else { Cow::Owned([&*whole, piece].concat()) }
    })
}
