//! Recorded traffic of real instrumentations.

use std::fs;

use serde_json::Value as Json;
use spanmill_genai::normalizer::Source;
use spanmill_otlp::Traces;

use crate::support::schema::{DOCUMENTS, validator};
use crate::support::texts::{said, texts, words};
use crate::support::{recordings, seen};
use crate::{normalizer, source};

/// Scenario: every recording passes both built-in sources twice.
/// Guarantees: all documents that are written are what the schemas accept, no key stands twice, and the second pass changes nothing.
#[test]
fn recordings_come_out_valid() {
    let Some(recordings) = recordings() else { return };
    let normalizer = normalizer(vec![source("openinference"), source("openllmetry")]);
    let validators = DOCUMENTS.map(|(name, schema)| (name, validator(schema)));
    let (mut written, mut documents) = (0, 0);
    for path in &recordings {
        let bytes = fs::read(path).unwrap();
        let before = texts(&Traces::parse(bytes.clone().into()).unwrap());
        let mut traces = Traces::parse(bytes.into()).unwrap();
        written += normalizer.process(&mut traces);
        let bytes = traces.encode();
        let mut again = Traces::parse(bytes.clone()).unwrap();
        normalizer.process(&mut again);
        assert!(again.encode() == bytes, "{}: a second pass changed something", path.display());
        seen(&bytes);
        for (before, after) in before.iter().zip(texts(&again)) {
            for (name, validator) in &validators {
                let Some(text) = after.get(*name).filter(|_| !before.contains_key(*name)) else { continue };
                let document: Json = serde_json::from_str(text).unwrap();
                if let Err(error) = validator.validate(&document) {
                    panic!("{}: {name}: {error} at {}: {text}", path.display(), error.instance_path());
                }
                documents += 1;
            }
        }
    }
    assert!(written > 500 && documents > 500, "{written} spans written, with {documents} documents");
}

/// Scenario: every recording passes both built-in sources, and originals are removed.
/// Guarantees: the words of everything that was removed stand in what is left.
#[test]
fn recordings_lose_nothing() {
    let Some(recordings) = recordings() else { return };
    let removing = |name| Source { remove_originals: true, ..source(name) };
    let normalizer = normalizer(vec![removing("openinference"), removing("openllmetry")]);
    let mut removed = 0;
    for path in &recordings {
        let bytes = fs::read(path).unwrap();
        let before = texts(&Traces::parse(bytes.clone().into()).unwrap());
        let mut traces = Traces::parse(bytes.into()).unwrap();
        normalizer.process(&mut traces);
        for (before, after) in before.iter().zip(texts(&traces)) {
            let left: String = after.values().map(|text| words(text)).collect();
            for (key, text) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
                removed += 1;
                for wanted in said(key, text) {
                    assert!(left.contains(&words(&wanted)), "{}: {key} is gone, and with it: {wanted}", path.display());
                }
            }
        }
    }
    assert!(removed > 1_000, "{removed} attributes removed");
}
