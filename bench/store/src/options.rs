use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};
use spanmill_bench_kit::BenchError;
use tempfile::TempDir;

/// Measures what storing and asking spans costs: spanmill's store, DuckDB and chDB on the same files, the Go Collector's file exporter.
///
/// Needs a quiet machine, a Python for the other engines, and about 2 GB of disk. What is not there is skipped, and the report says so.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// Spans of the day that questions are asked about.
    #[arg(long, default_value_t = 5_000_000)]
    pub(crate) spans: u64,
    /// How often each question is asked; the best time counts.
    #[arg(long, default_value_t = 7)]
    pub(crate) reps: usize,
    /// Spans that each collector takes in.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) ingest: u64,
    /// How long 20,000 spans a second are sent to see what memory they take.
    #[arg(long, default_value_t = 10)]
    pub(crate) minutes: u64,
    /// Only these parts, separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<Part>,
    /// Keeps the day's store in this folder, and uses what is there already.
    #[arg(long)]
    pub(crate) folder: Option<PathBuf>,
    /// Where the report goes [default: docs/benchmarks-store.md, where everything was measured].
    #[arg(long)]
    pub(crate) output: Option<PathBuf>,
}

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Filling a store and asking it.
    Ask,
    /// CPU time a stored span.
    Ingest,
    /// Memory over minutes.
    Sustain,
}

/// A folder that is kept or not.
pub(crate) enum Folder {
    Kept(PathBuf),
    Passing(TempDir),
}

// === impl Options ===

impl Options {
    pub(crate) fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    pub(crate) fn folder(&self) -> Result<Folder, BenchError> {
        match &self.folder {
            Some(path) => Ok(Folder::Kept(path.clone())),
            None => tempfile::tempdir().map(Folder::Passing).map_err(BenchError::io("making a folder")),
        }
    }

    /// Into the documentation only if nothing was left out.
    pub(crate) fn output(&self) -> Option<PathBuf> {
        let whole = self.only.is_empty() && self.spans >= 5_000_000 && self.minutes >= 10;
        self.output.clone().or_else(|| whole.then(|| xtask::cache::root().join("docs/benchmarks-store.md")))
    }
}

// === impl Folder ===

impl Folder {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Passing(folder) => folder.path(),
        }
    }
}
