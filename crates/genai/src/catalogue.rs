//! All sources, compiled at start: one table from attribute keys to slots, and for each slot and source the rules that
//! apply. The cost of a span does not grow with the number of sources.

use std::collections::{BTreeMap, HashMap};

use regex::Regex;
use spanmill_otlp::{KeyTable, Slot};
use thiserror::Error;

use crate::options::Conventions;
use crate::source::{Inclusion, Mapping, Member, Shapes, SourceFile, Unit};
use crate::target::{self, Names, Target};
use crate::vocabulary::{Operation, Vocabulary, Words, regex};

/// A file of knowledge is wrong.
#[derive(Debug, Error)]
#[error("{file}: {message}")]
pub struct CatalogueError {
    file: String,
    message: String,
}

/// Number of a source; the last column of the table is that of unrecognised spans.
pub(crate) type SourceIx = u8;

/// What an attribute means for a source.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) target: Target,
    /// Smaller is stronger.
    pub(crate) priority: u16,
    /// Whether the key is the target's own.
    pub(crate) canonical: bool,
    pub(crate) unit: Unit,
    /// Bits of the operations it applies to.
    pub(crate) when: u32,
    /// Whether it tells of what the span was given.
    pub(crate) given: bool,
    /// Whether the key means this for its source only.
    local: bool,
    /// Where in the JSON value.
    pub(crate) path: Option<Box<[Box<str>]>>,
    /// The member of a document of messages that the value is.
    pub(crate) member: Option<Box<str>>,
}

/// The rules for one key and one source, as a range.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    start: u16,
    count: u16,
}

/// What is to be done with a key on spans of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    /// To be looked at with everything else that was found.
    Look,
    /// It is the name of that target, and a value of its type only has to stay.
    Stay(Target),
    /// It is the name of that target, and has this priority; nothing else is to be thought of where its type is right.
    Plain(Target, u16),
}

/// What is known of a slot, whatever the source.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SlotInfo {
    /// Sources that this key marks, as bits.
    pub(crate) markers: u64,
    /// Whether the key makes a span a GenAI one.
    pub(crate) signals: bool,
    /// Whether its value may tell the source.
    pub(crate) equals: bool,
    /// Whether the key may be a piece of a flattened document.
    pub(crate) flat: bool,
}

/// A compiled source.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: Box<str>,
    /// Whether a span of its scopes may have nothing to do with GenAI.
    pub(crate) mixed: bool,
    pub(crate) spans: Vec<(Regex, Operation, bool)>,
    pub(crate) default_provider: Option<Box<str>>,
    pub(crate) providers: Words<Box<str>>,
    pub(crate) default_operation: Operation,
    pub(crate) operations: Words<Operation>,
    pub(crate) input: Inclusion,
    pub(crate) input_by_provider: BTreeMap<String, Inclusion>,
    pub(crate) output: Inclusion,
    pub(crate) output_by_provider: BTreeMap<String, Inclusion>,
    pub(crate) total_proves_nothing: bool,
    pub(crate) ttft_only_streaming: bool,
    pub(crate) ttft_weak: bool,
}

/// Everything that is known.
#[derive(Debug)]
pub(crate) struct Catalogue {
    pub(crate) keys: KeyTable,
    pub(crate) slots: Vec<SlotInfo>,
    pub(crate) sources: Vec<Source>,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) first_token_events: KeyTable,
    /// Prefixes of keys that documents of messages are flattened to, and the attributes they are for.
    pub(crate) flattened: Vec<(Box<str>, Target)>,
    /// The first bytes of those prefixes.
    flat_heads: Vec<u8>,
    key_names: Vec<Box<str>>,
    pub(crate) names: Names,
    scopes: Vec<(Regex, Option<Regex>, SourceIx)>,
    equals: Vec<(Slot, Box<[u8]>, SourceIx)>,
    cells: Vec<Cell>,
    plans: Vec<Plan>,
    rules: Vec<Rule>,
}

/// A source's own mapping of a key, before compilation.
struct Draft {
    source: usize,
    rule: Rule,
}

/// Priorities of rules that are not the source's own.
pub(crate) const GENERIC: u16 = 1_000;
const FOREIGN: u16 = 5_000;
/// More sources than fit the marker bits are refused.
const MOST_SOURCES: usize = 64;

/// Whether a key tells by itself that its span is one of GenAI.
#[inline]
pub(crate) fn is_genai(key: &[u8]) -> bool {
    key.starts_with(b"gen_ai.") || key.starts_with(b"llm.")
}

// === impl CatalogueError ===

impl CatalogueError {
    pub(crate) fn new(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self { file: file.into(), message: message.into() }
    }
}

// === impl Catalogue ===

impl Catalogue {
    /// Compiles files, each with a name for messages; the first is the generic one, whose mappings apply to every source.
    /// Of two files for the same source the first counts.
    pub(crate) fn compile<'a>(
        vocabulary: &str,
        shapes: &str,
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
        conventions: Conventions,
    ) -> Result<Self, CatalogueError> {
        let vocabulary = Vocabulary::parse(vocabulary)?;
        let shapes: Shapes =
            serde_yaml::from_str(shapes).map_err(|error| CatalogueError::new("shapes", error.to_string()))?;
        let mut parsed: Vec<SourceFile> = Vec::new();
        for (name, yaml) in files {
            let file: SourceFile =
                serde_yaml::from_str(yaml).map_err(|error| CatalogueError::new(name, error.to_string()))?;
            if !parsed.iter().any(|known| known.name == file.name) {
                parsed.push(file);
            }
        }
        if parsed.len() > MOST_SOURCES {
            let message = format!("{} sources, of which {MOST_SOURCES} are possible", parsed.len());
            return Err(CatalogueError::new("sources", message));
        }
        let names = Names::new(conventions);
        let mut keys = KeyList::default();
        for name in names.iter() {
            keys.slot(name);
        }
        let mut drafts: Vec<Vec<Draft>> = Vec::new();
        let mut scopes = Vec::new();
        let mut equals = Vec::new();
        let mut sources = Vec::new();
        let mut marks: Vec<(Slot, usize)> = Vec::new();
        for (at, file) in parsed.iter().enumerate() {
            let versions = file.recognise.versions.as_deref().map(|it| regex(it, &file.name)).transpose()?;
            for scope in &file.recognise.scopes {
                scopes.push((regex(scope, &file.name)?, versions.clone(), at as SourceIx));
            }
            for marker in &file.recognise.markers {
                marks.push((keys.slot(marker), at));
            }
            for (key, value) in &file.recognise.equals {
                equals.push((keys.slot(key), value.as_bytes().into(), at as SourceIx));
            }
            let written = |mapping: &&Mapping| !mapping.main || conventions == Conventions::Main;
            for (order, mapping) in file.attributes.iter().filter(written).enumerate() {
                for rule in rules_of(mapping, order as u16 + 1, &vocabulary, &shapes, &file.name)? {
                    for key in mapping.from.iter() {
                        let canonical = key == names.attribute(rule.target) && rule.path.is_none();
                        // The generic file lists the names of all versions; one that is written comes first anyway.
                        if canonical && at == 0 {
                            continue;
                        }
                        let slot = usize::from(keys.slot(key));
                        drafts.resize_with(drafts.len().max(slot + 1), Vec::new);
                        if let Some(list) = drafts.get_mut(slot) {
                            list.push(Draft { source: at, rule: Rule { canonical, ..rule.clone() } });
                        }
                    }
                }
            }
            sources.push(Source::new(file, &vocabulary)?);
        }
        drafts.resize_with(keys.names.len(), Vec::new);
        let mut slots: Vec<SlotInfo> = keys
            .names
            .iter()
            .map(|name| SlotInfo { signals: is_genai(name.as_bytes()), ..SlotInfo::default() })
            .collect();
        for (slot, source) in marks {
            if let Some(info) = slots.get_mut(usize::from(slot)) {
                info.markers |= 1 << source;
                info.signals |= parsed.get(source).is_some_and(|file| !file.recognise.mixed);
            }
        }
        for (slot, _, _) in &equals {
            if let Some(info) = slots.get_mut(usize::from(*slot)) {
                info.equals = true;
            }
        }
        let mut flattened = Vec::new();
        for file in &parsed {
            for rule in &file.flattened {
                let target = target::target(&rule.to).filter(|target| target::is_content(*target));
                let target = target.ok_or_else(|| {
                    CatalogueError::new(&file.name, format!("flattened: {:?} holds no messages", rule.to))
                })?;
                flattened.push((rule.prefix.as_str().into(), target));
            }
        }
        for (name, info) in keys.names.iter().zip(&mut slots) {
            info.flat = split_flat(&flattened, name.as_bytes()).is_some();
        }
        let events = parsed.iter().flat_map(|file| file.time_to_first_token.events.iter());
        let mut catalogue = Self {
            keys: KeyTable::new(&keys.names),
            slots,
            sources,
            vocabulary,
            first_token_events: KeyTable::new(events),
            flat_heads: heads(&flattened),
            flattened,
            key_names: keys.names.iter().map(|name| name.as_str().into()).collect(),
            names,
            scopes,
            equals,
            cells: Vec::new(),
            plans: Vec::new(),
            rules: Vec::new(),
        };
        for (key, list) in keys.names.iter().zip(&drafts) {
            catalogue.fill(key, list);
        }
        if catalogue.rules.len() > usize::from(u16::MAX) {
            return Err(CatalogueError::new("sources", "too many rules"));
        }
        Ok(catalogue)
    }

    /// The column of spans that no source claims.
    pub(crate) fn unrecognised(&self) -> SourceIx {
        self.sources.len() as SourceIx
    }

    /// The keys that some source takes, as a whole, for something that is content.
    pub(crate) fn content_keys(&self) -> impl Iterator<Item = &str> {
        let columns = self.sources.len() as SourceIx;
        let takes = move |slot: Slot| {
            (0..=columns).any(|source| {
                self.rules(slot, source).iter().any(|rule| {
                    rule.path.is_none()
                        && target::TARGETS
                            .get(usize::from(rule.target))
                            .is_some_and(|(name, _)| target::holds_content(name))
                })
            })
        };
        self.key_names.iter().enumerate().filter(move |(slot, _)| takes(*slot as Slot)).map(|(_, name)| &**name)
    }

    /// The source that a scope belongs to.
    pub(crate) fn source_of_scope(&self, name: &str, version: &str) -> Option<SourceIx> {
        self.scopes
            .iter()
            .find(|(pattern, versions, _)| {
                pattern.is_match(name) && versions.as_ref().is_none_or(|versions| versions.is_match(version))
            })
            .map(|(_, _, source)| *source)
    }

    /// The source that a value of a key tells.
    pub(crate) fn source_of_value(&self, slot: Slot, value: &[u8]) -> Option<SourceIx> {
        self.equals.iter().find(|(key, known, _)| *key == slot && **known == *value).map(|(_, _, source)| *source)
    }

    /// The name of a key.
    pub(crate) fn name(&self, slot: Slot) -> &[u8] {
        self.key_names.get(usize::from(slot)).map_or(&[], |name| name.as_bytes())
    }

    /// Whether a key is worth asking [`Self::flattened`] about.
    #[inline]
    pub(crate) fn may_be_flat(&self, key: &[u8]) -> bool {
        key.first().is_some_and(|first| self.flat_heads.contains(first))
    }

    /// What a key of a flattened document consists of: the number of its prefix, and what follows that.
    pub(crate) fn flattened<'k>(&self, key: &'k [u8]) -> Option<(u8, &'k str)> {
        split_flat(&self.flattened, key)
    }

    /// The rules for a key.
    #[inline]
    pub(crate) fn rules(&self, slot: Slot, source: SourceIx) -> &[Rule] {
        let at = usize::from(slot) * (self.sources.len() + 1) + usize::from(source);
        let Some(cell) = self.cells.get(at) else { return &[] };
        self.rules.get(usize::from(cell.start)..usize::from(cell.start) + usize::from(cell.count)).unwrap_or(&[])
    }

    /// What is to be done with a key.
    #[inline]
    pub(crate) fn plan(&self, slot: Slot, source: SourceIx) -> Plan {
        let at = usize::from(slot) * (self.sources.len() + 1) + usize::from(source);
        self.plans.get(at).copied().unwrap_or(Plan::Look)
    }

    pub(crate) fn source(&self, source: SourceIx) -> Option<&Source> {
        self.sources.get(usize::from(source))
    }

    /// Adds the cells of a key. A source has its own rules for it; all others share the generic ones, or, where the key
    /// has a namespace, those of the first source that knows it.
    fn fill(&mut self, key: &str, drafts: &[Draft]) {
        let pick = |wanted: usize, offset: u16| -> Vec<Rule> {
            let wanted = drafts.iter().filter(|draft| draft.source == wanted);
            wanted.map(|draft| Rule { priority: draft.rule.priority + offset, ..draft.rule.clone() }).collect()
        };
        let mut shared = pick(0, GENERIC);
        let foreign = drafts.iter().map(|draft| draft.source).find(|owner| *owner != 0);
        if let (true, true, Some(owner)) = (shared.is_empty(), key.contains('.'), foreign) {
            shared = pick(owner, FOREIGN);
            shared.retain(|rule| !rule.local);
        }
        let shared = self.add(key, drafts, shared);
        for source in 0..=self.sources.len() {
            let mut own = pick(source, 0);
            // What facts a source finds in a document does not tell whether it holds messages.
            if !own.is_empty() && !own.iter().any(|rule| target::is_content(rule.target)) {
                own.extend(pick(0, GENERIC).into_iter().filter(|rule| target::is_content(rule.target)));
            }
            let (cell, plan) = if own.is_empty() { shared } else { self.add(key, drafts, own) };
            self.cells.push(cell);
            self.plans.push(plan);
        }
    }

    /// Adds rules for a key.
    fn add(&mut self, key: &str, drafts: &[Draft], mut rules: Vec<Rule>) -> (Cell, Plan) {
        // Names of readings are none of attributes.
        let named = self.names.target(key).filter(|_| key.contains('.'));
        if let Some(target) = named
            && !rules.iter().any(|rule| rule.canonical)
        {
            rules.insert(0, Rule::canonical(target));
        }
        let stays = named.filter(|target| drafts.is_empty() && target::only_stays(*target));
        let plan = match (stays, rules.as_slice()) {
            (Some(target), _) => Plan::Stay(target),
            (None, [rule]) if rule.is_plain() => Plan::Plain(rule.target, rule.priority),
            _ => Plan::Look,
        };
        let cell = Cell { start: self.rules.len() as u16, count: rules.len() as u16 };
        self.rules.extend(rules);
        (cell, plan)
    }
}

// === impl Rule ===

impl Rule {
    /// That the attribute of a target is to be taken as it is.
    fn canonical(target: Target) -> Self {
        let (unit, when) = (Unit::Plain, !0);
        Self { target, priority: 0, canonical: true, unit, when, given: false, local: false, path: None, member: None }
    }

    /// Whether it takes an attribute of the conventions just as it is.
    pub(crate) fn is_plain(&self) -> bool {
        self.canonical && self.unit == Unit::Plain && self.when == !0 && self.path.is_none()
    }
}

fn heads(flattened: &[(Box<str>, Target)]) -> Vec<u8> {
    let mut heads: Vec<u8> = flattened.iter().filter_map(|(prefix, _)| prefix.bytes().next()).collect();
    heads.sort_unstable();
    heads.dedup();
    heads
}

/// Splits a key such as `gen_ai.prompt.0.content` behind the prefix.
fn split_flat<'k>(flattened: &[(Box<str>, Target)], key: &'k [u8]) -> Option<(u8, &'k str)> {
    flattened.iter().enumerate().find_map(|(number, (prefix, _))| {
        let rest = key.strip_prefix(prefix.as_bytes())?.strip_prefix(b".")?;
        rest.first().filter(|first| first.is_ascii_digit())?;
        Some((number as u8, std::str::from_utf8(rest).ok()?))
    })
}

fn rules_of(
    mapping: &Mapping,
    priority: u16,
    vocabulary: &Vocabulary,
    shapes: &Shapes,
    file: &str,
) -> Result<Vec<Rule>, CatalogueError> {
    let mut when = if mapping.when.is_empty() { !0 } else { 0 };
    for word in &mapping.when {
        let Operation::Known(bit) = vocabulary.operation(word) else {
            return Err(CatalogueError::new(file, format!("when: unknown operation {word:?}")));
        };
        when |= 1u32.checked_shl(u32::from(bit)).unwrap_or(0);
    }
    let find =
        |name: &str| target::target(name).ok_or_else(|| CatalogueError::new(file, format!("unknown target {name:?}")));
    let mut rules = Vec::new();
    if let Some(to) = &mapping.to {
        let member = mapping.member.as_deref().map(Box::from);
        rules.push(Rule {
            target: find(to)?,
            priority,
            canonical: false,
            unit: mapping.unit,
            when,
            given: mapping.given,
            local: mapping.local,
            path: None,
            member,
        });
    }
    let mut members: Vec<&Member> = mapping.members.iter().collect();
    for shape in &mapping.shapes {
        let known = shapes.get(shape);
        members.extend(known.ok_or_else(|| CatalogueError::new(file, format!("unknown shape {shape:?}")))?);
    }
    for member in members {
        let path = member.at.split('/').map(Box::from).collect();
        rules.push(Rule {
            target: find(&member.to)?,
            priority,
            canonical: false,
            unit: member.unit,
            when,
            given: mapping.given,
            local: mapping.local,
            path: Some(path),
            member: None,
        });
    }
    if rules.is_empty() {
        return Err(CatalogueError::new(file, "a mapping needs `to`, `members` or `shapes`"));
    }
    Ok(rules)
}

// === impl Source ===

impl Source {
    fn new(file: &SourceFile, vocabulary: &Vocabulary) -> Result<Self, CatalogueError> {
        let mut spans = Vec::new();
        for rule in &file.spans {
            spans.push((regex(&rule.name, &file.name)?, known(&rule.operation, vocabulary), rule.overrides));
        }
        let operations = Words::new(
            file.operation.values.iter().map(|(word, operation)| (word.clone(), known(operation, vocabulary))),
        );
        let default_operation =
            file.operation.default.as_deref().map_or(Operation::Absent, |word| known(word, vocabulary));
        Ok(Self {
            name: file.name.as_str().into(),
            mixed: file.recognise.mixed,
            spans,
            default_provider: file.provider.default.as_deref().map(Box::from),
            providers: Words::new(
                file.provider.values.iter().map(|(word, provider)| (word.clone(), provider.as_str().into())),
            ),
            default_operation,
            operations,
            input: file.usage.input,
            input_by_provider: file.usage.input_by_provider.clone(),
            output: file.usage.output,
            output_by_provider: file.usage.output_by_provider.clone(),
            total_proves_nothing: file.usage.total_proves_nothing,
            ttft_only_streaming: file.time_to_first_token.only_streaming,
            ttft_weak: file.time_to_first_token.weak,
        })
    }
}

/// An operation by a word of the vocabulary; `none` takes the operation away.
fn known(word: &str, vocabulary: &Vocabulary) -> Operation {
    if word == "none" { Operation::Custom } else { vocabulary.operation(word) }
}

/// Keys with their slots while they are collected.
#[derive(Debug, Default)]
struct KeyList {
    names: Vec<String>,
    slots: HashMap<String, Slot>,
}

// === impl KeyList ===

impl KeyList {
    fn slot(&mut self, name: &str) -> Slot {
        if let Some(slot) = self.slots.get(name) {
            return *slot;
        }
        let slot = self.names.len() as Slot;
        self.names.push(name.to_owned());
        self.slots.insert(name.to_owned(), slot);
        slot
    }
}
