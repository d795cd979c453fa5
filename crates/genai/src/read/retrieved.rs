//! Documents that a span retrieved: flattened, or one an event.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};
use spanmill_otlp::ValueRef;

use super::{Reader, UNTAKEN};
use crate::call::Written;
use crate::messages::{documents, gather_documents};
use crate::target;

// === impl Reader ===

impl Reader<'_> {
    /// Puts documents together, unless they stand there already. `of_events` is what events say.
    pub(super) fn read_retrieved(&mut self, of_events: Vec<Map<String, Json>>) {
        if self.priority(target::RETRIEVED) != UNTAKEN {
            return;
        }
        let (text, from) = match self.flattened_documents() {
            Some((text, prefix)) => (Some(text), format!("{prefix}.*")),
            None => (documents(of_events), "events".to_owned()),
        };
        let Some(text) = text else { return };
        self.note(target::RETRIEVED, || from);
        self.copies.push((target::RETRIEVED, None, Written::Text(Cow::Owned(text))));
    }

    fn flattened_documents(&mut self) -> Option<(String, &str)> {
        let catalogue = self.catalogue;
        let prefixes = catalogue.flattened.iter().enumerate().filter(|(_, (_, to))| *to == target::RETRIEVED);
        for (number, (prefix, _)) in prefixes {
            let (places, flat): (Vec<_>, Vec<(&str, ValueRef<'_>)>) = self.content.flattened(number).unzip();
            if let Some(text) = gather_documents(&flat) {
                self.used.extend(places);
                return Some((text, prefix));
            }
        }
        None
    }
}
