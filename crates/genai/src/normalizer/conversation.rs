//! Messages, definitions of tools and retrieved documents, from lists that were flattened and from texts.

use serde::Serialize;
use spanmill_otlp::{Slot, ValueRef};

use super::mapping::applies;
use super::plan::{Document, Plan};
use super::represented::Search;
use super::sheet::{Piece, Sheet};
use crate::call::Written;
use crate::datum::{Datum, Strings};
use crate::messages::{
    Conversation, Message, Part, Side, finish, gather, gather_documents, understand, understand_tools,
};
use crate::vocabulary::{Finish, Vocabulary};

/// Longer texts are left as they are.
const LONGEST: usize = 4 << 20;

/// Members of a message that are always understood. Others are looked for in what was written.
const UNDERSTOOD: &[&str] = &["role", "content", "contents", "finish_reason"];

/// Where what is found goes.
struct Writer<'s, 'a> {
    plan: &'a Plan,
    sheet: &'s mut Sheet<'a>,
    vocabulary: &'a Vocabulary,
    /// Why answers ended of which nothing else tells it.
    otherwise: Finish,
}

/// Writes the conversation of a span.
pub(super) fn apply<'a>(plan: &'a Plan, sheet: &mut Sheet<'a>, vocabulary: &'a Vocabulary, failed: bool) {
    let otherwise = if failed { Finish::Error } else { Finish::Stop };
    let mut writer = Writer { plan, sheet, vocabulary, otherwise };
    for (list, flattened) in plan.flattened.iter().enumerate() {
        writer.flattened(list, flattened.to);
    }
    for document in &plan.documents {
        writer.document(document);
    }
}

// === impl Writer ===

impl<'a> Writer<'_, 'a> {
    fn flattened(&mut self, list: usize, to: Slot) {
        if !self.sheet.is_open(to) {
            return;
        }
        let pieces: Vec<Piece<'a>> = self.sheet.pieces.iter().filter(|piece| piece.list == list).copied().collect();
        if pieces.is_empty() {
            return;
        }
        let flat: Vec<(&str, ValueRef<'a>)> = pieces.iter().map(|piece| (piece.rest, piece.value)).collect();
        let written = if to == self.plan.known.retrieved {
            gather_documents(&flat).inspect(|text| self.sheet.write_text(to, text.clone()))
        } else {
            gather(&flat).filter(|text| text.len() <= LONGEST).and_then(|text| self.understand(&text, to, false))
        };
        let Some(written) = written else { return };
        let whole = to == self.plan.known.retrieved;
        let mut search = Search::new(&written);
        for piece in pieces.iter().filter(|piece| whole || piece.is_in(&mut search)) {
            self.sheet.remove_at(piece.pos);
        }
    }

    fn document(&mut self, document: &Document) {
        let open = self.sheet.is_open(document.to) && applies(document.when, self.plan, self.sheet);
        let Some(found) = self.sheet.value(document.from).filter(|_| open) else { return };
        let Some(text) = Datum::read(found).document_text().filter(|text| text.len() <= LONGEST) else { return };
        let written = self.understand(&text, document.to, document.any_text);
        if written.is_some_and(|written| Search::new(&written).finds(&text)) {
            self.sheet.remove(document.from);
        }
    }

    /// Reads a document and writes what it holds; gives all of that. With `any_text`, what cannot be read is what somebody said.
    fn understand(&mut self, text: &str, to: Slot, any_text: bool) -> Option<String> {
        let known = self.plan.known;
        if to == known.tools {
            let tools = understand_tools(text)?.tools;
            return self.write(to, &tools);
        }
        let side = if to == known.output { Side::Output } else { Side::Input };
        let found = understand(text, side).filter(|found| !found.messages.is_empty()).or_else(|| {
            let role = if side == Side::Output { "assistant" } else { "user" };
            let messages = vec![Message::new(role, vec![Part::text(text)])];
            (any_text && !text.trim().is_empty()).then(|| Conversation { messages, ..Conversation::default() })
        });
        let Conversation { system, mut messages, tools } = found?;
        if side == Side::Output {
            self.finish(&mut messages);
        }
        let mut written = self.write(to, &messages)?;
        if !system.is_empty() && self.sheet.is_open(known.system) {
            written.extend(self.write(known.system, &system));
        }
        if !tools.is_empty() && self.sheet.is_open(known.tools) {
            written.extend(self.write(known.tools, &tools));
        }
        Some(written)
    }

    /// Gives every message of an answer the reason why it ended, and the span the reasons that only messages tell.
    fn finish(&mut self, messages: &mut [Message]) {
        let slot = self.plan.known.finish_reasons;
        let own = messages.iter().filter_map(|message| message.finish_reason.as_deref().map(str::to_owned));
        let own: Vec<String> = own.collect();
        if !own.is_empty() && self.sheet.is_open(slot) {
            self.sheet.write(slot, Written::Strings(Strings::Many(own)));
        }
        let said = self.sheet.strings(slot);
        finish(messages, said.as_ref(), self.otherwise, self.vocabulary);
    }

    fn write<T: Serialize>(&mut self, to: Slot, value: &T) -> Option<String> {
        let text = serde_json::to_string(value).ok()?;
        self.sheet.write_text(to, text.clone());
        Some(text)
    }
}

// === impl Piece ===

impl Piece<'_> {
    /// Whether what it says stands in what was written.
    fn is_in(&self, search: &mut Search<'_>) -> bool {
        let mut segments = self.rest.split('.').skip(1);
        let wrappers = ["message", "prompt", "completion", "tool"];
        let member = segments.find(|segment| !wrappers.contains(segment));
        if member.is_none_or(|member| UNDERSTOOD.contains(&member)) {
            return true;
        }
        Datum::read(self.value).text().is_none_or(|text| search.finds(&text))
    }
}
