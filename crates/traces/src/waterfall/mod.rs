//! A trace as people look at it: a tree of spans, when each ran, and what it cost.

mod draw;
mod figures;
mod tree;

use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use serde::Serialize;

pub use self::draw::Style;

/// A trace as a tree, each span below its parent and the earliest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Waterfall {
    /// In hex.
    pub trace_id: String,
    /// When its first span starts, in nanoseconds since 1970.
    pub start_unix_nano: u64,
    /// From there to the end of its last span, in nanoseconds.
    pub duration_ns: u64,
    /// Tokens of the spans that own them.
    pub input_tokens: i64,
    /// Tokens of the spans that own them.
    pub output_tokens: i64,
    /// By currency, of the spans that own it.
    pub cost: Vec<(String, f64)>,
    /// Spans whose status is an error.
    pub errors: usize,
    /// Its spans, from top to bottom.
    pub spans: Vec<Row>,
}

/// A span of a trace.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Row {
    /// How many spans are above it.
    pub depth: usize,
    /// In hex.
    pub span_id: String,
    /// In hex; empty for a root.
    pub parent_span_id: String,
    /// Whether its parent is not among the spans.
    pub is_orphan: bool,
    /// `service.name` of its resource.
    pub service: String,
    /// Its name.
    pub name: String,
    /// When it starts, in nanoseconds after the trace.
    pub offset_ns: u64,
    /// How long it takes, in nanoseconds.
    pub duration_ns: u64,
    /// `gen_ai.response.model`, or else that of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// `gen_ai.usage.input_tokens`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<i64>,
    /// `gen_ai.usage.output_tokens`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<i64>,
    /// `gen_ai.usage.cost.amount`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// `gen_ai.usage.cost.currency`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// owner, rollup or duplicate: whether its usage counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_role: Option<String>,
    /// What is remarkable: error and its class, slow although small and why, loops of tools, answers that were cut off.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// Whether its status is an error.
    pub is_error: bool,
    /// What came before it among its siblings and those above: for the lines of the tree, whether each has a later sibling.
    #[serde(skip)]
    pub(crate) has_later: Vec<bool>,
}

/// A span with the name of its service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Served<'a> {
    pub(crate) service: &'a str,
    pub(crate) span: &'a Span,
}

// === impl Waterfall ===

impl Waterfall {
    /// The tree of the spans of one trace.
    pub fn new(resource_spans: &[ResourceSpans]) -> Self {
        let spans: Vec<Served<'_>> = resource_spans.iter().flat_map(served).collect();
        let start = spans.iter().map(|served| served.span.start_time_unix_nano).min().unwrap_or_default();
        let end = spans.iter().map(|served| served.span.end_time_unix_nano).max().unwrap_or_default();
        let rows: Vec<Row> = tree::ordered(&spans)
            .into_iter()
            .map(|place| {
                let mut row = figures::row(place.served, start);
                row.depth = place.has_later.len().saturating_sub(1);
                row.is_orphan = place.is_orphan;
                row.has_later = place.has_later;
                row
            })
            .collect();
        let counted = || rows.iter().filter(|row| row.counts());
        let mut cost: Vec<(String, f64)> = Vec::new();
        for row in counted() {
            let Some(amount) = row.cost else { continue };
            let currency = row.currency.as_deref().unwrap_or("USD");
            match cost.iter_mut().find(|(known, _)| known == currency) {
                Some((_, sum)) => *sum += amount,
                None => cost.push((currency.to_owned(), amount)),
            }
        }
        Self {
            trace_id: spans.first().map(|served| figures::hex(&served.span.trace_id)).unwrap_or_default(),
            start_unix_nano: start,
            duration_ns: end.saturating_sub(start),
            input_tokens: counted().filter_map(|row| row.input_tokens).sum(),
            output_tokens: counted().filter_map(|row| row.output_tokens).sum(),
            cost,
            errors: rows.iter().filter(|row| row.is_error).count(),
            spans: rows,
        }
    }
}

// === impl Row ===

impl Row {
    /// Whether what it used is part of the bill; what nobody decided about counts.
    pub(crate) fn counts(&self) -> bool {
        self.usage_role.as_deref().is_none_or(|role| role == "owner")
    }
}

fn served(group: &ResourceSpans) -> impl Iterator<Item = Served<'_>> {
    let resource = group.resource.as_ref().map_or(&[][..], |resource| resource.attributes.as_slice());
    let service = figures::text(resource, "service.name").unwrap_or_default();
    group.scope_spans.iter().flat_map(|scope| &scope.spans).map(move |span| Served { service, span })
}

#[cfg(test)]
mod tests;
