//! Recorded traffic of real instrumentations, where it lies beside the repository.

use std::fs;
use std::path::{Path, PathBuf};

use spanmill_genai::{Engine, Options};
use spanmill_otlp::Traces;

fn recordings(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(recordings(&path));
        } else if path.to_str().is_some_and(|name| name.ends_with(".pb") && !name.ends_with(".logs.pb")) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Scenario: every recording passes the engine twice.
/// Guarantees: what comes out is a valid request with as many spans, and the second pass changes nothing.
#[test]
fn recordings_are_normalised_once() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let recordings = recordings(&folder);
    if recordings.is_empty() {
        eprintln!("skipped: no recordings at {}", folder.display());
        return;
    }
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
        owners > 0 && unknown * 50 < spans as u32,
        "{owners} owners, {unknown} of {spans} spans of unknown sources"
    );
}
