//! Attributes that become others, one by one.

use serde_json::Value as Json;
use spanmill_otlp::Slot;

use super::builtin::When;
use super::coerce::coerce;
use super::plan::{Plan, Target, Words};
use super::sheet::Sheet;
use crate::datum::Datum;
use crate::vocabulary::Vocabulary;

/// Applies the mappings of a source. Of several for one attribute, the first counts that has a value of its type.
pub(super) fn apply<'a>(plan: &'a Plan, sheet: &mut Sheet<'a>, vocabulary: &'a Vocabulary) {
    for mapping in &plan.mappings {
        let Some(found) = sheet.value(mapping.from).filter(|_| applies(mapping.when, plan, sheet)) else { continue };
        // One that is replaced in any case takes all that could have been it along.
        let beaten = plan.overwrite && sheet.written(mapping.to.slot).is_some();
        if !beaten && !sheet.is_open(mapping.to.slot) {
            continue;
        }
        let datum = plan.words.translate(mapping.to.slot, Datum::read(found), vocabulary);
        let Some(value) = datum.and_then(|datum| coerce(mapping.to.kind, datum)) else { continue };
        if !beaten {
            sheet.write(mapping.to.slot, value);
        }
        sheet.remove(mapping.from);
    }
    if let Some((from, members)) = &plan.parameters {
        parameters(*from, members, sheet);
    }
}

/// Whether a rule applies to the span.
pub(super) fn applies(when: When, plan: &Plan, sheet: &Sheet<'_>) -> bool {
    let is_one_of =
        |operations: &[&str]| sheet.text(plan.known.operation).is_some_and(|operation| operations.contains(&operation));
    match when {
        When::Always => true,
        When::On(operations) => is_one_of(operations),
        When::Answered => is_one_of(&["chat", "text_completion"]) && is_answered(plan, sheet),
    }
}

/// Whether a model gave an answer: the span has some of it, or tells how long it was.
fn is_answered(plan: &Plan, sheet: &Sheet<'_>) -> bool {
    let is_output = |list: usize| plan.flattened.get(list).is_some_and(|list| list.to == plan.known.output);
    let mut documents = plan.documents.iter().filter(|document| document.to == plan.known.output);
    plan.mappings
        .iter()
        .any(|mapping| mapping.to.slot == plan.known.output_tokens && sheet.value(mapping.from).is_some())
        || sheet.pieces.iter().any(|piece| is_output(piece.list))
        || documents.any(|document| sheet.value(document.from).is_some())
}

/// Parameters of the request, as one document. It stays: it mostly holds more than what has an attribute.
fn parameters(from: Slot, members: &[(&'static str, Target)], sheet: &mut Sheet<'_>) {
    let Some(Json::Object(document)) = sheet.value(from).and_then(|found| Datum::read(found).document()) else {
        return;
    };
    for (name, target) in members {
        let Some(value) = document.get(*name).filter(|_| sheet.is_open(target.slot)) else { continue };
        if let Some(value) = coerce(target.kind, Datum::from_json(value)) {
            sheet.write(target.slot, value);
        }
    }
}

// === impl Words ===

impl Words {
    /// What a value becomes under an attribute; nothing if it is none.
    fn translate<'a>(&'a self, target: Slot, datum: Datum<'a>, vocabulary: &'a Vocabulary) -> Option<Datum<'a>> {
        let Datum::Text(text) = &datum else { return Some(datum) };
        let known = match self {
            Self::Builtin { operations, operation, .. } if target == *operation => {
                operations.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, name)| *name)
            }
            Self::Builtin { provider, .. } if target == *provider => match vocabulary.provider(text) {
                // A framework, which is no provider.
                Some(None) => return None,
                known => known.flatten(),
            },
            Self::Builtin { .. } => None,
            Self::Own(targets) => {
                let words = targets.iter().find(|(known, _)| *known == target).map(|(_, words)| words);
                let word = words.and_then(|words| words.iter().find(|(word, _)| *word == **text));
                word.map(|(_, name)| name.as_str())
            }
        };
        Some(known.map_or(datum, |name| Datum::Text(name.into())))
    }
}
