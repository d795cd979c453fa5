//! Instructions that stand only among messages that were flattened, beside messages of the conventions without them.

use spanmill_otlp::ValueRef;

use super::Reader;
use super::candidate::{Candidate, read_text};
use crate::messages::{Part, gather};
use crate::target::{self, Target};

// === impl Reader ===

impl<'a> Reader<'a> {
    /// Whether messages that were flattened begin with instructions which the attribute of the conventions beside them does not have.
    pub(super) fn leaves_out_system(&self, input_is_right: bool) -> bool {
        let of_input = |candidate: &&Candidate<'a>| candidate.target == target::INPUT_MESSAGES && candidate.canonical;
        (input_is_right || self.content.input.is_some())
            && self.content.is_flattened(target::INPUT_MESSAGES, &self.catalogue.flattened)
            && self.content.candidates.iter().any(|candidate| {
                of_input(&candidate) && candidate.text().is_some_and(|text| !text.contains("\"system\""))
            })
    }

    /// Takes the instructions out of messages that were flattened.
    pub(super) fn take_system_apart(&mut self) {
        let catalogue = self.catalogue;
        let of_input = |(_, (_, wanted)): &(usize, &(Box<str>, Target))| *wanted == target::INPUT_MESSAGES;
        for (number, (prefix, _)) in catalogue.flattened.iter().enumerate().filter(of_input) {
            let flat: Vec<(&str, ValueRef<'a>)> = self.content.flattened(number).map(|(_, flat)| flat).collect();
            let found = gather(&flat).and_then(|text| read_text(target::INPUT_MESSAGES, &text)).unwrap_or_default();
            let messages = found.messages.into_iter().filter(|message| message.role == "system");
            let parts: Vec<Part> = found.system.into_iter().chain(messages.flat_map(|message| message.parts)).collect();
            if !parts.is_empty() {
                self.content.system = Some(parts);
                return self.note(target::SYSTEM, || format!("{prefix}.*"));
            }
        }
    }
}
