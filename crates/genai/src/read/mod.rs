//! Reads a span in one scan: what is there is looked up once, and what it means depends on the source.

mod aside;
mod candidate;
mod content;
mod copy;
mod deferred;
mod fill;
mod instructions;
mod retrieved;
mod take;
mod visit;
mod written;

use std::borrow::Cow;

use spanmill_otlp::{EventRef, Guesses, Pos, Slot, SpanRef, StatusRef, ValueRef};

use self::content::Content;
use crate::call::{Call, Node, Write, Written};
use crate::catalogue::{Catalogue, HINTS, HINTS_MODEL, Rule, SourceIx};
use crate::datum::Datum;
use crate::errors;
use crate::memo::Memo;
use crate::source::Unit;
use crate::target::{self, TARGETS, Target};
use crate::vocabulary::{ErrorClass, Finish, HostIx, Operation};

/// An attribute with a known key.
#[derive(Debug, Clone, Copy)]
struct Found<'a> {
    slot: Slot,
    pos: Pos,
    value: ValueRef<'a>,
}

/// Where the value of a target is from.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    pub(crate) target: Target,
    pub(crate) from: String,
}

/// Reads the spans of one request; its memory is reused from span to span.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    catalogue: &'a Catalogue,
    allowed: u128,
    remove_originals: bool,
    guesses: Guesses,
    /// The source that words were last looked up for.
    source: SourceIx,
    /// Names of models, and whether there is a slash in them.
    models: Memo<'a, Option<(&'a str, bool)>>,
    providers: Memo<'a, Option<&'a str>>,
    operations: Memo<'a, Option<Operation>>,
    finishes: Memo<'a, Option<Finish>>,
    hosts: Memo<'a, Option<&'a str>>,
    found: Vec<Found<'a>>,
    events: Vec<(&'a [u8], Pos)>,
    deferred: Vec<(u32, &'a Rule)>,
    copies: Vec<(Target, Option<Pos>, Written<'a>)>,
    to_cut: Vec<Pos>,
    used: Vec<Pos>,
    /// By target, the priority of the rule that gave its value: nothing comes before one whose attribute is there and right.
    taken: [u16; TARGETS.len()],
    error_type: Option<Cow<'a, str>>,
    error_text: Option<Cow<'a, str>>,
    http_status: Option<i64>,
    tool_name: Option<Cow<'a, str>>,
    /// Whether a word stands for the operation that nobody knows.
    strange_operation: bool,
    /// The provider whose host was called.
    host: Option<&'a str>,
    /// Whether the ends of keys tell: of spans whose scope nobody knows.
    ends: bool,
    /// A model of which nobody says whether it was asked for or answered, and where it stands.
    model: Option<(Cow<'a, str>, Pos)>,
    /// The next one that stands somewhere.
    other_model: Option<Cow<'a, str>>,
    /// The name of the scope.
    pub(crate) scope: &'a [u8],
    /// Whether the scope says the model of the request where it does not know which one answered.
    pub(crate) copies_model: bool,
    /// Whether names of models of the scope begin with LiteLLM's word for the provider.
    pub(crate) routes_model: bool,
    /// Whether messages are brought to the form of the conventions.
    messages: bool,
    content: Content<'a>,
    /// Where values are from, if anybody wants to know: of the span that was read last.
    pub(crate) notes: Option<Vec<Note>>,
    /// Attributes to be written, of all spans.
    pub(crate) writes: Vec<Write<'a>>,
    /// Attributes to be removed, of all spans.
    pub(crate) cuts: Vec<Pos>,
}

/// More known attributes, events or bad numbers than this of one span are not looked at.
const MOST_PARTS: usize = 2_048;

/// No value was taken for a target yet.
const UNTAKEN: u16 = u16::MAX;

/// The attribute of a target is there and right.
const PRESENT: u16 = 0;

// === impl Reader ===

impl<'a> Reader<'a> {
    /// `allowed` holds the sources to recognise, as bits.
    pub(crate) fn new(catalogue: &'a Catalogue, allowed: u128, remove_originals: bool, messages: bool) -> Self {
        Self {
            catalogue,
            allowed,
            remove_originals,
            guesses: Guesses::default(),
            source: catalogue.unrecognised(),
            models: Memo::default(),
            providers: Memo::default(),
            operations: Memo::default(),
            finishes: Memo::default(),
            hosts: Memo::default(),
            found: Vec::new(),
            events: Vec::new(),
            deferred: Vec::new(),
            copies: Vec::new(),
            to_cut: Vec::new(),
            used: Vec::new(),
            taken: [UNTAKEN; TARGETS.len()],
            error_type: None,
            error_text: None,
            http_status: None,
            tool_name: None,
            strange_operation: false,
            host: None,
            ends: false,
            model: None,
            other_model: None,
            scope: &[],
            copies_model: false,
            routes_model: false,
            messages,
            content: Content::default(),
            notes: None,
            writes: Vec::new(),
            cuts: Vec::new(),
        }
    }

    /// Reads a span and adds its call. `scope` is the source of its scope. There is no call for a span that is none of GenAI, and
    /// for one that was read before, by another hop.
    pub(crate) fn read(&mut self, span: SpanRef<'a>, scope: Option<SourceIx>, calls: &mut Vec<Call<'a>>) -> Node {
        let first = calls.len();
        let is_mixed = |source: &SourceIx| self.catalogue.source(*source).is_some_and(|source| source.mixed);
        let (mixed, scope) = if scope.as_ref().is_some_and(is_mixed) { (scope, None) } else { (None, scope) };
        let unrecognised = self.catalogue.unrecognised();
        calls.resize_with(first + 1, || Call::new(span.ix(), scope.unwrap_or(unrecognised)));
        let none = Node { trace: 0, id: 0, parent: 0, call: None, error: None, host: None };
        let Some(call) = calls.last_mut() else { return none };
        self.begin();
        if let Some(source) = scope {
            self.words_of(source);
        }
        let mut visit = visit::Visit::new(self, call, scope);
        span.message().visit(9, &mut visit);
        let visit::Seen { name, status, markers, signals, hints, told, client } = visit.seen;
        let (trace, id, parent) = (call.trace, call.id, call.parent);
        let node = Node { trace, id, parent, call: Some(first as u32), error: None, host: None };
        let seen_before = u16::from(target::SOURCE);
        let raised = || status.code == 2 && hints & HINTS_MODEL != 0 && self.client_raised();
        let hinted = mixed.is_none() && (hints == HINTS || raised());
        let signals = signals || hinted || mixed.is_some_and(|source| self.has_event_of(source));
        // Where nothing else tells, an event may that only one source writes.
        let named = if signals || mixed.is_some() { None } else { self.source_of_events() };
        let signals = signals || named.is_some();
        if !signals || self.found.iter().any(|found| found.slot == seen_before) {
            calls.truncate(first);
            let error = if status.code == 2 { self.transport_error() } else { None };
            let host = if client && !self.found.is_empty() { self.called_host() } else { None };
            return Node { call: None, error, host, ..node };
        }
        if scope.is_none() {
            let markers = markers & self.allowed;
            let told = told.filter(|source| self.allowed & 1 << source != 0);
            let marked = (markers != 0).then(|| markers.trailing_zeros() as SourceIx);
            call.source = mixed.or(told).or(marked).or(named).unwrap_or(unrecognised);
            self.words_of(call.source);
        }
        self.ends = scope.is_none() && mixed.is_none();
        call.longest = call.end.saturating_sub(call.start);
        call.failed = status.code == 2;
        self.interpret(call, name, status);
        node
    }

    /// What the HTTP status of a span says that is none of GenAI.
    #[cold]
    fn transport_error(&self) -> Option<ErrorClass> {
        let catalogue = self.catalogue;
        let is_status = |found: &&Found<'a>| {
            let rules = catalogue.rules(found.slot, catalogue.unrecognised());
            rules.iter().any(|rule| rule.target == target::HTTP_STATUS)
        };
        let code = Datum::read(self.found.iter().find(is_status)?.value).int()?;
        errors::status(&catalogue.vocabulary.errors, code)
    }

    /// The host of a provider that the span of a client names that is none of GenAI.
    #[cold]
    fn called_host(&self) -> Option<HostIx> {
        let catalogue = self.catalogue;
        self.found.iter().find_map(|found| {
            let mut rules = catalogue.rules(found.slot, catalogue.unrecognised()).iter();
            let rule = rules.find(|rule| rule.target == target::SERVER_ADDRESS)?;
            let datum = Datum::read(found.value);
            let datum = if rule.unit == Unit::Host || datum.is_url() { datum.host() } else { datum };
            catalogue.vocabulary.host(&datum.text()?)
        })
    }

    /// Whether the client of a provider raised what the span recorded. With the name of a model, that is a call that failed.
    #[cold]
    fn client_raised(&self) -> bool {
        let mut classes = self.exceptions().filter_map(|event| event.attribute("exception.type")?.as_str());
        classes.any(|class| self.catalogue.vocabulary.is_of_client(class))
    }

    /// The exceptions that the span recorded.
    fn exceptions(&self) -> impl DoubleEndedIterator<Item = EventRef<'a>> {
        let events = self.events.iter().map(|(body, pos)| EventRef::new(body, *pos));
        events.filter(|event| event.name() == b"exception")
    }

    /// Forgets the span before.
    fn begin(&mut self) {
        self.host = None;
        self.taken = [UNTAKEN; TARGETS.len()];
        self.found.clear();
        self.events.clear();
        self.to_cut.clear();
        if let Some(notes) = &mut self.notes {
            notes.clear();
        }
        self.content.clear();
        self.guesses.restart();
    }

    /// Words mean what they mean for that source from here on.
    fn words_of(&mut self, source: SourceIx) {
        if self.source != source {
            self.source = source;
            self.providers.clear();
            self.operations.clear();
        }
    }

    /// Turns the found attributes into facts.
    fn interpret(&mut self, call: &mut Call<'a>, name: &'a [u8], status: StatusRef<'a>) {
        let catalogue = self.catalogue;
        self.deferred.clear();
        self.copies.clear();
        self.used.clear();
        (self.error_type, self.error_text, self.tool_name) = (None, None, None);
        (self.http_status, self.model, self.other_model) = (None, None, None);
        self.strange_operation = false;
        let source = catalogue.source(call.source);
        let own = self.found.len();
        self.find_in_events(call.source);
        for at in 0..self.found.len() {
            let Some(&found) = self.found.get(at) else { break };
            let info = catalogue.slots.get(usize::from(found.slot)).copied().unwrap_or_default();
            if info.flat {
                self.note_flat(catalogue.name(found.slot), found.value, found.pos);
            }
            if info.end && !self.ends && at < own {
                continue;
            }
            for rule in catalogue.rules(found.slot, call.source) {
                if rule.canonical && at >= own {
                    // It stands in an event: the span does not have it.
                } else if rule.canonical && target::is_content(rule.target) {
                    self.note_canonical(rule, found);
                } else if rule.when != !0 || rule.path.is_some() {
                    self.deferred.push((at as u32, rule));
                } else {
                    let plain = rule.is_plain() && self.take_if_plain(call, rule, found);
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
        self.read_content(call);
        let known = self.notes.as_ref().map(|_| call.known());
        self.fill_in(call, source, name);
        if let Some(known) = known {
            self.note_filled(call, known);
        }
        if self.content.used {
            self.count_pieces(call);
        }
        self.classify(call, status);
        self.write_content(call);
        let first_cut = self.cuts.len() as u32;
        self.cuts.extend_from_slice(&self.to_cut);
        if self.remove_originals {
            let is_attribute = |pos: &&Pos| !self.events.iter().any(|(_, event)| event == *pos);
            self.cuts.extend(self.used.iter().filter(is_attribute));
        }
        call.cuts = first_cut..self.cuts.len() as u32;
        let first_write = self.writes.len() as u32;
        self.writes.extend(self.copies.drain(..).map(|(target, at, value)| Write { target, at, value }));
        call.writes = first_write..self.writes.len() as u32;
    }

    /// Whether a span has an event that its source writes of calls.
    fn has_event_of(&self, source: SourceIx) -> bool {
        let known = self.catalogue.source(source).map_or([].as_slice(), |source| &source.events);
        let is_known = |body, pos| known.iter().any(|name| **name == *EventRef::new(body, pos).name());
        !known.is_empty() && self.events.iter().any(|(body, pos)| is_known(body, *pos))
    }

    /// The source that an event tells, of those that are to be recognised.
    fn source_of_events(&self) -> Option<SourceIx> {
        let mut names = self.events.iter().map(|(body, pos)| EventRef::new(body, *pos).name());
        names.find_map(|name| self.catalogue.source_of_event(name)).filter(|source| self.allowed & 1 << source != 0)
    }

    /// Adds the attributes of events that the source writes in the place of the span's own.
    fn find_in_events(&mut self, of: SourceIx) {
        let source = self.catalogue.source(of).or(self.catalogue.generic());
        let Some(source) = source.filter(|source| !source.events.is_empty()) else { return };
        for (body, pos) in &self.events {
            let event = EventRef::new(body, *pos);
            if !source.events.iter().any(|name| **name == *event.name()) {
                continue;
            }
            for attribute in event.attributes() {
                let Some(slot) = self.catalogue.slot_in_event(attribute.key, of) else { continue };
                if self.found.len() < MOST_PARTS {
                    self.found.push(Found { slot, pos: *pos, value: attribute.value });
                }
            }
        }
    }

    /// [`Reader::take_plain`] is inlined where it matters, and not here.
    fn take_if_plain(&mut self, call: &mut Call<'a>, rule: &Rule, found: Found<'a>) -> bool {
        self.take_plain(call, rule.target, rule.priority, found)
    }

    /// Notes where facts are from that follow from other facts.
    fn note_filled(&mut self, call: &Call<'_>, before: u16) {
        let filled = call.known() & !before;
        for (target, from) in [
            (target::OPERATION, "the name of the span, or that it names a model"),
            (target::PROVIDER, "the host that was called, the source, or the name of the model"),
            (target::REQUEST_MODEL, "the model that the span names"),
            (target::RESPONSE_MODEL, "the model that the span names"),
            (target::TTFT, "the event that marks the first token"),
            (target::FINISH, "messages or events"),
        ] {
            if filled & 1 << target != 0 {
                self.note(target, || from.to_owned());
            }
        }
    }

    /// Notes where a value is from; the last note counts.
    #[inline]
    fn note(&mut self, target: Target, from: impl FnOnce() -> String) {
        if let Some(notes) = &mut self.notes {
            notes.retain(|note| note.target != target);
            notes.push(Note { target, from: from() });
        }
    }

    #[inline]
    fn note_taken(&mut self, target: Target, priority: u16) {
        if let Some(taken) = self.taken.get_mut(usize::from(target)) {
            *taken = priority;
        }
    }

    fn priority(&self, target: Target) -> u16 {
        self.taken.get(usize::from(target)).copied().unwrap_or(0)
    }
}
