//! Taking values: each to the fact it stands for, unless a stronger one was there.

use std::borrow::Cow;

use memchr::memmem;
use serde_json::Value as Json;
use spanmill_otlp::AnyValue;

use super::copy::part;
use super::fill::{after_the_call, guard};
use super::{Found, MOST_PARTS, Reader};
use crate::call::Call;
use crate::catalogue::{GENERIC, Rule, Source};
use crate::datum::{Datum, Strings, is_placeholder};
use crate::source::Unit;
use crate::target::{self, CORE, Kind, Target};
use crate::vocabulary::Operation;

// === impl Reader ===

impl<'a> Reader<'a> {
    /// Takes an attribute of the conventions that has the right type, where nothing else is to be thought of; says
    /// whether it did. What most attributes of up-to-date sources need, without the general way's copies.
    #[inline(always)]
    pub(super) fn take_plain(&mut self, call: &mut Call<'a>, wanted: Target, priority: u16, found: Found<'a>) -> bool {
        if priority >= self.priority(wanted) {
            return false;
        }
        let catalogue = self.catalogue;
        match (wanted, found.value.get()) {
            (target::INPUT, AnyValue::Int(count @ 0..)) => call.input = Some(count),
            (target::OUTPUT, AnyValue::Int(count @ 0..)) => call.output = Some(count),
            (target::CACHE_READ, AnyValue::Int(count @ 0..)) => call.cache_read = Some(count),
            (target::CACHE_WRITE, AnyValue::Int(count @ 0..)) => call.cache_write = Some(count),
            (target::REASONING, AnyValue::Int(count @ 0..)) => call.reasoning = Some(count),
            (target::STREAM, AnyValue::Bool(flag)) => call.stream = Some(flag),
            (target::REQUEST_MODEL | target::RESPONSE_MODEL, AnyValue::Text(text)) if !text.is_empty() => {
                let model = |text| Some((told(text)?, text.contains(&b'/')));
                let Some((text, routed)) = self.models.get(text, model) else { return false };
                call.routed |= routed;
                let model =
                    if wanted == target::REQUEST_MODEL { &mut call.request_model } else { &mut call.response_model };
                *model = Some(Cow::Borrowed(text));
            }
            (target::RESPONSE_ID, AnyValue::Text(text)) if !text.is_empty() => {
                if self.catalogue.vocabulary.is_made_up_id(text) {
                    return false;
                }
                call.response_id = Some(Cow::Borrowed(text));
            }
            (target::PROVIDER, AnyValue::Text(text)) => {
                let source = catalogue.source(call.source);
                let canonical = self.providers.get(text, |text| {
                    let word = std::str::from_utf8(text).ok()?;
                    let own = source.is_some_and(|source| source.providers.get(word).is_some());
                    catalogue.vocabulary.provider(word)?.filter(|name| !own && *name == word)
                });
                let Some(name) = canonical else { return false };
                call.provider = Some(Cow::Borrowed(name));
            }
            (target::OPERATION, AnyValue::Text(text)) => {
                let source = catalogue.source(call.source);
                let canonical = self.operations.get(text, |text| {
                    let word = std::str::from_utf8(text).ok()?;
                    let own = source.is_some_and(|source| source.operations.get(word).is_some());
                    let operation = catalogue.vocabulary.operation(word);
                    let (name, _) = catalogue.vocabulary.describe(operation)?;
                    (!own && name == word).then_some(operation)
                });
                let Some(operation) = canonical else { return false };
                call.operation = operation;
            }
            (target::SERVER_ADDRESS, AnyValue::Text(text)) if !text.contains(&b':') => {
                let provider = |host| catalogue.vocabulary.provider_of_host(std::str::from_utf8(host).ok()?);
                self.host = self.hosts.get(text, provider);
            }
            (target::FINISH, AnyValue::Array(elements)) => {
                // One short string: an element, and in it the text.
                let [0x0a, len @ 3..0x80, 0x0a, text_len @ 1..0x80, word @ ..] = elements else { return false };
                if usize::from(*text_len) != word.len() || *len != text_len + 2 {
                    return false;
                }
                let finish = |word| catalogue.vocabulary.finish(std::str::from_utf8(word).ok()?);
                let Some(finish) = self.finishes.get(word, finish) else { return false };
                call.finish = Some(finish);
                call.finish_reasons = Some(Strings::Encoded(found.value));
            }
            _ => return false,
        }
        // What a URL before it said of the host is less than the host itself.
        self.copies.retain(|(known, _, _)| *known != wanted);
        self.note_taken(wanted, priority);
        if call.put(wanted, found.pos) {
            call.right |= 1 << wanted;
        }
        true
    }

    /// Takes a value for a target, unless a stronger one was taken or it does not have the target's type.
    pub(super) fn offer(
        &mut self,
        call: &mut Call<'a>,
        source: Option<&'a Source>,
        rule: &'a Rule,
        found: Found<'a>,
        datum: Datum<'a>,
    ) {
        let wanted = rule.target;
        if target::is_content(wanted) {
            let datum = if rule.unit == Unit::JsonText { datum.unquoted() } else { datum };
            return self.note_document(rule, found, datum);
        }
        if rule.canonical {
            if call.place(wanted).is_some_and(|place| place != found.pos) {
                // The key stands twice: the first one counts, and the span keeps one.
                if self.to_cut.len() < MOST_PARTS {
                    self.to_cut.push(found.pos);
                }
                return;
            }
            call.put(wanted, found.pos);
        }
        if rule.priority >= self.priority(wanted) {
            if wanted == target::MODEL && self.other_model.is_none() {
                self.other_model = datum.told();
            }
            return;
        }
        let datum = match rule.unit {
            Unit::JsonText => datum.unquoted(),
            Unit::Host => datum.host(),
            _ if wanted == target::SERVER_ADDRESS && datum.is_url() => datum.host(),
            _ => datum,
        };
        let same_type = match self.catalogue.names.kind(wanted) {
            Kind::Str => matches!(datum, Datum::Text(_)),
            Kind::Int => matches!(datum, Datum::Int(_)),
            Kind::Double => matches!(datum, Datum::Double(_)),
            Kind::Bool => matches!(datum, Datum::Bool(_)),
            Kind::Strs => matches!(datum, Datum::Encoded(_)),
            Kind::Any => true,
        };
        let Some(same_value) = self.take(call, source, rule, found, datum) else { return };
        self.note_taken(wanted, rule.priority);
        if usize::from(wanted) < CORE {
            call.changed(wanted);
            if rule.canonical && same_type && same_value {
                call.right |= 1 << wanted;
            }
        }
        let catalogue = self.catalogue;
        self.note(wanted, || {
            let key = String::from_utf8_lossy(catalogue.name(found.slot));
            rule.path.as_ref().map_or_else(|| key.to_string(), |path| format!("{key} at {}", path.join("/")))
        });
        call.echoes |= rule.given;
        // A document of which only a member was read still holds the others.
        let whole = rule.path.is_none() && rule.unit != Unit::Host;
        if whole && !rule.canonical && !self.used.contains(&found.pos) && target::is_attribute(wanted) {
            self.used.push(found.pos);
        }
    }

    /// Puts a value into its field; says whether it was kept as it was, or nothing where it cannot be used.
    fn take(
        &mut self,
        call: &mut Call<'a>,
        source: Option<&'a Source>,
        rule: &Rule,
        found: Found<'a>,
        datum: Datum<'a>,
    ) -> Option<bool> {
        match rule.target {
            target::PROVIDER => return self.take_provider(call, source, datum.text()?),
            target::OPERATION => {
                let word = datum.text()?;
                let own = source.and_then(|source| source.operations.get(&word)).copied();
                let operation = own.unwrap_or_else(|| self.catalogue.vocabulary.operation(&word));
                // A word of its own is believed under the standard name, and where the source is known for the key.
                if operation == Operation::Custom && rule.priority >= GENERIC {
                    self.strange_operation = true;
                    return None;
                }
                call.operation = operation;
                let name = self.catalogue.vocabulary.describe(call.operation).map(|(name, _)| name);
                return Some(name.is_none_or(|name| name == word));
            }
            target::REQUEST_MODEL => {
                call.request_model = Some(datum.told()?);
                call.routed = true;
            }
            target::RESPONSE_MODEL => {
                call.response_model = Some(datum.told()?);
                call.routed = true;
            }
            target::RESPONSE_ID => {
                let id = datum.told()?;
                if self.catalogue.vocabulary.is_made_up_id(id.as_bytes()) {
                    return None;
                }
                call.response_id = Some(match id {
                    Cow::Borrowed(id) => Cow::Borrowed(id.as_bytes()),
                    Cow::Owned(id) => Cow::Owned(id.into_bytes()),
                });
            }
            target::FINISH => call.finish_reasons = Some(datum.strings().filter(Strings::tells)?),
            target::INPUT => call.input = Some(datum.count()?),
            target::OUTPUT => call.output = Some(datum.count()?),
            target::CACHE_READ => call.cache_read = Some(datum.count()?),
            target::CACHE_WRITE => call.cache_write = Some(datum.count()?),
            target::REASONING => call.reasoning = Some(datum.count()?),
            target::TOTAL => call.total = Some(datum.count()?),
            target::WRITE_1H => call.parts.write_1h = part(&datum)?,
            target::WEB_SEARCHES => call.parts.web_searches = Some(pieces(&datum)?),
            target::FILE_SEARCHES => call.parts.file_searches = pieces(&datum)?,
            target::TTFT => {
                let seconds = datum.seconds(rule.unit, call.start)?;
                let guarded = guard(seconds, call.duration())?;
                call.ttft = Some(guarded);
                return Some(guarded == seconds);
            }
            target::TOOK => {
                let seconds = datum.seconds(rule.unit, call.start)?;
                call.longest = call.longest.max(after_the_call(seconds, call.duration())?);
            }
            target::STREAM => call.stream = Some(datum.bool()?),
            target::HTTP_STATUS => self.http_status = Some(datum.int()?),
            target::ERROR_TYPE => self.error_type = Some(datum.told()?),
            target::ERROR_TEXT => self.error_text = Some(datum.told()?),
            target::TOOL_CALLS => {
                let none = match &datum {
                    Datum::Text(text) => matches!(text.trim(), "" | "[]" | "null" | "{}" | "0") || are_messages(&datum),
                    Datum::Encoded(list) => list.elements().next().is_none() && list.entries().next().is_none(),
                    Datum::Json(Json::Array(items)) => items.is_empty(),
                    Datum::Int(count) => *count == 0,
                    Datum::Bool(flag) => !flag,
                    _ => false,
                };
                if none {
                    return None;
                }
                call.tool_calls = true;
            }
            target::LEVEL => call.failed |= datum.text()?.eq_ignore_ascii_case("error"),
            target::MODEL => self.model = Some((datum.told()?, found.pos)),
            target::ROLE | target::SOURCE => {}
            wanted => return self.copy(call, rule, wanted, found, datum),
        }
        Some(true)
    }

    fn take_provider(&mut self, call: &mut Call<'a>, source: Option<&'a Source>, word: Cow<'a, str>) -> Option<bool> {
        let own = source.and_then(|source| source.providers.get(&word)).map(|name| &**name);
        let vocabulary = &self.catalogue.vocabulary;
        let known = match own {
            Some(name) => Some(vocabulary.provider(name).map_or(Some(name), |canonical| canonical)),
            None => vocabulary.provider(&word).or_else(|| vocabulary.provider(word.split_once('.')?.0)),
        };
        match known {
            Some(Some(name)) => {
                let same = name == word;
                call.provider = Some(Cow::Borrowed(name));
                Some(same)
            }
            Some(None) => None,
            // A framework that names itself.
            None if word.as_bytes() == self.scope => None,
            None => {
                let same = !word.bytes().any(|byte| byte.is_ascii_uppercase());
                call.provider = Some(if same { word } else { Cow::Owned(word.to_ascii_lowercase()) });
                Some(same)
            }
        }
    }
}

/// A text that tells something.
fn told(text: &[u8]) -> Option<&str> {
    std::str::from_utf8(text).ok().filter(|text| !is_placeholder(text))
}

/// How many there are: a count, or a list of them.
fn pieces(datum: &Datum<'_>) -> Option<u32> {
    match datum {
        Datum::Json(Json::Array(items)) => u32::try_from(items.len()).ok(),
        _ => part(datum),
    }
}

/// Whether a list that should hold calls of tools holds nothing but the messages of an answer.
fn are_messages(calls: &Datum<'_>) -> bool {
    let Datum::Text(text) = calls else { return false };
    let is_message = |item: &Json| item.get("type").and_then(Json::as_str) == Some("message");
    memmem::find(text.as_bytes(), b"\"message\"").is_some()
        && matches!(calls.document(), Some(Json::Array(items)) if items.iter().all(is_message))
}
