//! Compiles the files of knowledge to the tables of the catalogue.

use std::collections::HashMap;

use spanmill_otlp::{KeyTable, Slot};

use super::rule::rules_of;
use super::{
    BELOW, Catalogue, CatalogueError, Cell, GENERIC, HINTS_MODEL, HINTS_TOKENS, Plan, Rule, SlotInfo, Source, SourceIx,
    Tails, is_genai,
};
use crate::messages::split_flat;
use crate::options::Conventions;
use crate::pattern::Pattern;
use crate::source::{Mapping, Shapes, SourceFile};
use crate::target::{self, Names, Target};
use crate::vocabulary::Vocabulary;

/// A source's own mapping of a key, before compilation.
struct Draft {
    source: usize,
    rule: Rule,
}

/// The priority of rules of other sources.
const FOREIGN: u16 = 5_000;
/// The priority of rules for the ends of keys.
const ENDS: u16 = 20_000;
/// More sources than fit the marker bits are refused.
const MOST_SOURCES: usize = 128;

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
            let versions = file.recognise.versions.as_deref().map(|it| Pattern::new(it, &file.name)).transpose()?;
            for scope in &file.recognise.scopes {
                scopes.push((Pattern::new(scope, &file.name)?, versions.clone(), at as SourceIx));
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
        // Where a source names them, they mean the same below names that nobody knows.
        let named: Vec<String> = keys.names.iter().filter(|name| is_genai(name.as_bytes())).cloned().collect();
        for name in &named {
            keys.slot(&format!("{BELOW}{name}"));
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
                let target = target::target(&rule.to).filter(|target| target::is_flattened(*target));
                let target = target.ok_or_else(|| {
                    CatalogueError::new(&file.name, format!("flattened: {:?} holds no messages", rule.to))
                })?;
                flattened.push((rule.prefix.as_str().into(), target));
            }
        }
        for (name, info) in keys.names.iter().zip(&mut slots) {
            info.flat = split_flat(flattened.iter().map(|(prefix, _): &(Box<str>, Target)| &**prefix), name.as_bytes())
                .is_some();
        }
        let events = parsed.iter().flat_map(|file| file.time_to_first_token.events.iter());
        let marks_of = |(at, file): (SourceIx, &'_ SourceFile)| {
            file.recognise.events.iter().map(move |name| (name.clone(), at)).collect::<Vec<_>>()
        };
        let (marking, owners): (Vec<String>, Vec<SourceIx>) = (0..).zip(&parsed).flat_map(marks_of).unzip();
        let ends = keys.names.iter().zip(0..).filter_map(|(name, slot)| Some((name.strip_prefix(BELOW)?, slot)));
        let mut catalogue = Self {
            tails: Tails::new(ends, &vocabulary.other_namespaces, &vocabulary.fillers),
            keys: KeyTable::new(&keys.names),
            slots,
            sources,
            vocabulary,
            first_token_events: KeyTable::new(events),
            events: (KeyTable::new(marking), owners),
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
        for (slot, (key, list)) in keys.names.iter().zip(&drafts).enumerate() {
            let of = |name: &str| Some(drafts.get(usize::from(*keys.slots.get(name)?))?.as_slice());
            match key.strip_prefix(BELOW) {
                Some(end) => catalogue.fill_end(slot, end, list, of(end).unwrap_or_default()),
                None => catalogue.fill(slot, key, list, of(&format!("{BELOW}{key}")).unwrap_or_default()),
            }
        }
        if catalogue.rules.len() > usize::from(u16::MAX) {
            return Err(CatalogueError::new("sources", "too many rules"));
        }
        Ok(catalogue)
    }

    /// Adds the cells of a key. A source has its own rules for it; all others share the generic ones, or, where the key
    /// has a namespace, those of the first source that knows it. `ends` are the drafts for it as an end of keys: where it
    /// stands for itself, it means that to spans of sources that nobody knows.
    fn fill(&mut self, slot: usize, key: &str, drafts: &[Draft], ends: &[Draft]) {
        let pick = |wanted: usize, offset: u16| pick(drafts, wanted, offset);
        let shared = shared(key, drafts);
        let alone = if shared.is_empty() { pick_ends(ends) } else { Vec::new() };
        if let Some(info) = self.slots.get_mut(slot) {
            (info.hints, info.answer) = (hints(&alone), may_be_answer(&alone));
        }
        let shared = self.add(key, drafts, shared);
        for source in 0..=self.sources.len() {
            let mut own = if source == self.sources.len() { alone.clone() } else { pick(source, 0) };
            // What facts a source finds in a document does not tell whether it holds messages.
            if !own.is_empty() && !own.iter().any(|rule| target::is_content(rule.target)) {
                own.extend(pick(0, GENERIC).into_iter().filter(|rule| target::is_content(rule.target)));
            }
            let (cell, plan) = if own.is_empty() { shared } else { self.add(key, drafts, own) };
            self.cells.push(cell);
            self.plans.push(plan);
        }
    }

    /// Adds the cells of an end of keys: it tells only of spans of sources that nobody knows, and never stands for the
    /// attribute of the conventions itself. `whole` are the drafts of the key that is nothing else.
    fn fill_end(&mut self, slot: usize, end: &str, drafts: &[Draft], whole: &[Draft]) {
        let mut rules = pick_ends(drafts);
        let named = self.names.target(end).filter(|_| is_genai(end.as_bytes()));
        rules.extend(named.map(|target| Rule { canonical: false, priority: ENDS, ..Rule::canonical(target) }));
        if is_genai(end.as_bytes()) {
            rules.extend(shared(end, whole).into_iter().filter(|rule| !rule.canonical).map(below));
        }
        if let Some(info) = self.slots.get_mut(slot) {
            info.end = true;
            info.signals = is_genai(end.as_bytes());
            (info.hints, info.answer) = (hints(&rules), may_be_answer(&rules));
        }
        let cell = Cell { start: self.rules.len() as u16, count: rules.len() as u16 };
        self.rules.extend(rules);
        self.cells.extend(std::iter::repeat_n(cell, self.sources.len() + 1));
        self.plans.extend(std::iter::repeat_n(Plan::Look, self.sources.len() + 1));
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

/// The rules of a source for a key.
fn pick(drafts: &[Draft], wanted: usize, offset: u16) -> Vec<Rule> {
    let wanted = drafts.iter().filter(|draft| draft.source == wanted);
    wanted.map(|draft| Rule { priority: draft.rule.priority + offset, ..draft.rule.clone() }).collect()
}

/// The rules that sources share which have none of their own.
fn shared(key: &str, drafts: &[Draft]) -> Vec<Rule> {
    let mut shared = pick(drafts, 0, GENERIC);
    // That a source puts the name of the conventions behind others of its own is its own matter too.
    let told = |rule: &Rule| !rule.local && !rule.canonical;
    let foreign = drafts.iter().filter(|draft| told(&draft.rule)).map(|draft| draft.source).find(|owner| *owner != 0);
    if let (true, true, Some(owner)) = (shared.is_empty(), key.contains('.'), foreign) {
        shared = pick(drafts, owner, FOREIGN);
        shared.retain(told);
    }
    shared
}

fn pick_ends(drafts: &[Draft]) -> Vec<Rule> {
    drafts.iter().map(|draft| below(Rule { canonical: false, ..draft.rule.clone() })).collect()
}

fn below(rule: Rule) -> Rule {
    Rule { priority: rule.priority + ENDS, ..rule }
}

fn hints(rules: &[Rule]) -> u8 {
    let hint = |rule: &Rule| match rule.target {
        target::INPUT | target::OUTPUT => HINTS_TOKENS,
        target::MODEL | target::REQUEST_MODEL | target::RESPONSE_MODEL => HINTS_MODEL,
        _ => 0,
    };
    rules.iter().filter(|rule| rule.path.is_none()).fold(0, |hints, rule| hints | hint(rule))
}

fn may_be_answer(rules: &[Rule]) -> bool {
    rules.iter().any(|rule| rule.path.is_some() && rule.target == target::OUTPUT)
}

fn heads(flattened: &[(Box<str>, Target)]) -> Vec<u8> {
    let mut heads: Vec<u8> = flattened.iter().filter_map(|(prefix, _)| prefix.bytes().next()).collect();
    heads.sort_unstable();
    heads.dedup();
    heads
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
