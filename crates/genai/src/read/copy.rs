//! Attributes that are written as they were read.

use std::borrow::Cow;

use super::{Found, Reader};
use crate::call::{Call, Written};
use crate::catalogue::Rule;
use crate::datum::Datum;
use crate::price::Service;
use crate::target::{self, Kind, Target};
use crate::tools;

// === impl Reader ===

impl<'a> Reader<'a> {
    /// Notes an attribute that is written as it was read. One of the conventions that is right stays untouched.
    pub(super) fn copy(
        &mut self,
        call: &mut Call<'a>,
        rule: &Rule,
        wanted: Target,
        found: Found<'a>,
        datum: Datum<'a>,
    ) -> Option<bool> {
        if wanted == target::TOOL_NAME
            && let Datum::Text(name) = &datum
        {
            self.tool_name = Some(name.clone());
        }
        match (wanted, &datum) {
            (target::SERVER_ADDRESS, Datum::Text(host)) => {
                self.host = self.catalogue.vocabulary.provider_of_host(host);
            }
            // A cost of nothing under another name means that the source knew no price.
            (target::COST, datum) => call.priced |= rule.canonical || datum.double().is_some_and(|cost| cost > 0.0),
            (wanted, datum) if target::is_priced(wanted) => {
                let count = part(datum)?;
                match wanted {
                    target::AUDIO_INPUT => call.parts.audio_input = count,
                    target::AUDIO_OUTPUT => call.parts.audio_output = count,
                    target::AUDIO_READ => call.parts.audio_read = count,
                    target::IMAGE_INPUT => call.parts.image_input = count,
                    target::IMAGE_OUTPUT => call.parts.image_output = Some(count),
                    _ => call.parts.image_read = count,
                }
                // Most calls have none, and only say so.
                if !rule.canonical && count == 0 {
                    return None;
                }
            }
            (target::SERVICE_TIER, Datum::Text(word)) => call.service = Service::of(word),
            (target::REQUEST_TIER, Datum::Text(word)) if call.service == Service::Standard => {
                call.service = Service::of(word);
            }
            _ => {}
        }
        if wanted == target::TOOL_ARGUMENTS && call.tool.is_none() {
            call.tool = tools::hash_arguments(&datum);
        }
        let (value, same) = match self.catalogue.names.kind(wanted) {
            Kind::Str => {
                let text = if rule.canonical { datum.text()? } else { datum.told()? };
                let same = found.value.as_str() == Some(&*text);
                (Written::Text(text), same)
            }
            Kind::Int => (Written::Int(datum.int()?), matches!(datum, Datum::Int(_))),
            Kind::Double => {
                let same = matches!(datum, Datum::Double(_));
                (Written::Double(datum.double()?), same)
            }
            Kind::Bool => (Written::Bool(datum.bool()?), matches!(datum, Datum::Bool(_))),
            Kind::Strs => {
                let same = matches!(datum, Datum::Encoded(_));
                (Written::Strings(datum.strings()?), same)
            }
            Kind::Any => match datum {
                Datum::Text(text) => (Written::Text(text), true),
                Datum::Encoded(value) => (Written::Encoded(value), true),
                Datum::Json(json) => (Written::Text(Cow::Owned(json.to_string())), true),
                _ => return None,
            },
        };
        self.copies.retain(|(known, _, _)| *known != wanted);
        if !(rule.canonical && same) {
            self.copies.push((wanted, rule.canonical.then_some(found.pos), value));
        }
        Some(same)
    }
}

/// A part of a count.
pub(super) fn part(datum: &Datum<'_>) -> Option<u32> {
    u32::try_from(datum.count()?).ok()
}
