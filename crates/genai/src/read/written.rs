//! Messages as they are written, and what is derived from them.

use std::borrow::Cow;

use spanmill_otlp::AnyValue;

use super::Reader;
use super::candidate::Candidate;
use super::content::Content;
use crate::call::{Call, Written};
use crate::datum::Strings;
use crate::messages::finish;
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
            let otherwise = call.finish.filter(|finish| *finish != Finish::ToolCall);
            let otherwise = otherwise.unwrap_or(if call.failed { Finish::Error } else { Finish::Stop });
            finish(messages, call.finish_reasons.as_ref(), otherwise, &self.catalogue.vocabulary);
            self.write_kind(target::OUTPUT_MESSAGES, &content.candidates, messages);
        }
        self.write_sizes(&content);
        let mut names = content.called_tools();
        if !names.is_empty() {
            self.copies.push((target::CALLS_COUNT, None, Written::Int(names.len() as i64)));
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
}
