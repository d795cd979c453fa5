//! Reads a span in one scan: what is there is looked up once, and what it means depends on the source.

use std::borrow::Cow;

use memchr::memmem;
use serde_json::Value as Json;
use spanmill_otlp::{AnyValue, Attribute, EventRef, Payload, Pos, Slot, SpanRef, StatusRef, ValueRef};

use crate::call::{Call, Node, Write, Written};
use crate::catalogue::{Catalogue, Rule, Source, SourceIx};
use crate::datum::{Datum, Strings, member};
use crate::errors::Signs;
use crate::hash::hash_text;
use crate::source::Unit;
use crate::target::{self, CORE, Kind, TARGETS, Target};
use crate::tools;
use crate::vocabulary::{Class, Finish, Operation};

/// An attribute with a known key.
#[derive(Debug, Clone, Copy)]
struct Found<'a> {
    slot: Slot,
    pos: Pos,
    value: ValueRef<'a>,
}

/// Reads the spans of one request; its memory is reused from span to span.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    catalogue: &'a Catalogue,
    allowed: u64,
    remove_originals: bool,
    found: Vec<Found<'a>>,
    events: Vec<(&'a [u8], Pos)>,
    deferred: Vec<(u32, &'a Rule)>,
    copies: Vec<(Target, Option<Pos>, Written<'a>)>,
    to_cut: Vec<Pos>,
    used: Vec<Pos>,
    taken: [u16; TARGETS.len()],
    /// Bits of the targets whose attribute is there and right.
    present: u64,
    error_type: Option<Cow<'a, str>>,
    error_text: Option<Cow<'a, str>>,
    http_status: Option<i64>,
    tool_name: Option<Cow<'a, str>>,
    output_messages: Option<ValueRef<'a>>,
    /// Attributes to be written, of all spans.
    pub(crate) writes: Vec<Write<'a>>,
    /// Attributes to be removed, of all spans.
    pub(crate) cuts: Vec<Pos>,
}

/// No model answers over a network sooner, in seconds: such a value was measured after the answer had come.
const SHORTEST_TTFT: f64 = 0.001;

/// No value was taken for a target yet.
const UNTAKEN: u16 = u16::MAX;

// === impl Reader ===

impl<'a> Reader<'a> {
    /// `allowed` holds the sources to recognise, as bits.
    pub(crate) fn new(catalogue: &'a Catalogue, allowed: u64, remove_originals: bool) -> Self {
        Self {
            catalogue,
            allowed,
            remove_originals,
            found: Vec::new(),
            events: Vec::new(),
            deferred: Vec::new(),
            copies: Vec::new(),
            to_cut: Vec::new(),
            used: Vec::new(),
            taken: [UNTAKEN; TARGETS.len()],
            present: 0,
            error_type: None,
            error_text: None,
            http_status: None,
            tool_name: None,
            output_messages: None,
            writes: Vec::new(),
            cuts: Vec::new(),
        }
    }

    /// Reads a span and adds its call. `scope` is the source of its scope. There is no call for a span that is none of GenAI, and
    /// for one that was read before, by another hop.
    pub(crate) fn read(&mut self, span: SpanRef<'a>, scope: Option<SourceIx>, calls: &mut Vec<Call<'a>>) -> Node {
        self.present = 0;
        self.found.clear();
        self.events.clear();
        self.to_cut.clear();
        let mut node = Node { trace: 0, id: 0, parent: 0, call: None };
        let (mut start, mut end, mut kind) = (0, 0, 0);
        let mut name: &[u8] = &[];
        let mut status = StatusRef::default();
        let mut markers = 0u64;
        let mut signals = scope.is_some();
        let mut told = None;
        let catalogue = self.catalogue;
        self.taken = [UNTAKEN; TARGETS.len()];
        let first = calls.len();
        // Where the scope tells the source, attributes that need no thought are taken at once.
        let early = scope.inspect(|source| calls.push(Call::new(span.ix(), *source)));
        for field in span.fields() {
            match (field.number, field.payload) {
                (9, Payload::Bytes(body)) => {
                    let Attribute { key, value, pos } = Attribute::read(body, field.pos);
                    if is_not_finite(value) {
                        self.to_cut.push(pos);
                        continue;
                    }
                    match catalogue.keys.get(key) {
                        Some(slot) => {
                            if let Some(info) = catalogue.slots.get(usize::from(slot)) {
                                markers |= info.markers;
                                signals |= info.signals;
                                if info.equals
                                    && let AnyValue::Text(text) = value.get()
                                {
                                    told = told.or_else(|| catalogue.source_of_value(slot, text));
                                }
                                if let Some(target) = info.stays
                                    && target::has_type(target, value.get())
                                {
                                    self.present |= 1 << target;
                                    continue;
                                }
                            }
                            let found = Found { slot, pos, value };
                            if let (Some(source), Some(call)) = (early, calls.last_mut())
                                && let [rule] = catalogue.rules(slot, source)
                                && rule.canonical
                                && self.take_plain(call, rule, found)
                            {
                                continue;
                            }
                            self.found.push(found);
                        }
                        None => signals |= key.starts_with(b"gen_ai."),
                    }
                }
                (1, Payload::Bytes(id)) => node.trace = trace_hash(id),
                (2, Payload::Bytes(id)) => node.id = id_of(id),
                (4, Payload::Bytes(id)) => node.parent = id_of(id),
                (5, Payload::Bytes(text)) => name = text,
                (6, Payload::Varint(value)) => kind = value,
                (7, Payload::Fixed64(value)) => start = value,
                (8, Payload::Fixed64(value)) => end = value,
                (11, Payload::Bytes(body)) => self.events.push((body, field.pos)),
                (15, Payload::Bytes(body)) => status.merge(body),
                _ => {}
            }
        }
        let seen_before = u16::from(target::SOURCE);
        if !signals || self.found.iter().any(|found| found.slot == seen_before) {
            calls.truncate(first);
            return node;
        }
        if early.is_none() {
            let markers = markers & self.allowed;
            let told = told.filter(|source| self.allowed & 1 << source != 0);
            let marked = (markers != 0).then(|| markers.trailing_zeros() as SourceIx);
            calls.push(Call::new(span.ix(), told.or(marked).unwrap_or(catalogue.unrecognised())));
        }
        if let Some(call) = calls.last_mut() {
            node.call = Some(first as u32);
            (call.trace, call.id, call.parent) = (node.trace, node.id, node.parent);
            (call.start, call.end, call.longest) = (start, end, end.saturating_sub(start));
            (call.server, call.failed) = (kind == 2, status.code == 2);
            self.interpret(call, name, status);
        }
        node
    }

    /// Turns the found attributes into facts.
    fn interpret(&mut self, call: &mut Call<'a>, name: &'a [u8], status: StatusRef<'a>) {
        let catalogue = self.catalogue;
        self.deferred.clear();
        self.copies.clear();
        self.used.clear();
        (self.error_type, self.error_text, self.tool_name) = (None, None, None);
        (self.http_status, self.output_messages) = (None, None);
        let source = catalogue.source(call.source);
        for at in 0..self.found.len() {
            let Some(&found) = self.found.get(at) else { break };
            for rule in catalogue.rules(found.slot, call.source) {
                if rule.when != !0 || rule.path.is_some() {
                    self.deferred.push((at as u32, rule));
                } else {
                    let plain = rule.canonical && self.take_plain(call, rule, found);
                    if !plain {
                        self.offer(call, source, rule, found, Datum::read(found.value));
                    }
                }
            }
        }
        if let Some(source) = source {
            self.name_says(call, source, name);
        }
        self.read_deferred(call, source);
        self.fill_in(call, source, name);
        self.classify(call, status);
        let first_cut = self.cuts.len() as u32;
        self.cuts.extend_from_slice(&self.to_cut);
        if self.remove_originals {
            self.cuts.extend_from_slice(&self.used);
        }
        call.cuts = first_cut..self.cuts.len() as u32;
        let first_write = self.writes.len() as u32;
        self.writes.extend(self.copies.drain(..).map(|(target, at, value)| Write { target, at, value }));
        call.writes = first_write..self.writes.len() as u32;
    }

    /// Takes an attribute of the conventions that has the right type, where nothing else is to be thought of; says
    /// whether it did. What most attributes of up-to-date sources need, without the general way's copies.
    fn take_plain(&mut self, call: &mut Call<'a>, rule: &Rule, found: Found<'a>) -> bool {
        let wanted = rule.target;
        let general = rule.unit != Unit::Plain || rule.when != !0 || rule.path.is_some();
        if general || rule.priority >= self.priority(wanted) {
            return false;
        }
        match (wanted, found.value.get()) {
            (target::INPUT, AnyValue::Int(count @ 0..)) => call.input = Some(count),
            (target::OUTPUT, AnyValue::Int(count @ 0..)) => call.output = Some(count),
            (target::CACHE_READ, AnyValue::Int(count @ 0..)) => call.cache_read = Some(count),
            (target::CACHE_WRITE, AnyValue::Int(count @ 0..)) => call.cache_write = Some(count),
            (target::REASONING, AnyValue::Int(count @ 0..)) => call.reasoning = Some(count),
            (target::STREAM, AnyValue::Bool(flag)) => call.stream = Some(flag),
            (target::REQUEST_MODEL | target::RESPONSE_MODEL, AnyValue::Text(text)) if !text.is_empty() => {
                let Ok(text) = std::str::from_utf8(text) else { return false };
                let model =
                    if wanted == target::REQUEST_MODEL { &mut call.request_model } else { &mut call.response_model };
                *model = Some(Cow::Borrowed(text));
            }
            (target::RESPONSE_ID, AnyValue::Text(text)) if !text.is_empty() => {
                let Ok(id) = std::str::from_utf8(text) else { return false };
                if self.catalogue.vocabulary.is_made_up_id(id) {
                    return false;
                }
                call.response_id = Some(Cow::Borrowed(id));
            }
            (target::PROVIDER, AnyValue::Text(text)) => {
                let Ok(word) = std::str::from_utf8(text) else { return false };
                let own = source_of(self.catalogue, call).is_some_and(|source| source.providers.get(word).is_some());
                match self.catalogue.vocabulary.provider(word) {
                    Some(Some(name)) if !own && name == word => call.provider = Some(Cow::Borrowed(name)),
                    _ => return false,
                }
            }
            (target::OPERATION, AnyValue::Text(text)) => {
                let Ok(word) = std::str::from_utf8(text) else { return false };
                let own = source_of(self.catalogue, call).is_some_and(|source| source.operations.get(word).is_some());
                let operation = self.catalogue.vocabulary.operation(word);
                match self.catalogue.vocabulary.describe(operation) {
                    Some((name, _)) if !own && name == word => call.operation = operation,
                    _ => return false,
                }
            }
            (target::FINISH, AnyValue::Array(_)) => {
                let mut words = found.value.elements().map(ValueRef::as_str);
                match (words.next(), words.next()) {
                    (Some(Some(word)), None) if !word.is_empty() => {
                        call.finish = self.catalogue.vocabulary.finish(word);
                        call.finish_reasons = Some(Strings::Encoded(found.value));
                    }
                    _ => return false,
                }
            }
            _ => return false,
        }
        if let Some(taken) = self.taken.get_mut(usize::from(wanted)) {
            *taken = rule.priority;
        }
        if let Some(place) = call.places.get_mut(usize::from(wanted)) {
            *place = Some(found.pos);
            call.right |= 1 << wanted;
        }
        true
    }

    fn name_says(&mut self, call: &mut Call<'a>, source: &Source, name: &[u8]) {
        if source.spans.is_empty() {
            return;
        }
        let name = String::from_utf8_lossy(name);
        let Some((_, operation, overrides)) = source.spans.iter().find(|(pattern, _, _)| pattern.is_match(&name))
        else {
            return;
        };
        if call.operation.is_absent() || *overrides {
            call.operation = *operation;
            call.changed(target::OPERATION);
        }
    }

    fn read_deferred(&mut self, call: &mut Call<'a>, source: Option<&'a Source>) {
        let deferred = std::mem::take(&mut self.deferred);
        let mut document: Option<(u32, Option<Json>)> = None;
        for (at, rule) in &deferred {
            let Some(&found) = self.found.get(*at as usize) else { continue };
            if !applies(rule, call.operation) || rule.priority >= self.priority(rule.target) {
                continue;
            }
            let Some(path) = &rule.path else {
                self.offer(call, source, rule, found, Datum::read(found.value));
                continue;
            };
            let parsed = match &document {
                Some((known, parsed)) if known == at => parsed,
                _ => &document.insert((*at, Datum::read(found.value).document())).1,
            };
            let datum = parsed.as_ref().and_then(|json| member(json, path));
            if let Some(datum) = datum {
                self.offer(call, source, rule, found, datum);
            }
        }
        self.deferred = deferred;
    }

    fn priority(&self, target: Target) -> u16 {
        if self.present & 1 << target != 0 {
            return 0;
        }
        self.taken.get(usize::from(target)).copied().unwrap_or(0)
    }

    /// Takes a value for a target, unless a stronger one was taken or it does not have the target's type.
    fn offer(
        &mut self,
        call: &mut Call<'a>,
        source: Option<&'a Source>,
        rule: &Rule,
        found: Found<'a>,
        datum: Datum<'a>,
    ) {
        let wanted = rule.target;
        if rule.canonical
            && let Some(place) = call.places.get_mut(usize::from(wanted))
        {
            if place.is_some_and(|place| place != found.pos) {
                // The key stands twice: the first one counts, and the span keeps one.
                self.to_cut.push(found.pos);
                return;
            }
            *place = Some(found.pos);
        }
        if rule.priority >= self.priority(wanted) {
            return;
        }
        let datum = if rule.unit == Unit::JsonText { datum.unquoted() } else { datum };
        let same_type = match target::kind(wanted) {
            Kind::Str => matches!(datum, Datum::Text(_)),
            Kind::Int => matches!(datum, Datum::Int(_)),
            Kind::Double => matches!(datum, Datum::Double(_)),
            Kind::Bool => matches!(datum, Datum::Bool(_)),
            Kind::Strs => matches!(datum, Datum::Encoded(_)),
            Kind::Any => true,
        };
        let Some(same_value) = self.take(call, source, rule, found, datum) else { return };
        if let Some(taken) = self.taken.get_mut(usize::from(wanted)) {
            *taken = rule.priority;
        }
        if usize::from(wanted) < CORE {
            call.changed(wanted);
            if rule.canonical && same_type && same_value {
                call.right |= 1 << wanted;
            }
        }
        if !rule.canonical && !self.used.contains(&found.pos) && target::attribute(wanted).contains('.') {
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
                call.operation = own.unwrap_or_else(|| self.catalogue.vocabulary.operation(&word));
                let name = self.catalogue.vocabulary.describe(call.operation).map(|(name, _)| name);
                return Some(name.is_none_or(|name| name == word));
            }
            target::REQUEST_MODEL => call.request_model = Some(datum.text()?),
            target::RESPONSE_MODEL => call.response_model = Some(datum.text()?),
            target::RESPONSE_ID => {
                let id = datum.text()?;
                if self.catalogue.vocabulary.is_made_up_id(&id) {
                    return None;
                }
                call.response_id = Some(id);
            }
            target::FINISH => call.finish_reasons = Some(datum.strings()?),
            target::INPUT => call.input = Some(datum.count()?),
            target::OUTPUT => call.output = Some(datum.count()?),
            target::CACHE_READ => call.cache_read = Some(datum.count()?),
            target::CACHE_WRITE => call.cache_write = Some(datum.count()?),
            target::REASONING => call.reasoning = Some(datum.count()?),
            target::TOTAL => call.total = Some(datum.count()?),
            target::TTFT => {
                let seconds = datum.seconds(rule.unit, call.start)?;
                let guarded = guard(seconds, call.duration())?;
                call.ttft = Some(guarded);
                return Some(guarded == seconds);
            }
            target::STREAM => call.stream = Some(datum.bool()?),
            target::HTTP_STATUS => self.http_status = Some(datum.int()?),
            target::ERROR_TYPE => self.error_type = Some(datum.text()?),
            target::ERROR_TEXT => self.error_text = Some(datum.text()?),
            target::TOOL_CALLS => {
                let none = match &datum {
                    Datum::Text(text) => matches!(text.trim(), "" | "[]" | "null" | "{}" | "0"),
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
            target::OUTPUT_MESSAGES => self.output_messages = Some(found.value),
            target::LEVEL => call.failed |= datum.text()?.eq_ignore_ascii_case("error"),
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
            None => {
                let same = !word.bytes().any(|byte| byte.is_ascii_uppercase());
                call.provider = Some(if same { word } else { Cow::Owned(word.to_ascii_lowercase()) });
                Some(same)
            }
        }
    }

    /// Notes an attribute that is written as it was read. One of the conventions that is right stays untouched.
    fn copy(
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
        if wanted == target::TOOL_ARGUMENTS && call.tool.is_none() {
            call.tool = tools::hash_arguments(&datum);
        }
        let (value, same) = match target::kind(wanted) {
            Kind::Str => {
                let same = matches!(datum, Datum::Text(_));
                (Written::Text(datum.text()?), same)
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

    /// What follows from other facts.
    fn fill_in(&mut self, call: &mut Call<'a>, source: Option<&'a Source>, name: &[u8]) {
        let vocabulary = &self.catalogue.vocabulary;
        if call.operation.is_absent() && (call.request_model.is_some() || call.response_model.is_some()) {
            call.operation = source.map_or(Operation::Absent, |source| source.default_operation);
        }
        if call.operation.is_absent() && name.starts_with(b"execute_tool ") {
            call.operation = vocabulary.operation("execute_tool");
        }
        call.class = match call.operation {
            Operation::Absent if call.has_usage() || call.request_model.is_some() => Class::Model,
            operation => vocabulary.describe(operation).map_or(Class::Other, |(_, class)| class),
        };
        if call.provider.is_none() && call.class == Class::Model {
            let by_model = [&call.request_model, &call.response_model]
                .into_iter()
                .flatten()
                .find_map(|model| vocabulary.provider_of_model(model));
            let fixed = source.and_then(|source| source.default_provider.as_deref());
            call.provider_guessed = fixed.is_none();
            call.provider = fixed.or(by_model).map(Cow::Borrowed);
        }
        self.strip_provider(call);
        if let Some(source) = source {
            call.ttft_weak = source.ttft_weak;
            let whole = call.ttft.is_some_and(|ttft| ttft * 1e9 >= call.duration() as f64 * 0.98);
            if source.ttft_only_streaming && (call.stream == Some(false) || call.stream.is_none() && whole) {
                call.ttft = None;
                call.changed(target::TTFT);
            }
        }
        self.read_events(call);
        if call.finish_reasons.is_none()
            && let Some(messages) = self.output_messages
        {
            call.finish_reasons = finish_in_messages(messages);
        }
        if call.finish.is_none() {
            call.finish = call.finish_reasons.as_ref().and_then(|reasons| self.finish_word(reasons));
        }
        // Some providers say `stop` although the model called a tool.
        if call.finish == Some(Finish::Stop) && !call.tool_calls {
            call.tool_calls = self.output_messages.is_some_and(calls_tool);
        }
        if call.tool_calls && matches!(call.finish, Some(Finish::Stop) | None) && call.class == Class::Model {
            call.finish = Some(Finish::ToolCall);
        }
        call.response_hash = call.response_id.as_deref().map_or(0, |id| hash_text(id.as_bytes()));
        if call.class == Class::Tool {
            let arguments = call.tool.take();
            call.tool = self.tool_name.as_deref().map(|tool| tools::hash_call(tool, arguments));
        } else {
            call.tool = None;
        }
    }

    /// Gateways write `openai/gpt-4o`: the provider in front of the model is taken off where it is the call's own.
    fn strip_provider(&self, call: &mut Call<'a>) {
        let Some(provider) = call.provider.as_deref() else { return };
        let vocabulary = &self.catalogue.vocabulary;
        for (model, target) in
            [(&mut call.request_model, target::REQUEST_MODEL), (&mut call.response_model, target::RESPONSE_MODEL)]
        {
            let Some(name) = model.as_deref() else { continue };
            let stripped = vocabulary.strip_provider(name, provider).len();
            let cut = name.len() - stripped;
            if cut == 0 {
                continue;
            }
            *model = model.take().map(|name| match name {
                Cow::Borrowed(name) => Cow::Borrowed(name.get(cut..).unwrap_or(name)),
                Cow::Owned(name) => Cow::Owned(name.get(cut..).unwrap_or(&name).to_owned()),
            });
            call.right &= !(1 << target);
        }
    }

    fn finish_word(&self, reasons: &Strings<'_>) -> Option<Finish> {
        let vocabulary = &self.catalogue.vocabulary;
        match reasons {
            Strings::One(word) => vocabulary.finish(word),
            Strings::Many(words) => words.iter().find_map(|word| vocabulary.finish(word)),
            Strings::Encoded(list) => {
                list.elements().filter_map(ValueRef::as_str).find_map(|word| vocabulary.finish(word))
            }
        }
    }

    /// The first token, and finish reasons that only an event carries.
    fn read_events(&self, call: &mut Call<'a>) {
        for (body, pos) in &self.events {
            let event = EventRef::new(body, *pos);
            if call.ttft.is_none() && self.catalogue.first_token_events.get(event.name()).is_some() {
                let seconds = event.time_unix_nano().saturating_sub(call.start) as f64 / 1e9;
                call.ttft = guard(seconds, call.duration());
                call.changed(target::TTFT);
            }
            if call.finish_reasons.is_none()
                && let Some(reason) = event.attribute("finish_reason").and_then(ValueRef::as_str)
                && !reason.is_empty()
            {
                call.finish_reasons = Some(Strings::One(Cow::Borrowed(reason)));
                call.changed(target::FINISH);
            }
        }
    }

    fn classify(&self, call: &mut Call<'a>, status: StatusRef<'a>) {
        let exception = self
            .events
            .iter()
            .rev()
            .map(|(body, pos)| EventRef::new(body, *pos))
            .find(|event| event.name() == b"exception");
        let refused = self.http_status.is_some_and(|status| status >= 400);
        if !call.failed && !refused && self.error_type.is_none() && exception.is_none() {
            return;
        }
        let attribute = |key| exception.and_then(|event| event.attribute(key)).and_then(ValueRef::as_str);
        let signs = Signs {
            kind: self.error_type.as_deref(),
            exception: attribute("exception.type"),
            status: self.http_status,
            texts: [
                attribute("exception.message"),
                std::str::from_utf8(status.message).ok().filter(|text| !text.is_empty()),
                self.error_text.as_deref(),
            ],
        };
        call.error = signs.classify(&self.catalogue.vocabulary.errors);
        call.failed |= call.error.is_some() && !call.has_usage();
    }
}

fn source_of<'a>(catalogue: &'a Catalogue, call: &Call<'_>) -> Option<&'a Source> {
    catalogue.source(call.source)
}

fn applies(rule: &Rule, operation: Operation) -> bool {
    match operation {
        _ if rule.when == !0 => true,
        Operation::Known(bit) => rule.when & 1u32.checked_shl(u32::from(bit)).unwrap_or(0) != 0,
        _ => false,
    }
}

/// A time to first token lies inside its span. Values in milliseconds or nanoseconds are told by that, and read so.
fn guard(seconds: f64, duration: u64) -> Option<f64> {
    let limit = duration as f64 / 1e9 * 1.05;
    let inside = [1.0, 1e3, 1e9].into_iter().map(|unit| seconds / unit).find(|seconds| *seconds <= limit);
    inside.filter(|seconds| *seconds >= SHORTEST_TTFT)
}

/// The finish reason inside structured output messages: JSON text.
fn finish_in_messages<'a>(messages: ValueRef<'a>) -> Option<Strings<'a>> {
    #[derive(serde::Deserialize)]
    struct Message<'m> {
        #[serde(borrow, default)]
        finish_reason: Option<Cow<'m, str>>,
    }
    let AnyValue::Text(text) = messages.get() else {
        return messages
            .elements()
            .flat_map(ValueRef::entries)
            .find(|(key, _)| *key == b"finish_reason")
            .and_then(|(_, value)| value.as_str())
            .filter(|word| !word.is_empty())
            .map(|word| Strings::One(Cow::Borrowed(word)));
    };
    let messages: Vec<Message<'a>> = serde_json::from_slice(text).ok()?;
    messages.into_iter().find_map(|message| message.finish_reason).filter(|word| !word.is_empty()).map(Strings::One)
}

/// Whether structured output messages, as JSON text, hold a tool call. Quotes inside content are escaped, so only a part
/// of the message matches.
fn calls_tool(messages: ValueRef<'_>) -> bool {
    let AnyValue::Text(text) = messages.get() else { return false };
    [&br#""type":"tool_call""#[..], br#""type": "tool_call""#].iter().any(|part| memmem::find(text, part).is_some())
}

/// Whether a value is a double that is no number, or infinite: backends answer such a span with errors.
#[inline]
fn is_not_finite(value: ValueRef<'_>) -> bool {
    value.raw().first() == Some(&0x21) && matches!(value.get(), AnyValue::Double(number) if !number.is_finite())
}

fn id_of(id: &[u8]) -> u64 {
    id.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn trace_hash(id: &[u8]) -> u64 {
    let (head, tail) = (id_of(id), id.last_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes)));
    head ^ tail.rotate_left(32)
}
