//! Reads a span in one scan: what is there is looked up once, and what it means depends on the source.

mod fill;
mod take;

use std::borrow::Cow;

use serde_json::Value as Json;
use spanmill_otlp::{AnyValue, Attribute, Payload, Pos, Slot, SpanRef, StatusRef, ValueRef};

use crate::call::{Call, Node, Write, Written};
use crate::catalogue::{Catalogue, Rule, Source, SourceIx};
use crate::datum::{Datum, member};
use crate::target::{self, TARGETS, Target};
use crate::vocabulary::Operation;

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

/// More known attributes, events or bad numbers than this of one span are not looked at.
const MOST_PARTS: usize = 2_048;

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
                        if self.to_cut.len() < MOST_PARTS {
                            self.to_cut.push(pos);
                        }
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
                            if self.found.len() < MOST_PARTS {
                                self.found.push(found);
                            }
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
                (11, Payload::Bytes(body)) if self.events.len() < MOST_PARTS => self.events.push((body, field.pos)),
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
}

fn applies(rule: &Rule, operation: Operation) -> bool {
    match operation {
        _ if rule.when == !0 => true,
        Operation::Known(bit) => rule.when & 1u32.checked_shl(u32::from(bit)).unwrap_or(0) != 0,
        _ => false,
    }
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

/// A time to first token lies inside its span. Values in milliseconds or nanoseconds are told by that, and read so.
fn guard(seconds: f64, duration: u64) -> Option<f64> {
    let limit = duration as f64 / 1e9 * 1.05;
    let inside = [1.0, 1e3, 1e9].into_iter().map(|unit| seconds / unit).find(|seconds| *seconds <= limit);
    inside.filter(|seconds| *seconds >= SHORTEST_TTFT)
}
