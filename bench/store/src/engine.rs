//! The engines that are asked.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use arrow::array::RecordBatch;
use futures_util::TryStreamExt;
use serde::Deserialize;
use spanmill_bench_kit::BenchError;
use spanmill_store::{QueryOptions, Store};

use crate::fill::other;
use crate::meter::Stopwatch;

/// Whose SQL it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Spanmill,
    DuckDb,
    ChDb,
}

/// What answers.
pub(crate) enum Engine {
    Own(Box<Store>),
    Other(Dialect, Other),
}

/// An engine in a Python process of its own, asked by lines of JSON.
pub(crate) struct Other {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// How long an answer took.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Timed {
    /// In milliseconds.
    pub(crate) wall: f64,
    /// CPU time of all threads, in milliseconds.
    pub(crate) cpu: f64,
    pub(crate) rows: usize,
}

/// What the Python process says.
#[derive(Deserialize)]
#[serde(untagged)]
enum Said {
    Timed(Timed),
    Error { error: String },
}

const SCRIPT: &str = include_str!("engine.py");

// === impl Dialect ===

impl Dialect {
    pub(crate) const ALL: [Self; 3] = [Self::Spanmill, Self::DuckDb, Self::ChDb];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Spanmill => "spanmill",
            Self::DuckDb => "DuckDB",
            Self::ChDb => "chDB",
        }
    }
}

// === impl Engine ===

impl Engine {
    /// The engine, about the files of a folder.
    pub(crate) async fn open(
        dialect: Dialect,
        folder: &Path,
        python: Option<&Path>,
    ) -> Result<Option<Self>, BenchError> {
        if dialect == Dialect::Spanmill {
            let store = Store::open_to_read(crate::fill::options(folder)).await.map_err(other("opening the store"))?;
            return Ok(Some(Self::Own(Box::new(store))));
        }
        let Some(python) = python else { return Ok(None) };
        let mut child = Command::new(python)
            .args(["-c", SCRIPT, &dialect.name().to_lowercase()])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(BenchError::io(format!("starting {}", dialect.name())))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else { return Ok(None) };
        Ok(Some(Self::Other(dialect, Other { child, input, output: BufReader::new(output) })))
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Own(_) => Dialect::Spanmill,
            Self::Other(dialect, _) => *dialect,
        }
    }

    pub(crate) async fn ask(&mut self, sql: &str) -> Result<Timed, BenchError> {
        match self {
            Self::Own(store) => own(store, sql).await,
            Self::Other(dialect, engine) => engine.ask(*dialect, sql),
        }
    }
}

/// Asks a store, until the last row is there.
async fn own(store: &Store, sql: &str) -> Result<Timed, BenchError> {
    let watch = Stopwatch::start()?;
    let failed = || other("asking spanmill");
    let answer = store.query(sql, &QueryOptions::default()).await.map_err(failed())?;
    let rows: Vec<RecordBatch> = answer.rows.try_collect().await.map_err(failed())?;
    watch.stop(rows.iter().map(RecordBatch::num_rows).sum())
}

// === impl Other ===

impl Other {
    fn ask(&mut self, dialect: Dialect, sql: &str) -> Result<Timed, BenchError> {
        let failed = || BenchError::io(format!("asking {}", dialect.name()));
        let line = serde_json::Value::from(sql).to_string();
        writeln!(self.input, "{line}").and_then(|()| self.input.flush()).map_err(failed())?;
        let mut answer = String::new();
        self.output.read_line(&mut answer).map_err(failed())?;
        match serde_json::from_str(&answer) {
            Ok(Said::Timed(timed)) => Ok(timed),
            Ok(Said::Error { error }) => Err(failed()(std::io::Error::other(format!("{error}, about: {sql}")))),
            Err(error) => Err(failed()(std::io::Error::other(error))),
        }
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
