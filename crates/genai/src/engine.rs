//! The engine: everything that happens to a request.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use spanmill_otlp::{Part, Patch, ScopeRef, Traces};

use crate::account::account;
use crate::builtin;
use crate::call::{Call, Node, Role};
use crate::catalogue::{Catalogue, SourceIx};
use crate::derive::{LOOP, SlowSmallRule};
use crate::encoded::Encoded;
use crate::explain::{SpanExplanation, Story};
use crate::memory::Memory;
use crate::options::{Conventions, Options, OptionsError, PriceTable, SchemaUrl};
use crate::own::{self, Marks};
use crate::price::{self, Bill, Prices};
use crate::read::Reader;
use crate::target;
use crate::vocabulary::{Class, ErrorClass, Operation};
use crate::write::{Rules, write};

/// Normalises GenAI spans. One engine serves all requests of a pipeline, from any number of threads.
#[derive(Debug)]
pub struct Engine {
    pub(crate) catalogue: Catalogue,
    encoded: Encoded,
    prices: Prices,
    /// The sources to recognise, as bits.
    allowed: u128,
    remove_originals: bool,
    messages: bool,
    schema_url: Option<(SchemaUrl, &'static str)>,
    slow_small: SlowSmallRule,
    embeddings: Operation,
    memory: Mutex<Memory>,
    scopes: Mutex<HashMap<Box<[u8]>, Option<SourceIx>>>,
    scratch: Mutex<Vec<Scratch>>,
}

/// Memory that is used again from request to request.
#[derive(Debug)]
struct Scratch {
    calls: Vec<Call<'static>>,
    nodes: Vec<Node>,
    patch: Patch,
}

/// What was done to one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// GenAI spans by source, in the order of [`Engine::source_names`].
    pub by_source: Vec<u32>,
    /// Spans that own usage.
    pub owners: u32,
    /// Spans that repeat the usage of another span of the same call.
    pub duplicates: u32,
    /// Spans that sum the usage below them.
    pub rollups: u32,
    /// Entries of the usage memory that gave way.
    pub evicted: u64,
    /// Calls that own usage and have no cost, since their model has no price; by model.
    pub unpriced: Vec<(String, u32)>,
}

/// Scopes whose source is remembered; more than this many names are looked up anew each time.
const MOST_SCOPES: usize = 1_024;

/// What is added to most spans, in bytes.
const BYTES_ADDED: usize = 448;

/// How many requests' memory is kept, and up to how many spans each.
const MOST_SCRATCH: usize = 8;
const LARGEST_SCRATCH: usize = 8_192;

// === impl Scratch ===

impl Default for Scratch {
    fn default() -> Self {
        Self { calls: Vec::new(), nodes: Vec::new(), patch: Patch::new(Part::Span) }
    }
}

// === impl Engine ===

impl Engine {
    /// An engine with the built-in sources.
    pub fn new(options: &Options) -> Result<Self, OptionsError> {
        // The generic file comes first, then the user's own, which are recognised before the others.
        let own = options.own_sources.iter().map(|source| (source.place.as_str(), source.yaml.as_str()));
        let builtin = builtin::SOURCES.iter().copied();
        let files = builtin.clone().take(1).chain(own).chain(builtin.skip(1));
        let catalogue = Catalogue::compile(builtin::VOCABULARY, builtin::SHAPES, files, options.conventions)?;
        // The user's own sources, behind the generic one, are recognised in any case.
        let own = (1u128 << options.own_sources.len().min(126) << 1) - 2;
        let mut allowed = if options.sources.is_none() { u128::MAX } else { own };
        for name in options.sources.iter().flatten() {
            let mut found = false;
            for (at, _) in catalogue.sources.iter().enumerate().filter(|(_, source)| *source.name == **name) {
                allowed |= 1 << at;
                found = true;
            }
            if !found {
                let known: Vec<&str> = catalogue.sources.iter().map(|source| &*source.name).collect();
                return Err(OptionsError::UnknownSource { name: name.clone(), known: known.join(", ") });
            }
        }
        Ok(Self {
            embeddings: catalogue.vocabulary.operation("embeddings"),
            encoded: Encoded::new(&catalogue),
            prices: prices(options)?,
            catalogue,
            allowed,
            remove_originals: options.remove_originals,
            messages: options.messages,
            schema_url: schema_url(options),
            slow_small: SlowSmallRule::new(&options.slow_small)?,
            memory: Mutex::new(Memory::new(options.usage_memory)),
            scopes: Mutex::default(),
            scratch: Mutex::default(),
        })
    }

    /// The sources, in the order of [`Tally::by_source`]; the last one stands for spans that no source claims.
    pub fn source_names(&self) -> impl Iterator<Item = &str> {
        self.catalogue.sources.iter().map(|source| &*source.name).chain(["unknown"])
    }

    /// Normalises all GenAI spans of a request.
    pub fn process(&self, traces: &mut Traces) -> Tally {
        self.run(traces, None)
    }

    /// Normalises a request as [`Engine::process`] does, and tells what became of each of its spans and why.
    pub fn explain(&self, traces: &mut Traces) -> Vec<SpanExplanation> {
        let before = traces.clone().freeze();
        let mut story = Story::default();
        self.run(traces, Some(&mut story));
        story.tell(&self.catalogue, &before, &traces.clone().freeze())
    }

    fn run(&self, traces: &mut Traces, mut story: Option<&mut Story>) -> Tally {
        let mut tally = Tally { by_source: vec![0; self.catalogue.sources.len() + 1], ..Tally::default() };
        // Shares the bytes: what is read stays while edits are made.
        let snapshot = traces.clone();
        let mut reader = Reader::new(&self.catalogue, self.allowed, self.remove_originals, self.messages);
        reader.notes = story.as_ref().map(|_| Vec::new());
        let Scratch { calls, mut nodes, mut patch } = self.take_scratch();
        let mut calls = recycle(calls);
        let mut marks = Marks::default();
        for scope in snapshot.scopes() {
            let source = self.source_of_scope(scope.name(), scope.version());
            let first = calls.len();
            let known = source.and_then(|source| self.catalogue.source(source));
            reader.scope = scope.name();
            reader.copies_model = known.is_some_and(|known| known.copies_model(scope.name()));
            reader.routes_model = known.is_some_and(|known| known.routes_model(scope.name()));
            for span in scope.spans() {
                let node = reader.read(span, source, &mut calls);
                if let Some(call) = calls.last_mut().filter(|_| node.call.is_some()) {
                    match (&mut story, &reader.notes) {
                        (Some(story), Some(notes)) => {
                            story.read(call, notes);
                            let before = call.clone();
                            self.account(call);
                            story.accounted(&before, call);
                        }
                        _ => self.account(call),
                    }
                    marks.note(call);
                    if let Some(count) = tally.by_source.get_mut(usize::from(call.source)) {
                        *count += 1;
                    }
                }
                nodes.push(node);
            }
            if calls.len() > first {
                self.set_schema_url(traces, scope);
            }
        }
        if !calls.is_empty() {
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            let before = memory.evicted();
            own::decide(&mut calls, &nodes, marks, &mut memory, &self.catalogue.vocabulary);
            tally.evicted = memory.evicted() - before;
            forget_copies(&mut calls);
        }
        if let Some(story) = &mut story {
            story.decided(&calls);
        }
        if marks.tools {
            find_loops(&mut calls);
        }
        if marks.failed {
            spread_errors(&mut calls);
        }
        let rules = Rules { catalogue: &self.catalogue, encoded: &self.encoded, slow_small: &self.slow_small };
        if !calls.is_empty() {
            traces.reserve_edits(calls.len(), BYTES_ADDED);
        }
        let mut bill = Bill::new(&self.prices);
        for (at, call) in calls.iter().enumerate() {
            if let Some(story) = &mut story {
                story.priced(at, bill.story(call));
            }
            match call.role {
                Role::Owner => tally.owners += 1,
                Role::Duplicate => tally.duplicates += 1,
                Role::Rollup => tally.rollups += 1,
                Role::None => {}
            }
            let writes = reader.writes.get(call.writes.start as usize..call.writes.end as usize).unwrap_or(&[]);
            let cuts = reader.cuts.get(call.cuts.start as usize..call.cuts.end as usize).unwrap_or(&[]);
            write(&mut patch, call, bill.price(call), &rules, writes, cuts);
            traces.apply(call.ix, &patch);
        }
        tally.unpriced = bill.unpriced.into_iter().map(|(model, count)| (model.to_owned(), count)).collect();
        nodes.clear();
        self.keep_scratch(Scratch { calls: recycle(calls), nodes, patch });
        tally
    }

    fn set_schema_url(&self, traces: &mut Traces, scope: ScopeRef<'_>) {
        let Some((when, url)) = self.schema_url else { return };
        if when == SchemaUrl::Overwrite && scope.schema_url() != url.as_bytes() || scope.schema_url().is_empty() {
            traces.set_schema_url(scope.ix(), url);
        }
    }

    fn take_scratch(&self) -> Scratch {
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn keep_scratch(&self, scratch: Scratch) {
        let mut kept = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MOST_SCRATCH && scratch.nodes.capacity() <= LARGEST_SCRATCH {
            kept.push(scratch);
        }
    }

    fn account(&self, call: &mut Call<'_>) {
        let no_output = call.output.unwrap_or(0) == 0;
        let embeds = |model: &str| model.contains("embed");
        let model = call.request_model.as_deref().or(call.response_model.as_deref());
        let embeddings = no_output && (call.operation == self.embeddings || model.is_some_and(embeds));
        account(call, self.catalogue.source(call.source), embeddings);
    }

    fn source_of_scope(&self, name: &[u8], version: &[u8]) -> Option<SourceIx> {
        let key: Vec<u8> = [name, b"\0", version].concat();
        let mut known = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = known.get(key.as_slice()) {
            return *source;
        }
        let source = self
            .catalogue
            .source_of_scope(&String::from_utf8_lossy(name), &String::from_utf8_lossy(version))
            .filter(|source| self.allowed & 1 << source != 0);
        if known.len() < MOST_SCOPES {
            known.insert(key.into(), source);
        }
        source
    }
}

/// A model that may be a copy of the request's is not believed, unless another span of the call said which one answered.
fn forget_copies(calls: &mut [Call<'_>]) {
    for call in calls.iter_mut().filter(|call| call.doubtful && call.response_model == call.request_model) {
        call.response_model = None;
        call.changed(target::RESPONSE_MODEL);
    }
}

/// The schema URL of the conventions that are written, and when it is set.
fn schema_url(options: &Options) -> Option<(SchemaUrl, &'static str)> {
    let written = options.conventions == Conventions::V1_41 && options.schema_url != SchemaUrl::Keep;
    written.then_some((options.schema_url, "https://opentelemetry.io/schemas/1.41.1"))
}

fn prices(options: &Options) -> Result<Prices, OptionsError> {
    let mut prices = match &options.pricing.table {
        PriceTable::Builtin => Prices::parse(price::BUILTIN)?,
        PriceTable::None => Prices::default(),
        PriceTable::Text(table) => Prices::parse(table)?,
    };
    for price in &options.pricing.overrides {
        prices.set(price)?;
    }
    Ok(prices)
}

/// An empty vector for another lifetime, in the same memory.
#[expect(clippy::unnecessary_filter_map, reason = "the closure turns one type into another: only the lifetime differs")]
fn recycle<'b>(mut calls: Vec<Call<'_>>) -> Vec<Call<'b>> {
    calls.clear();
    calls.into_iter().filter_map(|_| None).collect()
}

/// Counts calls of the same tool with the same arguments in each trace.
fn find_loops(calls: &mut [Call<'_>]) {
    // A call over MCP has a span of the framework and one of the client below it, and perhaps one of the server.
    let told_above = |call: &Call<'_>| {
        let above = call.above.and_then(|above| calls.get(above as usize));
        above.is_some_and(|above| above.class == Class::Tool && above.tool == call.tool)
    };
    let tools = calls.iter().enumerate().filter(|(_, call)| !told_above(call));
    let mut tools: Vec<((u64, u64), u32)> =
        tools.filter_map(|(at, call)| Some(((call.trace, call.tool?), at as u32))).collect();
    tools.sort_unstable();
    for group in tools.chunk_by(|left, right| left.0 == right.0).filter(|group| group.len() as u32 >= LOOP) {
        let count = group.len() as u32;
        for (_, at) in group {
            let mut next = Some(*at);
            // The spans above are told as well: that is where one looks.
            for _ in 0..16 {
                let Some(call) = next.and_then(|at| calls.get_mut(at as usize)) else { break };
                call.loops = call.loops.max(count);
                next = call.above;
            }
        }
    }
}

/// A span that failed because of a call below it has the class of that call.
fn spread_errors(calls: &mut [Call<'_>]) {
    for at in 0..calls.len() {
        let Some((class, above)) = calls.get(at).and_then(|call| Some((call.error?, call.above?))) else { continue };
        let mut next = Some(above);
        for _ in 0..16 {
            let Some(call) = next.and_then(|at| calls.get_mut(at as usize)) else { break };
            if !call.failed || call.error.is_some() {
                break;
            }
            call.error = Some(class);
            next = call.above;
        }
    }
    for call in calls.iter_mut().filter(|call| call.failed && call.error.is_none() && call.class != Class::Other) {
        call.error = Some(ErrorClass::Other);
    }
}
