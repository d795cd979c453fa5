//! Attributes that may hold a document of messages.

use std::borrow::Cow;

use spanmill_otlp::{AnyValue, Pos, ValueRef};

use crate::datum::Datum;
use crate::messages::{
    Conversation, Message, Part, Side, is_canonical, understand, understand_system, understand_tools,
};
use crate::python;
use crate::target::{self, Target};

/// An attribute that may hold a document of messages.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    pub(super) target: Target,
    pub(super) priority: u16,
    pub(super) canonical: bool,
    /// The member of a document that this is, where several attributes make it up.
    pub(super) member: Option<&'a str>,
    pub(super) pos: Pos,
    pub(super) document: Document<'a>,
}

#[derive(Debug)]
pub(super) enum Document<'a> {
    Text(Cow<'a, str>),
    /// As it was found.
    Encoded(ValueRef<'a>),
}

/// Longer documents are left as they are.
const LONGEST: usize = 4 << 20;

// === impl Candidate ===

impl<'a> Candidate<'a> {
    pub(super) fn encoded(&self) -> Option<ValueRef<'a>> {
        match &self.document {
            Document::Encoded(value) => Some(*value),
            Document::Text(_) => None,
        }
    }

    /// Whether the attribute of the conventions can stay.
    pub(super) fn is_right(&self) -> bool {
        let Document::Encoded(value) = &self.document else { return false };
        match value.get() {
            AnyValue::Text(text) => is_canonical(self.target, text),
            AnyValue::Array(_) => value.elements().next().is_none_or(|first| {
                let names: &[&[u8]] = match self.target {
                    target::INPUT_MESSAGES => &[b"role", b"parts"],
                    target::OUTPUT_MESSAGES => &[b"role", b"parts", b"finish_reason"],
                    target::SYSTEM => &[b"type", b"content"],
                    _ => &[b"type", b"name"],
                };
                names.iter().all(|name| first.entries().any(|(key, _)| key == *name))
            }),
            _ => false,
        }
    }

    /// Whether this is nothing but words, of an attribute that is none of the conventions.
    pub(super) fn is_words(&self) -> bool {
        if self.canonical || self.member.is_some() {
            return false;
        }
        self.text()
            .is_some_and(|text| !text.trim_start().starts_with(['{', '[', '"']) && python::printed(&text).is_none())
    }

    pub(super) fn text(&self) -> Option<Cow<'_, str>> {
        let text = match &self.document {
            Document::Text(text) => Cow::Borrowed(&**text),
            Document::Encoded(value) => Datum::read(*value).document_text()?,
        };
        (text.len() <= LONGEST).then_some(text)
    }

    pub(super) fn read(&self) -> Option<Conversation> {
        let text = self.text()?;
        let found =
            read_text(self.target, &text).or_else(|| read_text(self.target, &python::printed(&text)?.to_string()));
        // An attribute of the conventions holds messages, whatever form they have.
        let role = if self.target == target::OUTPUT_MESSAGES { "assistant" } else { "user" };
        found.or_else(|| {
            let mut whole = Conversation::default();
            match self.target {
                target::INPUT_MESSAGES | target::OUTPUT_MESSAGES => {
                    whole.messages.push(Message::new(role, vec![Part::text(text)]))
                }
                target::SYSTEM => whole.system.push(Part::text(text)),
                _ => return None,
            }
            self.canonical.then_some(whole)
        })
    }
}

/// Reads a document for the attribute that it belongs to.
pub(super) fn read_text(target: Target, text: &str) -> Option<Conversation> {
    if text.len() > LONGEST {
        return None;
    }
    match target {
        target::INPUT_MESSAGES => understand(text, Side::Input),
        target::OUTPUT_MESSAGES => understand(text, Side::Output),
        target::SYSTEM => understand_system(text),
        _ => understand_tools(text),
    }
}
