//! The bodies of the fuzz targets over mutated seeds, the same in every run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may fail by panicking")]

use std::path::Path;

use fastrand::Rng;

#[path = "../../../fuzz/otlp.rs"]
mod bodies;

const MUTATIONS: usize = 1_500;

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.file_name().unwrap().to_string_lossy().starts_with("seed-"));
    paths.sort();
    assert!(paths.len() >= 3, "seeds are missing");
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn mutate(seed: &[u8], other: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..rng.usize(1..5) {
        let at = rng.usize(..=bytes.len());
        let until = rng.usize(at..=bytes.len().min(at + 40));
        match rng.u8(..6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << rng.u8(..8),
            1 if at < bytes.len() => bytes[at] = rng.u8(..),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..until)),
            4 => {
                let copy = bytes[at..until].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => {
                let from = rng.usize(..=other.len());
                let part = other[from..rng.usize(from..=other.len().min(from + 40))].to_vec();
                bytes.splice(at..at, part);
            }
        }
    }
    bytes
}

fn run(target: &str, body: fn(&[u8])) {
    let seeds = seeds(target);
    let mut rng = Rng::with_seed(7);
    for seed in &seeds {
        body(seed);
        for _ in 0..MUTATIONS {
            let other = &seeds[rng.usize(..seeds.len())];
            body(&mutate(seed, other, &mut rng));
        }
    }
}

/// Scenario: thousands of damaged protobuf requests.
/// Guarantees: each is refused, or read, edited, encoded, joined and split without a contradiction; nothing panics.
#[test]
fn scan() {
    run("scan", bodies::scan);
}

/// Scenario: thousands of damaged OTLP/JSON texts.
/// Guarantees: each is refused, or becomes a valid request that is written and read again as the same; nothing panics.
#[test]
fn json() {
    run("json", bodies::json);
}
