//! Recorded traffic of real instrumentations, where it lies beside the repository.

mod support;

use std::fs;

use spanmill_genai::{Engine, Options};
use spanmill_otlp::Traces;
use support::recordings;

/// Scenario: every recording passes the engine twice.
/// Guarantees: what comes out is a valid request with as many spans, and the second pass changes nothing.
#[test]
fn recordings_are_normalised_once() {
    let Some(recordings) = recordings() else { return };
    let (first, second) = (Engine::new(&Options::default()).unwrap(), Engine::new(&Options::default()).unwrap());
    let (mut spans, mut owners, mut unknown) = (0, 0, 0);
    for path in &recordings {
        let mut traces = Traces::parse(fs::read(path).unwrap().into()).unwrap();
        let count = traces.span_count();
        let tally = first.process(&mut traces);
        (spans, owners, unknown) = (spans + count, owners + tally.owners, unknown + tally.by_source.last().unwrap());
        let once = traces.encode();
        let mut again = Traces::parse(once.clone()).unwrap();
        assert_eq!(again.span_count(), count, "{}", path.display());
        second.process(&mut again);
        assert!(again.encode() == once, "{} changes in a second pass", path.display());
    }
    assert!(
        owners > 0 && unknown * 10 < spans as u32,
        "{owners} owners, {unknown} of {spans} spans of unknown sources"
    );
}
