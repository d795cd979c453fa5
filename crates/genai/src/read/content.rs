//! Messages of a span: found in attributes of any form and in events, read, and written as the conventions have them.

use std::borrow::Cow;

use serde_json::Value as Json;
use spanmill_otlp::{AnyValue, EventRef, Pos, ValueRef};

use super::{Found, Reader};
use crate::call::{Call, Written};
use crate::catalogue::Rule;
use crate::datum::{Datum, Strings};
use crate::messages::{
    Conversation, Held, Message, Part, Side, Tool, gather, is_canonical, read_event, understand, understand_system,
    understand_tools,
};
use crate::python;
use crate::target::{self, Target};
use crate::tools;
use crate::vocabulary::{Class, Finish};

/// What was found of the messages of one span.
#[derive(Debug, Default)]
pub(super) struct Content<'a> {
    /// Whether there is anything in it.
    used: bool,
    candidates: Vec<Candidate<'a>>,
    flat: Vec<FlatAttribute<'a>>,
    /// Output messages that are right as they stand.
    answer: Option<ValueRef<'a>>,
    input: Option<Vec<Message>>,
    output: Option<Vec<Message>>,
    system: Option<Vec<Part>>,
    tools: Option<Vec<Tool>>,
}

/// An attribute that may hold a document of messages.
#[derive(Debug)]
struct Candidate<'a> {
    target: Target,
    priority: u16,
    canonical: bool,
    /// The member of a document that this is, where several attributes make it up.
    member: Option<&'a str>,
    pos: Pos,
    document: Document<'a>,
}

#[derive(Debug)]
enum Document<'a> {
    Text(Cow<'a, str>),
    /// As it was found.
    Encoded(ValueRef<'a>),
}

/// One value of a document that was flattened.
#[derive(Debug)]
struct FlatAttribute<'a> {
    /// The number of its prefix in the catalogue.
    prefix: u8,
    rest: &'a str,
    value: ValueRef<'a>,
    pos: Pos,
}

/// More flattened attributes of one span than this are left as they are.
const MOST_FLAT: usize = 16_384;

/// Longer documents are left as they are.
const LONGEST: usize = 4 << 20;

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
        self.used = false;
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
        match (&self.output, self.answer) {
            (Some(messages), _) if is_history(messages) => messages.last().is_some_and(Message::calls_tool),
            (Some(messages), _) => messages.iter().any(Message::calls_tool),
            (None, Some(answer)) => super::fill::calls_tool(answer),
            (None, None) => false,
        }
    }

    /// The names of the tools that the answer calls, one a call.
    fn called_tools(&self) -> Vec<String> {
        let read = self.answer.filter(|answer| super::fill::calls_tool(*answer));
        let read = read.and_then(|answer| understand(answer.as_str()?, Side::Output)).map(|found| found.messages);
        let messages = self.output.as_deref().or(read.as_deref()).unwrap_or_default();
        let messages = if is_history(messages) { messages.split_at(messages.len() - 1).1 } else { messages };
        messages.iter().flat_map(Message::called_tools).map(str::to_owned).collect()
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
}

// === impl Reader ===

impl<'a> Reader<'a> {
    /// Notes an attribute that may be a piece of a flattened document.
    #[cold]
    pub(super) fn note_flat(&mut self, key: &'a [u8], value: ValueRef<'a>, pos: Pos) {
        if !self.messages || self.content.flat.len() >= MOST_FLAT {
            return;
        }
        if let Some((prefix, rest)) = self.catalogue.flattened(key) {
            self.content.used = true;
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
        if self.content.candidates.iter().any(known) {
            // The key stands twice: the first one counts, and the span keeps one.
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
        self.read_message_events(call);
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
        for candidate in candidates.iter().filter(|candidate| candidate.target == target) {
            if candidate.canonical && candidate.is_right() {
                right = true;
                if target == target::OUTPUT_MESSAGES {
                    self.content.answer = candidate.encoded();
                }
                break;
            }
            if !self.messages || self.content.has(target) {
                continue;
            }
            if candidate.member.is_some() {
                self.read_members(target, &candidates);
                continue;
            }
            if let Some(found) = candidate.read() {
                self.content.take(target, found);
                if !candidate.canonical {
                    self.used.push(candidate.pos);
                }
            }
        }
        self.content.candidates = candidates;
        if !right && self.messages && !self.content.has(target) {
            self.read_flat(target);
        }
        right
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
        if let Some(found) = read_text(target, &Json::Object(document).to_string()) {
            self.content.take(target, found);
        }
    }

    fn read_flat(&mut self, target: Target) {
        let catalogue = self.catalogue;
        for (prefix, (_, wanted)) in catalogue.flattened.iter().enumerate().filter(|(_, (_, wanted))| *wanted == target)
        {
            let mine = |flat: &&FlatAttribute<'a>| usize::from(flat.prefix) == prefix;
            let flat: Vec<(&str, ValueRef<'a>)> =
                self.content.flat.iter().filter(mine).map(|flat| (flat.rest, flat.value)).collect();
            if flat.is_empty() {
                continue;
            }
            let Some(found) = gather(&flat).and_then(|text| read_text(*wanted, &text)) else { continue };
            self.used.extend(self.content.flat.iter().filter(mine).map(|flat| flat.pos));
            return self.content.take(target, found);
        }
    }

    fn read_message_events(&mut self, call: &mut Call<'a>) {
        if self.events.is_empty() || (self.content.input.is_some() && self.content.output.is_some()) {
            return;
        }
        let mut messages = Vec::new();
        let mut documents = Vec::new();
        for (body, pos) in &self.events {
            match read_event(&EventRef::new(body, *pos)) {
                Some(Held::Message(message)) => messages.push(message),
                Some(Held::Documents(found)) => documents.extend(found),
                None => {}
            }
        }
        for (name, text) in documents {
            let Some(target) = target::target(name).filter(|target| !self.content.has(*target)) else { continue };
            if let Some(found) = read_text(target, &text) {
                self.content.take(target, found);
            }
        }
        if messages.is_empty() {
            return;
        }
        let class = self.catalogue.vocabulary.describe(call.operation).map(|(_, class)| class);
        if class == Some(Class::Tool) {
            return self.take_tool_events(call, messages);
        }
        let text = Json::Array(messages).to_string();
        for (side, target) in [(Side::Input, target::INPUT_MESSAGES), (Side::Output, target::OUTPUT_MESSAGES)] {
            if !self.content.has(target)
                && let Some(found) = understand(&text, side)
            {
                self.content.take(target, found);
            }
        }
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

    /// Puts what was read among the attributes to be written.
    #[inline]
    pub(super) fn write_content(&mut self, call: &Call<'a>) {
        if self.content.used {
            self.write_all(call);
        }
    }

    fn write_all(&mut self, call: &Call<'a>) {
        let mut content = std::mem::take(&mut self.content);
        if let Some(messages) = &content.input {
            self.write_kind(target::INPUT_MESSAGES, &content.candidates, messages);
        }
        if let Some(messages) = &mut content.output {
            let said = call.finish_reasons.as_ref();
            let earlier = if is_history(messages) { messages.len().saturating_sub(1) } else { 0 };
            for message in messages.iter_mut().take(earlier) {
                let finish = if message.calls_tool() { Finish::ToolCall } else { Finish::Stop };
                message.finish_reason = Some(Cow::Borrowed(finish.name()));
            }
            for (at, message) in messages.iter_mut().skip(earlier).enumerate() {
                let word = message.finish_reason.take().or_else(|| said.and_then(|said| said.get(at)).map(Cow::Owned));
                message.finish_reason = Some(self.finish_of(call, message, word));
            }
            self.write_kind(target::OUTPUT_MESSAGES, &content.candidates, messages);
        }
        self.write_sizes(&content);
        let called = content.called_tools();
        if !called.is_empty() {
            self.copies.push((target::CALLS_COUNT, None, Written::Int(called.len() as i64)));
            let mut names = called;
            names.sort_unstable();
            names.dedup();
            self.copies.push((target::CALLS_NAMES, None, Written::Strings(Strings::Many(names))));
        }
        if let Some(parts) = &content.system {
            self.write_kind(target::SYSTEM, &content.candidates, parts);
        }
        if let Some(tools) = &content.tools {
            self.write_kind(target::DEFINITIONS, &content.candidates, tools);
        }
        self.content = content;
    }

    /// How long messages are, as they are written.
    fn write_sizes(&mut self, content: &Content<'a>) {
        for (target, size) in
            [(target::INPUT_MESSAGES, target::INPUT_BYTES), (target::OUTPUT_MESSAGES, target::OUTPUT_BYTES)]
        {
            let written = self.copies.iter().find_map(|(known, _, value)| match value {
                Written::Text(text) if *known == target => Some(text.len()),
                _ => None,
            });
            let stays = || {
                let stays = content.candidates.iter().find(|known| known.canonical && known.target == target)?;
                Some(match stays.encoded()?.get() {
                    AnyValue::Text(text) => text.len(),
                    _ => stays.encoded()?.raw().len(),
                })
            };
            if let Some(bytes) = written.or_else(stays) {
                self.copies.push((size, None, Written::Int(bytes as i64)));
            }
        }
    }

    fn write_kind<T: serde::Serialize>(&mut self, target: Target, candidates: &[Candidate<'a>], value: &T) {
        let at = candidates.iter().find(|known| known.canonical && known.target == target).map(|known| known.pos);
        if let Ok(text) = serde_json::to_string(value) {
            self.copies.push((target, at, Written::Text(Cow::Owned(text))));
        }
    }

    /// The word for why a message ended: the conventions ask for one with every message.
    fn finish_of(&self, call: &Call<'a>, message: &Message, word: Option<Cow<'static, str>>) -> Cow<'static, str> {
        let known = word.as_deref().and_then(|word| self.catalogue.vocabulary.finish(word));
        match known {
            // Some providers say `stop` although the model called a tool.
            None | Some(Finish::Stop) if message.calls_tool() => Cow::Borrowed(Finish::ToolCall.name()),
            Some(finish) => Cow::Borrowed(finish.name()),
            None => word.unwrap_or_else(|| {
                let finish = call.finish.filter(|finish| *finish != Finish::ToolCall);
                let finish = finish.unwrap_or(if call.failed { Finish::Error } else { Finish::Stop });
                Cow::Borrowed(finish.name())
            }),
        }
    }
}

// === impl Candidate ===

impl<'a> Candidate<'a> {
    fn encoded(&self) -> Option<ValueRef<'a>> {
        match &self.document {
            Document::Encoded(value) => Some(*value),
            Document::Text(_) => None,
        }
    }

    /// Whether the attribute of the conventions can stay.
    fn is_right(&self) -> bool {
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

    fn text(&self) -> Option<Cow<'_, str>> {
        let text = match &self.document {
            Document::Text(text) => Cow::Borrowed(&**text),
            Document::Encoded(value) => Datum::read(*value).document_text()?,
        };
        (text.len() <= LONGEST).then_some(text)
    }

    fn read(&self) -> Option<Conversation> {
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

/// Whether these are the messages of a whole conversation, as agents keep it, rather than choices of one answer.
fn is_history(messages: &[Message]) -> bool {
    messages.iter().any(|message| message.role != "assistant")
}

fn read_text(target: Target, text: &str) -> Option<Conversation> {
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
