//! Explanations: what became of each span, and why.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;
use spanmill_otlp::{SpanRef, Traces};

use crate::call::{Call, Role};
use crate::catalogue::{Catalogue, SourceIx};
use crate::datum::Datum;
use crate::hash::hex;
use crate::price::PriceStory;
use crate::read::Note;
use crate::target::{self, CORE};

/// What became of a span, and why.
#[derive(Debug, Clone, Serialize)]
pub struct SpanExplanation {
    /// In hex.
    pub trace_id: String,
    /// In hex.
    pub span_id: String,
    /// In hex; empty for a root.
    pub parent_span_id: String,
    /// Its name.
    pub name: String,
    /// Name and version of its scope.
    pub scope: String,
    /// The recognised source; none for a span that is none of GenAI.
    pub source: Option<String>,
    /// What told the source.
    pub recognised_by: String,
    /// `owner`, `rollup` or `duplicate`, where it carries usage.
    pub role: Option<String>,
    /// Why it has that role.
    pub role_reason: Option<String>,
    /// The span that owns the usage, in hex, where it is another one of the request.
    pub owner: Option<String>,
    /// What was done to the counts.
    pub accounting: Vec<String>,
    /// Standard attributes and those that spanmill adds, in the order of the span.
    pub attributes: Vec<AttributeExplanation>,
    /// Attributes that are gone.
    pub removed: Vec<String>,
    /// How the cost came about.
    pub price: Option<PriceExplanation>,
}

/// Where an attribute is from.
#[derive(Debug, Clone, Serialize)]
pub struct AttributeExplanation {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Json,
    /// The value that the span came with, where it was another one.
    pub before: Option<Json>,
    /// Where it is from.
    pub from: String,
}

/// How a cost came about.
#[derive(Debug, Clone, Serialize)]
pub struct PriceExplanation {
    /// What is said of it.
    pub summary: String,
    /// What was charged: `1000 input x 2.5`, in US dollars a million tokens.
    pub lines: Vec<String>,
}

/// What is noted on the way, one for each call.
#[derive(Debug, Default)]
pub(crate) struct Story {
    chapters: Vec<Chapter>,
}

/// What is noted of one call.
#[derive(Debug)]
struct Chapter {
    ix: spanmill_otlp::SpanIx,
    source: SourceIx,
    notes: Vec<Note>,
    accounting: Vec<String>,
    /// Bits of the core targets that its own span tells.
    own: u16,
    /// Bits that another span of the call told.
    brought: u16,
    role: Role,
    why: &'static str,
    owner: Option<u32>,
    price: Option<PriceStory>,
}

// === impl Story ===

impl Story {
    /// Notes what the span itself tells.
    pub(crate) fn read(&mut self, call: &Call<'_>, notes: &[Note]) {
        self.chapters.push(Chapter {
            ix: call.ix,
            source: call.source,
            notes: notes.to_vec(),
            accounting: Vec::new(),
            own: 0,
            brought: 0,
            role: Role::None,
            why: "",
            owner: None,
            price: None,
        });
    }

    /// Notes what became of the counts.
    pub(crate) fn accounted(&mut self, before: &Call<'_>, call: &Call<'_>) {
        let Some(chapter) = self.chapters.last_mut() else { return };
        chapter.own = call.known();
        for (name, before, after) in [("input", before.input, call.input), ("output", before.output, call.output)] {
            match (before, after) {
                (Some(0), None) => chapter.accounting.push(format!("{name} 0 means that it is not known")),
                (Some(before), Some(after)) if before != after => {
                    let what = if name == "input" { "the cache" } else { "reasoning" };
                    let added = after - before;
                    chapter
                        .accounting
                        .push(format!("{name} {before} + {added} for {what}, which this source counts apart"));
                }
                _ => {}
            }
        }
    }

    /// Notes roles, and what other spans told.
    pub(crate) fn decided(&mut self, calls: &[Call<'_>]) {
        for (chapter, call) in self.chapters.iter_mut().zip(calls) {
            chapter.brought = call.known() & !chapter.own;
            (chapter.role, chapter.why, chapter.owner) = (call.role, call.why.text(), call.owner);
        }
    }

    /// Notes how the price of a call came about.
    pub(crate) fn priced(&mut self, at: usize, price: Option<PriceStory>) {
        if let Some(chapter) = self.chapters.get_mut(at) {
            chapter.price = price;
        }
    }

    /// Everything, span by span, in the order of the request.
    pub(crate) fn tell(self, catalogue: &Catalogue, before: &Traces, after: &Traces) -> Vec<SpanExplanation> {
        let mut chapters: BTreeMap<_, _> = self.chapters.iter().map(|chapter| (chapter.ix, chapter)).collect();
        let owners: Vec<String> = self
            .chapters
            .iter()
            .map(|chapter| before.span(chapter.ix).map_or_else(String::new, |span| hex(span.span_id())))
            .collect();
        let mut told = Vec::new();
        for (scope, after) in before.scopes().zip(after.scopes()) {
            let name = String::from_utf8_lossy(scope.name()).into_owned();
            let known = catalogue.source_of_scope(&name, &String::from_utf8_lossy(scope.version()));
            let title = [&*name, &*String::from_utf8_lossy(scope.version())].join(" ").trim().to_owned();
            for (span, after) in scope.spans().zip(after.spans()) {
                let chapter = chapters.remove(&span.ix());
                told.push(explain(catalogue, chapter, &owners, &title, known, span, after));
            }
        }
        told
    }
}

fn explain(
    catalogue: &Catalogue,
    chapter: Option<&Chapter>,
    owners: &[String],
    scope: &str,
    known: Option<SourceIx>,
    span: SpanRef<'_>,
    after: SpanRef<'_>,
) -> SpanExplanation {
    let before: BTreeMap<String, Json> = values(span).collect();
    let kept: Vec<(String, Json)> = values(after).collect();
    let names = |source| catalogue.source(source).map_or("unknown", |source| &*source.name);
    let attributes = kept
        .iter()
        .filter(|(key, _)| key.starts_with("gen_ai.") || key.starts_with("spanmill.") || !before.contains_key(key));
    SpanExplanation {
        trace_id: hex(span.trace_id()),
        span_id: hex(span.span_id()),
        parent_span_id: hex(span.parent_span_id()),
        name: String::from_utf8_lossy(span.name()).into_owned(),
        scope: scope.to_owned(),
        source: chapter.map(|chapter| names(chapter.source).to_owned()),
        recognised_by: match chapter {
            None if before.contains_key("spanmill.source") => {
                "it passed a spanmill before, and stays as it is".to_owned()
            }
            None => "nothing tells that it is a GenAI span".to_owned(),
            Some(chapter) if known == Some(chapter.source) => "the name of its scope".to_owned(),
            Some(chapter) => catalogue.mark_of(chapter.source, before.keys().map(String::as_str)).map_or_else(
                || "no source claims it: attributes are read by their names alone".to_owned(),
                |mark| format!("its attribute {mark}"),
            ),
        },
        role: chapter.filter(|chapter| chapter.role != Role::None).map(|chapter| chapter.role.name().to_owned()),
        role_reason: chapter.filter(|chapter| chapter.role != Role::None).map(|chapter| chapter.why.to_owned()),
        owner: chapter.and_then(|chapter| owners.get(chapter.owner? as usize).cloned()),
        accounting: chapter.map(|chapter| chapter.accounting.clone()).unwrap_or_default(),
        attributes: attributes
            .map(|(key, value)| {
                let old = before.get(key);
                AttributeExplanation {
                    key: key.clone(),
                    value: value.clone(),
                    before: old.filter(|old| *old != value).cloned(),
                    from: origin(catalogue, chapter, key, old == Some(value)),
                }
            })
            .collect(),
        removed: before.keys().filter(|key| !kept.iter().any(|(kept, _)| kept == *key)).cloned().collect(),
        price: chapter
            .and_then(|chapter| chapter.price.as_ref())
            .map(|price| PriceExplanation { summary: price.summary.clone(), lines: price.lines.clone() }),
    }
}

/// Where an attribute is from.
fn origin(catalogue: &Catalogue, chapter: Option<&Chapter>, key: &str, same: bool) -> String {
    if same {
        return "as it was".to_owned();
    }
    let target = catalogue.names.target(key);
    let note =
        chapter.zip(target).and_then(|(chapter, target)| chapter.notes.iter().find(|note| note.target == target));
    match (note, chapter, target) {
        (_, Some(chapter), Some(target)) if usize::from(target) < CORE && chapter.brought & 1 << target != 0 => {
            "another span of this call".to_owned()
        }
        (Some(note), _, _) if note.from == key => "put right".to_owned(),
        (Some(note), _, _) => note.from.clone(),
        (None, _, Some(target)) if target::is_content(target) => "messages of the span".to_owned(),
        (None, _, _) if key.starts_with("gen_ai.usage.cost.") => "the table of prices".to_owned(),
        _ => "derived".to_owned(),
    }
}

fn values<'a>(span: SpanRef<'a>) -> impl Iterator<Item = (String, Json)> + use<'a> {
    span.attributes().map(|found| (String::from_utf8_lossy(found.key).into_owned(), Datum::read(found.value).json()))
}
