//! The Collector's `gen_ai_normalizer`: what its documentation says, and what its users found wrong with it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "what tests do when they fail")]

#[path = "../support/mod.rs"]
mod support;

mod added;
mod corpus;
mod mappings;
mod messages;
mod sources;

use serde_json::{Map, Value as Json};
use spanmill_genai::normalizer::{Config, Normalizer, Source};
use spanmill_otlp::Traces;
use support::{request, sample, seen};

fn source(name: &str) -> Source {
    Source { name: name.to_owned(), ..Source::default() }
}

fn own(mappings: &[(&str, &str)]) -> Source {
    let mappings = mappings.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
    Source { mappings, ..source("acme") }
}

fn normalizer(sources: Vec<Source>) -> Normalizer {
    Normalizer::new(&Config { sources, ..Config::default() }).unwrap()
}

/// A span with these attributes, normalised. A second pass may change nothing.
fn pass(normalizer: &Normalizer, attributes: &Json) -> Map<String, Json> {
    let mut traces = Traces::parse(request(&[sample(1, "", attributes)]).into()).unwrap();
    normalizer.process(&mut traces);
    let bytes = traces.encode();
    let mut again = Traces::parse(bytes.clone()).unwrap();
    normalizer.process(&mut again);
    assert!(again.encode() == bytes, "a second pass changed something");
    seen(&bytes).remove(&1).unwrap()
}

/// As [`pass`], with one source.
fn by(source: Source, attributes: &Json) -> Map<String, Json> {
    pass(&normalizer(vec![source]), attributes)
}
