//! Messages of recorded traffic against the JSON schemas of the conventions, v1.41.1 (`schema/`, from
//! `docs/gen-ai/gen-ai-*.json` of open-telemetry/semantic-conventions).

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "what tests do when they fail")]

mod support;

use std::fs;
use std::path::PathBuf;

use serde_json::Value as Json;
use spanmill_genai::content::{Action, ContentOptions, ContentPolicy, DataAction, Mask};
use spanmill_genai::{Engine, Options, PriceTable, Pricing};
use spanmill_otlp::Traces;
use support::recordings;
use support::schema::{DOCUMENTS, validator};
use support::texts::{said, texts, words};

fn engine(remove_originals: bool) -> Engine {
    let pricing = Pricing { table: PriceTable::None, ..Pricing::default() };
    Engine::new(&Options { remove_originals, pricing, ..Options::default() }).unwrap()
}

/// Scenario: every recording is normalised.
/// Guarantees: all messages, instructions, definitions of tools and retrieved documents are JSON text that the schemas accept; most recordings with content
/// have some.
#[test]
fn recorded_messages_are_valid() {
    let Some(recordings) = recordings() else { return };
    let counts = validate(&recordings, &engine(false), |traces| Traces::parse(traces.encode()).unwrap());
    assert!(are_enough(&counts), "{counts:?}");
}

/// Scenario: every recording is normalised, and everything that can be done to content is done, with little left of texts.
/// Guarantees: what is left is what the schemas accept.
#[test]
fn messages_stay_valid_whatever_is_done_to_content() {
    let Some(recordings) = recordings() else { return };
    let engine = engine(false);
    let mask = ["keys", "email", "card", "phone", "ip"].map(|name| Mask::Builtin(name.to_owned()));
    for (policy, data) in [
        (Action::Keep, DataAction::Drop),
        (Action::Hash, DataAction::Hash),
        (Action::Truncate, DataAction::Offload),
        (Action::Offload, DataAction::Keep),
    ] {
        let options = ContentOptions {
            policy,
            blobs: data,
            embeddings: data,
            mask: if policy == Action::Keep { mask.to_vec() } else { Vec::new() },
            max_bytes: Some(64),
            store: Some("s3://bucket/content".to_owned()),
            ..ContentOptions::default()
        };
        let content = ContentPolicy::new(&options, &engine).unwrap();
        let counts = validate(&recordings, &engine, |traces| content.apply(traces).traces.freeze());
        assert!(are_enough(&counts), "{policy:?}: {counts:?}");
    }
}

/// Whether there are many of each kind; few recordings retrieve documents with scores.
fn are_enough(counts: &[usize]) -> bool {
    counts.iter().zip([50, 50, 50, 50, 0]).all(|(count, least)| *count > least)
}

/// Checks the documents of all recordings once an engine and `then` were at them; says how many there were of each kind.
fn validate(recordings: &[PathBuf], engine: &Engine, then: impl Fn(Traces) -> Traces) -> [usize; DOCUMENTS.len()] {
    let validators = DOCUMENTS.map(|(name, schema)| (name, validator(schema)));
    let mut counts = [0; DOCUMENTS.len()];
    for path in recordings {
        let mut traces = Traces::parse(fs::read(path).unwrap().into()).unwrap();
        engine.process(&mut traces);
        let traces = then(traces);
        for span in texts(&traces) {
            for ((name, validator), count) in validators.iter().zip(&mut counts) {
                let Some(text) = span.get(*name) else { continue };
                let document: Json = serde_json::from_str(text)
                    .unwrap_or_else(|error| panic!("{}: {name}: {error}: {text}", path.display()));
                if let Err(error) = validator.validate(&document) {
                    panic!("{}: {name}: {error} at {}: {text}", path.display(), error.instance_path());
                }
                *count += 1;
            }
        }
    }
    counts
}

/// Scenario: every recording is normalised, and originals are removed.
/// Guarantees: the words of every message, call and answer that was removed stand in what is left.
#[test]
fn nothing_is_lost_with_the_originals() {
    let Some(recordings) = recordings() else { return };
    let engine = engine(true);
    let (mut removed, mut looked_for) = (0, 0);
    for path in &recordings {
        let bytes = fs::read(path).unwrap();
        let before = texts(&Traces::parse(bytes.clone().into()).unwrap());
        let mut traces = Traces::parse(bytes.into()).unwrap();
        engine.process(&mut traces);
        let after = texts(&Traces::parse(traces.encode()).unwrap());
        for (before, after) in before.iter().zip(&after) {
            let left: String = after.values().map(|text| words(text)).collect();
            for (key, text) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
                removed += 1;
                for wanted in said(key, text) {
                    looked_for += 1;
                    assert!(left.contains(&words(&wanted)), "{}: {key} is gone, and with it: {wanted}", path.display());
                }
            }
        }
    }
    assert!(removed > 1_000 && looked_for > 1_000, "{removed} attributes removed, {looked_for} texts looked for");
}
