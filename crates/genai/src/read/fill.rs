//! What follows from what was read: names of spans, events, messages, and errors.

use std::borrow::Cow;

use memchr::memmem;
use spanmill_otlp::{AnyValue, EventRef, StatusRef, ValueRef};

use super::Reader;
use crate::call::Call;
use crate::catalogue::Source;
use crate::datum::Strings;
use crate::errors::Signs;
use crate::hash::hash_text;
use crate::target;
use crate::tools;
use crate::vocabulary::{Class, Finish, Operation, is_same_family, names_snapshot};

/// No model answers over a network sooner, in seconds: such a value was measured after the answer had come.
const SHORTEST_TTFT: f64 = 0.001;

/// The longest such time that is believed of a span that does not last until then, in seconds.
const LONGEST_TTFT: f64 = 600.0;

// === impl Reader ===

impl<'a> Reader<'a> {
    pub(super) fn name_says(&mut self, call: &mut Call<'a>, source: &Source, name: &[u8]) {
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

    /// What follows from other facts.
    pub(super) fn fill_in(&mut self, call: &mut Call<'a>, source: Option<&'a Source>, name: &[u8]) {
        let vocabulary = &self.catalogue.vocabulary;
        self.place_model(call);
        if source.is_some_and(|source| source.answers_as_request_model) {
            answer_instead(call);
        }
        if call.operation.is_absent() {
            self.operate_by_default(call, source);
        }
        if call.operation.is_absent() && name.starts_with(b"execute_tool ") {
            call.operation = vocabulary.operation("execute_tool");
        }
        call.class = match call.operation {
            Operation::Absent if call.has_usage() || call.request_model.is_some() => Class::Model,
            operation => vocabulary.describe(operation).map_or(Class::Other, |(_, class)| class),
        };
        self.unroute(call);
        self.ask_host(call);
        self.doubt_family(call);
        // An agent may carry the usage that no call below it does; whom it names, if not a provider, stays.
        let carries = call.has_usage() && call.place(target::PROVIDER).is_none();
        if call.provider.is_none() && (call.class == Class::Model || carries) {
            let by_model = [&call.request_model, &call.response_model]
                .into_iter()
                .flatten()
                .find_map(|model| vocabulary.provider_of_model(model));
            let fixed = source.and_then(|source| source.default_provider.as_deref());
            call.provider_guessed = fixed.is_none();
            call.provider = fixed.or(by_model).map(Cow::Borrowed);
        }
        if call.request_model.is_some() && call.request_model == call.provider {
            // No model is named like the one who serves it; some write that in place of a name they do not find.
            call.request_model = None;
            call.changed(target::REQUEST_MODEL);
        }
        self.strip_provider(call);
        if source.is_some_and(|source| source.answers_without_maker) {
            restore_maker(call);
        }
        call.always_stops = source.is_some_and(|source| source.always_stops);
        self.doubt_copy(call);
        call.ttft_weak = source.is_some_and(|source| source.ttft_weak);
        self.doubt_ttft(call, source.is_some_and(|source| source.ttft_only_streaming));
        self.read_events(call);
        if call.finish_reasons.is_none() {
            call.finish_reasons = match self.content.answer() {
                Some(answer) => finish_in_messages(answer),
                None => self.content.finish_reasons(),
            };
        }
        if call.finish.is_none() {
            call.finish = call.finish_reasons.as_ref().and_then(|reasons| self.finish_word(reasons));
        }
        // Some providers say `stop` although the model called a tool, and some instrumentations nothing.
        if matches!(call.finish, Some(Finish::Stop) | None) && !call.tool_calls && call.class == Class::Model {
            // The chunks of a stream know better than the answer that was put together from them.
            let in_chunk = |body| memmem::find(body, br#""finish_reason": "tool_calls""#).is_some();
            call.tool_calls = self.content.calls_tool() || self.events.iter().any(|(body, _)| in_chunk(body));
        }
        if call.tool_calls && matches!(call.finish, Some(Finish::Stop) | None) && call.class == Class::Model {
            call.finish = Some(Finish::ToolCall);
        }
        call.response_hash = call.response_id.as_deref().map_or(0, hash_text);
        if call.class == Class::Tool {
            let arguments = call.tool.take();
            call.tool = self.tool_name.as_deref().map(|tool| tools::hash_call(tool, arguments));
        } else {
            call.tool = None;
        }
    }

    /// What a span does that names a model and no operation; says whether its source tells that.
    pub(super) fn operate_by_default(&self, call: &mut Call<'a>, source: Option<&'a Source>) -> bool {
        let either = self.model.as_ref().map(|(name, _)| &**name);
        let Some(model) = call.request_model.as_deref().or(call.response_model.as_deref()).or(either) else {
            return false;
        };
        // Who counts tokens calls the model that it names, unless it says that it does something else, or only records them.
        let embeds = call.output.unwrap_or(0) == 0 && model.contains("embed");
        let counted = call.input.is_some() && (call.output.is_some() || embeds);
        let counts = counted && !call.may_be_record() && !self.strange_operation;
        let source = source.or_else(|| self.catalogue.generic().filter(|_| counts));
        let Some(source) = source.filter(|source| !source.default_operation.is_absent()) else { return false };
        call.operation =
            if embeds { self.catalogue.vocabulary.operation("embeddings") } else { source.default_operation };
        true
    }

    /// A call that did not stream has no first token before its answer; some give its duration.
    fn doubt_ttft(&self, call: &mut Call<'a>, only_streaming: bool) {
        let duration = call.duration() as f64;
        let fills =
            |share: f64| call.ttft.is_some_and(|ttft| (duration * share..=duration * 1.05).contains(&(ttft * 1e9)));
        let doubtful = match call.stream {
            Some(true) => false,
            Some(false) => only_streaming || fills(0.9),
            None => only_streaming && fills(0.98),
        };
        if doubtful {
            call.ttft = None;
            call.changed(target::TTFT);
        }
    }

    /// Decides what a name stands for that may be the request's or the response's. A name with a date is what answered,
    /// and may have been asked for without it; one without a date that is answered under one was asked for.
    fn place_model(&mut self, call: &mut Call<'a>) {
        let Some((name, pos)) = self.model.take() else { return };
        // Where both an alias and its snapshot stand somewhere, one was asked for and the other one answered.
        let other = self.other_model.take().filter(|other| names_snapshot(other) != names_snapshot(&name));
        if let Some(other) = other.filter(|other| other.starts_with(&*name) || name.starts_with(&**other)) {
            let (alias, snapshot) = if names_snapshot(&name) { (&other, &name) } else { (&name, &other) };
            for (model, said, target) in [
                (&mut call.request_model, alias, target::REQUEST_MODEL),
                (&mut call.response_model, snapshot, target::RESPONSE_MODEL),
            ] {
                if model.is_none() {
                    *model = Some(said.clone());
                    call.right &= !(1 << target);
                }
            }
        }
        let (dated, answered) = (names_snapshot(&name), !call.failed);
        let asked = call.request_model.is_none() && !(dated && answered);
        let answers = call.response_model.is_none()
            && answered
            && (dated || !self.catalogue.vocabulary.is_answered_by_snapshot(&name));
        if asked {
            call.request_model = Some(name.clone());
            call.changed(target::REQUEST_MODEL);
        }
        if answers {
            call.response_model = Some(name);
            call.changed(target::RESPONSE_MODEL);
        }
        call.routed |= asked || answers;
        self.used.push(pos);
    }

    /// An alias that is answered by snapshots, and stands as what answered where the request's is written in its place, says nothing.
    fn doubt_copy(&self, call: &mut Call<'a>) {
        let alias = |name: &str| self.catalogue.vocabulary.is_answered_by_snapshot(name) && !names_snapshot(name);
        call.doubtful = self.copies_model && call.response_model.as_deref().is_some_and(alias);
    }

    /// Many serve models by the API of OpenAI, and an instrumentation of its client knows no better: the host does.
    fn ask_host(&mut self, call: &mut Call<'a>) {
        let Some(provider) = self.host else { return };
        let replaces = call.provider.as_deref().map_or(call.class == Class::Model, |said| said == "openai");
        if replaces && call.provider.as_deref() != Some(provider) {
            call.provider = Some(Cow::Borrowed(provider));
            call.changed(target::PROVIDER);
            self.note(target::PROVIDER, || "the host that was called".to_owned());
        }
    }

    /// Who makes a model need not serve it: Bedrock's names of models begin with the maker's.
    fn doubt_family(&self, call: &mut Call<'a>) {
        let Some(family) = call.provider.as_deref() else { return };
        let vocabulary = &self.catalogue.vocabulary;
        let models = [&call.request_model, &call.response_model].into_iter().flatten();
        let server =
            models.filter_map(|model| vocabulary.server_of_family(family, model)).find(|server| *server != family);
        if let Some(server) = server {
            call.provider = Some(Cow::Borrowed(server));
            call.changed(target::PROVIDER);
        }
    }

    /// LiteLLM's names of models begin with its word for the provider, which tells who that is where nothing else does. What is behind it
    /// is the provider's own name, whatever it begins with.
    fn unroute(&mut self, call: &mut Call<'a>) {
        if !self.routes_model || call.class != Class::Model {
            return;
        }
        let vocabulary = &self.catalogue.vocabulary;
        for (model, target) in
            [(&mut call.request_model, target::REQUEST_MODEL), (&mut call.response_model, target::RESPONSE_MODEL)]
        {
            let Some((provider, cut)) = model.as_deref().and_then(|model| {
                let (provider, name) = vocabulary.routed(model)?;
                Some((provider, model.len() - name.len()))
            }) else {
                continue;
            };
            if call.provider.is_none() {
                call.provider = Some(Cow::Borrowed(provider));
                call.right &= !(1 << target::PROVIDER);
            }
            if call.provider.as_deref().is_some_and(|said| is_same_family(said, provider)) {
                cut_front(model, cut);
                call.right &= !(1 << target);
            }
        }
    }

    /// Gateways write `openai/gpt-4o`: the provider in front of the model is taken off where it is the call's own.
    fn strip_provider(&self, call: &mut Call<'a>) {
        let Some(provider) = call.provider.as_deref().filter(|_| call.routed) else { return };
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
            cut_front(model, cut);
            call.right &= !(1 << target);
        }
    }

    /// What the answer holds that is paid for by the piece, where nobody gives the number.
    pub(super) fn count_pieces(&self, call: &mut Call<'a>) {
        if call.class != Class::Model {
            return;
        }
        let found = self.content.pieces();
        let parts = &mut call.parts;
        parts.web_searches = parts.web_searches.or(Some(found.web_searches).filter(|count| *count > 0));
        parts.file_searches = parts.file_searches.max(found.file_searches);
        parts.images = found.images;
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
            if call.ttft.is_none()
                && self.catalogue.first_token_events.get(event.name()).is_some()
                && !self.catalogue.vocabulary.opens_stream(body)
            {
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
        if call.finish_reasons.is_none() || call.response_model.is_none() {
            self.read_chunks(call);
        }
    }

    /// What the last chunks of a stream say, where they are kept as events and nothing else says it.
    fn read_chunks(&self, call: &mut Call<'a>) {
        let known = |body: &[u8], pos| self.catalogue.first_token_events.get(EventRef::new(body, pos).name()).is_some();
        for (body, _) in self.events.iter().rev().filter(|(body, pos)| known(body, *pos)) {
            if call.finish_reasons.is_none()
                && let Some(reason) = text_member(body, br#""finish_reason": ""#)
            {
                call.finish_reasons = Some(Strings::One(Cow::Borrowed(reason)));
                call.changed(target::FINISH);
            }
            if call.response_model.is_none()
                && let Some(model) = text_member(body, br#""model_name": ""#)
            {
                call.response_model = Some(Cow::Borrowed(model));
                call.changed(target::RESPONSE_MODEL);
            }
        }
    }

    pub(super) fn classify(&self, call: &mut Call<'a>, status: StatusRef<'a>) {
        let exception = self.exceptions().next_back();
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

/// Takes that many bytes from the front of a name.
fn cut_front(model: &mut Option<Cow<'_, str>>, cut: usize) {
    *model = model.take().map(|name| match name {
        Cow::Borrowed(name) => Cow::Borrowed(name.get(cut..).unwrap_or(name)),
        Cow::Owned(name) => Cow::Owned(name.get(cut..).unwrap_or(&name).to_owned()),
    });
}

/// The name that answered is the end of the one that was asked for: what stands before it was cut off.
fn restore_maker(call: &mut Call<'_>) {
    let (Some(asked), Some(answered)) = (&call.request_model, &call.response_model) else { return };
    if asked.strip_suffix(&**answered).is_some_and(|makers| makers.ends_with('/')) {
        call.response_model = Some(asked.clone());
        call.changed(target::RESPONSE_MODEL);
    }
}

/// A dated model that stands where the request's belongs, and that nothing else says was asked for, is the answer's.
fn answer_instead(call: &mut Call<'_>) {
    if !call.is_right(target::REQUEST_MODEL) || !call.request_model.as_deref().is_some_and(names_snapshot) {
        return;
    }
    let answered = call.request_model.take();
    call.changed(target::REQUEST_MODEL);
    if call.response_model.is_none() {
        call.response_model = answered;
        call.changed(target::RESPONSE_MODEL);
    }
}

/// The text of a member of a document that stands as JSON in an encoded event, without reading it.
fn text_member<'a>(event: &'a [u8], member: &[u8]) -> Option<&'a str> {
    let text = event.get(memmem::find(event, member)? + member.len()..)?;
    let text = text.get(..memmem::find(text, b"\"")?)?;
    std::str::from_utf8(text).ok().filter(|text| !text.is_empty() && !text.contains('\\'))
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

/// Whether structured output messages, as JSON text, hold a tool call, also one in the form of Gemini. Quotes inside
/// content are escaped, so only a part of the message matches.
pub(super) fn calls_tool(messages: ValueRef<'_>) -> bool {
    const SIGNS: [&[u8]; 3] = [br#""type":"tool_call""#, br#""type": "tool_call""#, br#""functionCall":{"#];
    let AnyValue::Text(text) = messages.get() else { return false };
    SIGNS.iter().any(|sign| memmem::find(text, sign).is_some())
}

/// A time to first token lies inside its span. Values in milliseconds or nanoseconds are told by that, and read so. A span that
/// ends before any model could answer was ended when the stream was opened, and limits nothing.
pub(super) fn guard(seconds: f64, duration: u64) -> Option<f64> {
    let duration = duration as f64 / 1e9;
    let limit = if duration < SHORTEST_TTFT { LONGEST_TTFT } else { duration * 1.05 };
    let inside = [1.0, 1e3, 1e9].into_iter().map(|unit| seconds / unit).find(|seconds| *seconds <= limit);
    inside.filter(|seconds| *seconds >= SHORTEST_TTFT)
}

/// How long a call took, in nanoseconds, that a span tells which was begun after it: a span that is shorter than any model answers.
pub(super) fn after_the_call(seconds: f64, duration: u64) -> Option<u64> {
    let is_late = (duration as f64 / 1e9) < SHORTEST_TTFT && (SHORTEST_TTFT..=LONGEST_TTFT).contains(&seconds);
    is_late.then_some((seconds * 1e9) as u64)
}
