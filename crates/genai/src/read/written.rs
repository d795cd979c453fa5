//! Messages as they are written, and what is derived from them.

use std::borrow::Cow;

use spanmill_otlp::AnyValue;

use super::Reader;
use super::candidate::Candidate;
use super::content::{Content, is_history};
use crate::call::{Call, Written};
use crate::datum::Strings;
use crate::messages::Message;
use crate::target::{self, Target};
use crate::vocabulary::Finish;

// === impl Reader ===

impl<'a> Reader<'a> {
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
