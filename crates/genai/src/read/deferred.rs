//! Rules that depend on the operation, or look into a document: they come after all others.

use memchr::memmem;
use serde_json::Value as Json;
use spanmill_otlp::ValueRef;

use super::Reader;
use crate::call::Call;
use crate::catalogue::{Rule, Source};
use crate::datum::{Datum, member};
use crate::vocabulary::Operation;

// === impl Reader ===

impl<'a> Reader<'a> {
    pub(super) fn read_deferred(&mut self, call: &mut Call<'a>, source: Option<&'a Source>) {
        let deferred = std::mem::take(&mut self.deferred);
        self.read_rules(call, source, deferred.iter());
        // A document may name the model that tells what the span does, and so what its other attributes mean.
        if call.operation.is_absent() && !deferred.is_empty() && self.operate_by_default(call, source) {
            self.read_rules(call, source, deferred.iter().filter(|(_, rule)| rule.when != !0));
        }
        self.deferred = deferred;
    }

    fn read_rules<'r>(
        &mut self,
        call: &mut Call<'a>,
        source: Option<&'a Source>,
        rules: impl Iterator<Item = &'r (u32, &'a Rule)>,
    ) where
        'a: 'r,
    {
        let mut document: Option<(u32, Option<Json>)> = None;
        for (at, rule) in rules {
            let Some(&found) = self.found.get(*at as usize) else { continue };
            if !applies(rule, call.operation) || rule.priority >= self.priority(rule.target) {
                continue;
            }
            let Some(path) = &rule.path else {
                self.offer(call, source, rule, found, Datum::read(found.value));
                continue;
            };
            if document.as_ref().is_none_or(|(known, _)| known != at) {
                // What a span was given is mostly of no interest, and long.
                if rule.given && !mentions(found.value, path) {
                    continue;
                }
                document = Some((*at, Datum::read(found.value).document()));
            }
            let parsed = document.as_mut().and_then(|(_, parsed)| parsed.as_mut());
            let datum = parsed.and_then(|json| member(json, path));
            if let Some(datum) = datum {
                self.offer(call, source, rule, found, datum);
            }
        }
    }
}

fn applies(rule: &Rule, operation: Operation) -> bool {
    match operation {
        _ if rule.when == !0 => true,
        Operation::Known(bit) => rule.when & 1u32.checked_shl(u32::from(bit)).unwrap_or(0) != 0,
        _ => false,
    }
}

/// Whether a document may have a member at the beginning of a path: its name stands there in quotes.
fn mentions(value: ValueRef<'_>, path: &[Box<str>]) -> bool {
    let (Some(text), Some(name)) = (value.as_str(), path.first()) else { return true };
    let quoted =
        |at: usize| at.checked_sub(1).and_then(|at| text.as_bytes().get(at)).is_some_and(|byte| b"\"'".contains(byte));
    matches!(&**name, "*" | "$") || memmem::find_iter(text.as_bytes(), name.as_bytes()).any(quoted)
}
