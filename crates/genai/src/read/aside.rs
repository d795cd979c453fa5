//! Calls of tools that stand beside the messages of an answer, flattened to attributes of their own.

use spanmill_otlp::ValueRef;

use super::Reader;
use crate::messages::{Message, Part, Side, gather, understand};
use crate::target;

// === impl Reader ===

impl<'a> Reader<'a> {
    /// Adds them to the answer, unless its messages call tools themselves.
    pub(super) fn add_calls_aside(&mut self) {
        if !self.content.calls_aside || self.content.output.iter().flatten().any(Message::calls_tool) {
            return;
        }
        let catalogue = self.catalogue;
        let prefixes = catalogue.flattened.iter().enumerate().filter(|(_, (_, to))| *to == target::TOOL_CALLS);
        for (number, (prefix, _)) in prefixes {
            let (places, flat): (Vec<_>, Vec<(&str, ValueRef<'a>)>) = self.content.flattened(number).unzip();
            let message = gather(&flat).map(|calls| format!(r#"{{"tool_calls":{calls}}}"#));
            let found = message.and_then(|message| understand(&message, Side::Output)).unwrap_or_default();
            let calls: Vec<Part> = found.messages.into_iter().flat_map(|message| message.parts).collect();
            if calls.is_empty() {
                continue;
            }
            self.used.extend(places);
            let answer = self.content.output.get_or_insert_default();
            match answer.last_mut().filter(|message| message.role == "assistant") {
                Some(message) => message.parts.extend(calls),
                None => answer.push(Message::new("assistant", calls)),
            }
            return self.note(target::OUTPUT_MESSAGES, || format!("{prefix}.*"));
        }
    }
}
