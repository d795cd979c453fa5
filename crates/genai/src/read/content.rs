//! Messages of a span: found in attributes of any form and in events, read, and written as the conventions have them.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};
use spanmill_otlp::{AnyValue, EventRef, Pos, ValueRef};

use super::candidate::{Candidate, Document, read_text};
use super::{Found, Reader};
use crate::call::{Call, Written};
use crate::catalogue::Rule;
use crate::datum::{Datum, Strings};
use crate::messages::{
    Conversation, Held, MOST_FLAT, Message, Part, Pieces, Side, Tool, gather, is_history, read_event, understand,
};
use crate::target::{self, Target};
use crate::tools;
use crate::vocabulary::Class;

/// What was found of the messages of one span.
#[derive(Debug, Default)]
pub(super) struct Content<'a> {
    /// Whether there is anything in it.
    pub(super) used: bool,
    pub(super) candidates: Vec<Candidate<'a>>,
    flat: Vec<FlatAttribute<'a>>,
    /// Whether calls of tools stand beside the messages.
    pub(super) calls_aside: bool,
    /// Output messages that are right as they stand.
    answer: Option<ValueRef<'a>>,
    pub(super) input: Option<Vec<Message>>,
    pub(super) output: Option<Vec<Message>>,
    pub(super) system: Option<Vec<Part>>,
    pub(super) tools: Option<Vec<Tool>>,
}

/// One value of a document that was flattened.
#[derive(Debug)]
struct FlatAttribute<'a> {
    /// The number of its prefix in the catalogue.
    prefix: usize,
    rest: &'a str,
    value: ValueRef<'a>,
    pos: Pos,
}

const TARGETS: [Target; 4] = [target::INPUT_MESSAGES, target::OUTPUT_MESSAGES, target::SYSTEM, target::DEFINITIONS];

// === impl Content ===

impl Content<'_> {
    #[inline]
    pub(super) fn clear(&mut self) {
        if self.used {
            self.clear_all();
        }
    }

    #[cold]
    fn clear_all(&mut self) {
        (self.used, self.calls_aside) = (false, false);
        self.candidates.clear();
        self.flat.clear();
        (self.answer, self.input, self.output, self.system, self.tools) = (None, None, None, None, None);
    }

    fn has(&self, target: Target) -> bool {
        match target {
            target::INPUT_MESSAGES => self.input.is_some(),
            target::OUTPUT_MESSAGES => self.output.is_some(),
            target::SYSTEM => self.system.is_some(),
            _ => self.tools.is_some(),
        }
    }

    /// Takes what a document held that was read for `target`.
    fn take(&mut self, target: Target, found: Conversation) {
        let Conversation { system, messages, tools } = found;
        if !messages.is_empty() {
            let side = if target == target::OUTPUT_MESSAGES { &mut self.output } else { &mut self.input };
            side.get_or_insert(messages);
        }
        if !system.is_empty() {
            self.system.get_or_insert(system);
        }
        if !tools.is_empty() {
            self.tools.get_or_insert(tools);
        }
    }

    /// Whether the answer calls a tool.
    pub(super) fn calls_tool(&self) -> bool {
        let in_messages = match (&self.output, self.answer) {
            (Some(messages), _) if is_history(messages) => messages.last().is_some_and(Message::calls_tool),
            (Some(messages), _) => messages.iter().any(Message::calls_tool),
            // What the provider ran is called in the same words.
            (None, Some(answer)) if super::fill::calls_tool(answer) => {
                !may_hold_pieces(answer) || !self.called_tools().is_empty()
            }
            (None, _) => false,
        };
        in_messages || self.calls_aside
    }

    /// The names of the tools that the answer calls, one a call.
    pub(super) fn called_tools(&self) -> Vec<String> {
        self.in_answer(super::fill::calls_tool, |messages| {
            messages.iter().flat_map(Message::called_tools).map(str::to_owned).collect()
        })
    }

    /// What the answer holds that is paid for by the piece.
    pub(super) fn pieces(&self) -> Pieces {
        self.in_answer(may_hold_pieces, Pieces::count)
    }

    /// Asks the messages of the answer. Those that are right as they stand are read only where they are worth it.
    fn in_answer<T>(&self, is_worth: impl Fn(ValueRef<'_>) -> bool, ask: impl FnOnce(&[Message]) -> T) -> T {
        let read = self.answer.filter(|answer| self.output.is_none() && is_worth(*answer));
        let read = read.and_then(|answer| understand(answer.as_str()?, Side::Output)).map(|found| found.messages);
        let messages = self.output.as_deref().or(read.as_deref()).unwrap_or_default();
        ask(if is_history(messages) { messages.split_at(messages.len() - 1).1 } else { messages })
    }

    /// Why the model stopped, where only the messages say it.
    pub(super) fn finish_reasons<'a>(&self) -> Option<Strings<'a>>
    where
        Self: 'a,
    {
        let reasons = self.output.iter().flatten().filter_map(|message| message.finish_reason.clone());
        let reasons: Vec<String> = reasons.map(Cow::into_owned).collect();
        (!reasons.is_empty()).then_some(Strings::Many(reasons))
    }
}

impl<'a> Content<'a> {
    pub(super) fn answer(&self) -> Option<ValueRef<'a>> {
        self.answer
    }

    /// Whether a document for that attribute was flattened, and holds more than roles.
    pub(super) fn is_flattened(&self, target: Target, prefixes: &[(Box<str>, Target)]) -> bool {
        let is_wanted = |flat: &FlatAttribute<'_>| prefixes.get(flat.prefix).is_some_and(|(_, it)| *it == target);
        self.flat.iter().any(|flat| !flat.rest.ends_with("role") && is_wanted(flat))
    }

    /// The values that were flattened under a prefix: where each stands, the rest of its key, and itself.
    pub(super) fn flattened(&self, prefix: usize) -> impl Iterator<Item = (Pos, (&'a str, ValueRef<'a>))> {
        let mine = self.flat.iter().filter(move |flat| flat.prefix == prefix);
        mine.map(|flat| (flat.pos, (flat.rest, flat.value)))
    }
}

/// Whether messages that stand as text may hold anything that is paid for by the piece.
fn may_hold_pieces(messages: ValueRef<'_>) -> bool {
    messages.as_str().is_some_and(|text| Pieces::may_be_in(text.as_bytes()))
}

// === impl Reader ===

impl<'a> Reader<'a> {
    /// Notes an attribute that may be a piece of a flattened document.
    #[cold]
    pub(super) fn note_flat(&mut self, key: &'a [u8], value: ValueRef<'a>, pos: Pos) {
        if self.content.flat.len() >= MOST_FLAT {
            return;
        }
        let Some((prefix, rest)) = self.catalogue.flattened(key) else { return };
        let calls = self.catalogue.flattened.get(prefix).is_some_and(|(_, target)| *target == target::TOOL_CALLS);
        self.content.calls_aside |= calls;
        self.content.used |= calls || self.messages;
        if self.messages {
            self.content.flat.push(FlatAttribute { prefix, rest, value, pos });
        }
    }

    /// Notes a value that a rule takes for messages.
    pub(super) fn note_document(&mut self, rule: &'a Rule, found: Found<'a>, datum: Datum<'a>) {
        let document = match datum {
            Datum::Text(text) => Document::Text(text),
            Datum::Encoded(value) => Document::Encoded(value),
            Datum::Json(json) => Document::Text(Cow::Owned(json.to_string())),
            _ => return,
        };
        self.content.used = true;
        let (target, priority, member, pos) = (rule.target, rule.priority, rule.member.as_deref(), found.pos);
        self.content.candidates.push(Candidate { target, priority, canonical: false, member, pos, document });
    }

    /// Notes an attribute of the conventions. Its text is not looked at before it has to be: prompts are long.
    pub(super) fn note_canonical(&mut self, rule: &'a Rule, found: Found<'a>) {
        let known = |known: &Candidate<'_>| known.canonical && known.target == rule.target;
        // The key stands twice: the first one counts, and the span keeps one. Or it stands there to say that there is nothing.
        if self.content.candidates.iter().any(known) || matches!(found.value.get(), AnyValue::Text(b"null")) {
            self.to_cut.push(found.pos);
            return;
        }
        self.content.used = true;
        let (target, pos, document) = (rule.target, found.pos, Document::Encoded(found.value));
        self.content.candidates.push(Candidate { target, priority: 0, canonical: true, member: None, pos, document });
    }

    /// Reads the messages: of each kind from the best place that has them.
    #[inline]
    pub(super) fn read_content(&mut self, call: &mut Call<'a>) {
        if self.content.used || !self.events.is_empty() {
            self.read_all(call);
        }
    }

    fn read_all(&mut self, call: &mut Call<'a>) {
        self.content.used = true;
        self.content.candidates.sort_by_key(|candidate| (!candidate.canonical, candidate.priority));
        let mut right = [false; TARGETS.len()];
        for (right, target) in right.iter_mut().zip(TARGETS) {
            *right = self.read_kind(target);
        }
        if !self.messages {
            return;
        }
        let [input, output, system, _] = right;
        if !output {
            self.add_calls_aside();
        }
        if !system && self.content.system.is_none() && self.leaves_out_system(input) {
            self.take_system_apart();
        }
        let documents = self.read_message_events(call);
        self.read_retrieved(documents);
        // What stands there already is not to be written from another place.
        let [input, output, system, tools] = right;
        self.content.input.take_if(|_| input);
        self.content.output.take_if(|_| output);
        self.content.system.take_if(|_| system);
        self.content.tools.take_if(|_| tools);
    }

    /// Reads the messages of one kind; says whether the attribute of the conventions is right as it is.
    fn read_kind(&mut self, target: Target) -> bool {
        let candidates = std::mem::take(&mut self.content.candidates);
        let mut right = false;
        // Words alone tell less than messages that were flattened, which may call tools as well.
        let flattened = self.content.is_flattened(target, &self.catalogue.flattened);
        let is_weak = |candidate: &&Candidate<'a>| flattened && candidate.is_words();
        for candidate in candidates.iter().filter(|candidate| candidate.target == target) {
            if candidate.canonical && candidate.is_right() {
                right = true;
                if target == target::OUTPUT_MESSAGES {
                    self.content.answer = candidate.encoded();
                }
                break;
            }
            if !self.messages || self.content.has(target) || is_weak(&candidate) {
                continue;
            }
            if candidate.member.is_some() {
                self.read_members(target, &candidates);
                continue;
            }
            self.read_candidate(candidate);
        }
        if !right && self.messages && !self.content.has(target) {
            self.read_flat(target);
            let mut words = candidates.iter().filter(|candidate| candidate.target == target).filter(is_weak);
            while !self.content.has(target)
                && let Some(candidate) = words.next()
            {
                self.read_candidate(candidate);
            }
        }
        self.content.candidates = candidates;
        right
    }

    fn read_candidate(&mut self, candidate: &Candidate<'a>) {
        let Some(found) = candidate.read() else { return };
        let slot = self.found.iter().find(|found| found.pos == candidate.pos).map(|found| found.slot);
        self.take_content(candidate.target, found, |reader| match slot {
            Some(slot) => String::from_utf8_lossy(reader.catalogue.name(slot)).into_owned(),
            None => String::new(),
        });
        if !candidate.canonical {
            self.used.push(candidate.pos);
        }
    }

    /// Takes what a document held, and notes where that was.
    fn take_content(&mut self, target: Target, found: Conversation, from: impl FnOnce(&Self) -> String) {
        let before = TARGETS.map(|target| self.content.has(target));
        self.content.take(target, found);
        if self.notes.is_none() {
            return;
        }
        let from = from(self);
        for (target, had) in TARGETS.into_iter().zip(before) {
            if !had && self.content.has(target) {
                self.note(target, || from.clone());
            }
        }
    }

    /// Reads a document that several attributes make up.
    fn read_members(&mut self, target: Target, candidates: &[Candidate<'a>]) {
        let mut document = serde_json::Map::new();
        let members = candidates.iter().filter(|candidate| candidate.target == target && !candidate.canonical);
        for candidate in members {
            let (Some(member), false) =
                (candidate.member, candidate.member.is_some_and(|member| document.contains_key(member)))
            else {
                continue;
            };
            let Some(text) = candidate.text() else { continue };
            let parsed =
                if member == "text" || member == "reasoning" { None } else { serde_json::from_str(&text).ok() };
            document.insert(member.to_owned(), parsed.unwrap_or_else(|| Json::String(text.into_owned())));
            self.used.push(candidate.pos);
        }
        let members: Vec<&String> = document.keys().collect();
        let from = format!("attributes that make up one answer: {members:?}");
        if let Some(found) = read_text(target, &Json::Object(document).to_string()) {
            self.take_content(target, found, |_| from);
        }
    }

    fn read_flat(&mut self, target: Target) {
        let catalogue = self.catalogue;
        for (prefix, (_, wanted)) in catalogue.flattened.iter().enumerate().filter(|(_, (_, wanted))| *wanted == target)
        {
            let mine = |flat: &&FlatAttribute<'a>| flat.prefix == prefix;
            let flat: Vec<(&str, ValueRef<'a>)> =
                self.content.flat.iter().filter(mine).map(|flat| (flat.rest, flat.value)).collect();
            if flat.is_empty() {
                continue;
            }
            let Some(found) = gather(&flat).and_then(|text| read_text(*wanted, &text)) else { continue };
            self.used.extend(self.content.flat.iter().filter(mine).map(|flat| flat.pos));
            return self.take_content(target, found, |reader| {
                reader.catalogue.flattened.get(prefix).map_or_else(String::new, |(prefix, _)| format!("{prefix}.*"))
            });
        }
    }

    /// Gives the documents of events that say what was retrieved.
    fn read_message_events(&mut self, call: &mut Call<'a>) -> Vec<Map<String, Json>> {
        let mut retrieved = Vec::new();
        if self.events.is_empty() || (self.content.input.is_some() && self.content.output.is_some()) {
            return retrieved;
        }
        let mut messages = Vec::new();
        let mut documents = Vec::new();
        for (body, pos) in &self.events {
            match read_event(&EventRef::new(body, *pos)) {
                Some(Held::Message(message)) => messages.push(message),
                Some(Held::Documents(found)) => documents.extend(found),
                Some(Held::Retrieved(document)) => retrieved.push(document),
                None => {}
            }
        }
        for (name, text) in documents {
            let Some(target) = target::target(name).filter(|target| !self.content.has(*target)) else { continue };
            if let Some(found) = read_text(target, &text) {
                self.take_content(target, found, |_| "an event".to_owned());
            }
        }
        if messages.is_empty() {
            return retrieved;
        }
        let class = self.catalogue.vocabulary.describe(call.operation).map(|(_, class)| class);
        if class == Some(Class::Tool) {
            self.take_tool_events(call, messages);
            return retrieved;
        }
        let text = Json::Array(messages).to_string();
        for (side, target) in [(Side::Input, target::INPUT_MESSAGES), (Side::Output, target::OUTPUT_MESSAGES)] {
            if !self.content.has(target)
                && let Some(found) = understand(&text, side)
            {
                self.take_content(target, found, |_| "events".to_owned());
            }
        }
        retrieved
    }

    /// On the span of a tool, events tell what it was asked and what it answered.
    fn take_tool_events(&mut self, call: &mut Call<'a>, messages: Vec<Json>) {
        for message in messages {
            for (member, target) in [("content", target::TOOL_ARGUMENTS), ("message", target::TOOL_RESULT)] {
                let missing = !self.copies.iter().any(|(known, _, _)| *known == target)
                    && self.priority(target) == super::UNTAKEN;
                let Some(value) = message.get(member).filter(|_| missing) else { continue };
                let datum = Datum::Json(value.clone());
                if target == target::TOOL_ARGUMENTS && call.tool.is_none() {
                    call.tool = tools::hash_arguments(&datum);
                }
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                self.copies.push((target, None, Written::Text(Cow::Owned(text))));
            }
        }
    }
}
