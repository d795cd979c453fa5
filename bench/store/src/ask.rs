//! The questions to the engines, and the two that have to be quick.

use std::borrow::Cow;
use std::path::Path;

use arrow::array::AsArray;
use futures_util::TryStreamExt;
use jiff::Timestamp;
use spanmill_bench_kit::BenchError;
use spanmill_loadgen::day::{Day, SPANS};
use spanmill_otlp::Traces;
use spanmill_query::{Limits, QueryService, Question};
use spanmill_store::{QueryOptions, Store};

use crate::engine::{Dialect, Engine, Timed};
use crate::fill::{BEGIN_UNIX_NANO, options, other};
use crate::meter::Stopwatch;
use crate::questions::QUESTIONS;

/// How long everything took.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// Of each question, the engines that answered.
    pub(crate) rows: Vec<(String, Vec<(Dialect, Timed)>)>,
    /// Named questions of spanmill about the day.
    pub(crate) named: Vec<(String, Timed)>,
    /// Slow-small over the last hour, from memory.
    pub(crate) hot: Option<Timed>,
    /// What is missing.
    pub(crate) skipped: Vec<String>,
}

/// Asks everything `reps` times and keeps the best; engines take turns.
pub(crate) async fn ask(folder: &Path, spans: u64, reps: usize) -> Result<Answers, BenchError> {
    let mut answers = Answers::default();
    let python = xtask::python::environment_of("bench/store/requirements.txt")?;
    if python.is_none() {
        answers.skipped.push("no Python: neither DuckDB nor chDB was asked".to_owned());
    }
    let mut engines = Vec::new();
    for dialect in Dialect::ALL {
        engines.extend(Engine::open(dialect, folder, python.as_deref()).await?);
    }
    let store = Store::open_to_read(options(folder)).await.map_err(other("opening the store"))?;
    let trace = a_trace(&store).await?;
    for question in QUESTIONS {
        let mut best: Vec<(Dialect, Timed)> = Vec::new();
        for _ in 0..reps.max(1) {
            for engine in &mut engines {
                let dialect = engine.dialect();
                let timed = engine.ask(&question.sql(dialect, &trace)).await?;
                keep(&mut best, dialect, timed);
            }
        }
        let each = best.iter().map(|(dialect, timed)| {
            format!("{} {:.1} ms / {:.1} ms CPU, {} rows", dialect.name(), timed.wall, timed.cpu, timed.rows)
        });
        println!("ask: {question}: {}", each.collect::<Vec<_>>().join("; "));
        answers.rows.push((question.name.to_owned(), best));
    }
    answers.named = named(&store, reps).await?;
    answers.hot = Some(hot(spans, reps).await?);
    Ok(answers)
}

fn keep<K: PartialEq>(best: &mut Vec<(K, Timed)>, of: K, timed: Timed) {
    match best.iter_mut().find(|(known, _)| *known == of) {
        Some((_, known)) if known.wall <= timed.wall => {}
        Some((_, known)) => *known = timed,
        None => best.push((of, timed)),
    }
}

/// The id of a trace about the middle of the day.
async fn a_trace(store: &Store) -> Result<String, BenchError> {
    let sql = "SELECT trace_id FROM spans WHERE start_time >= TIMESTAMPTZ '2026-11-22 12:30:00+00:00' LIMIT 1";
    let failed = || other("looking for a trace");
    let answer = store.query(sql, &QueryOptions::default()).await.map_err(failed())?;
    let rows: Vec<_> = answer.rows.try_collect().await.map_err(failed())?;
    let id =
        rows.iter().find(|rows| rows.num_rows() > 0).map(|rows| rows.column(0).as_string_view().value(0).to_owned());
    id.ok_or_else(|| BenchError::io("looking for a trace")(std::io::Error::other("there is none")))
}

/// All named questions about the whole day, as their service answers them.
async fn named(store: &Store, reps: usize) -> Result<Vec<(String, Timed)>, BenchError> {
    let service = QueryService::new(store.clone(), Limits { rows: 1_000_000, ..Limits::default() });
    let begin = i64::try_from(BEGIN_UNIX_NANO / 1_000_000_000).unwrap_or(0);
    let (since, until) = (begin.to_string(), (begin + 86_400).to_string());
    let mut best = Vec::new();
    for question in Question::all() {
        for _ in 0..reps.max(1) {
            let given = [("since", since.as_str()), ("until", until.as_str())];
            keep(&mut best, question.name.to_owned(), timed(&service, question, &given).await?);
        }
    }
    Ok(best)
}

/// Slow-small over an hour that is in memory alone: as many spans as an hour of the day has.
async fn hot(spans: u64, reps: usize) -> Result<Timed, BenchError> {
    let folder = tempfile::tempdir().map_err(BenchError::io("making a folder"))?;
    let mut options = options(folder.path());
    options.hot_max_bytes = usize::MAX;
    let store = Store::open(options, "hot").await.map_err(other("opening a store"))?;
    let hour = usize::try_from(spans / 24).unwrap_or(usize::MAX);
    for request in Day::new(BEGIN_UNIX_NANO, spans, 8).take(hour.div_ceil(SPANS)) {
        store.add(&Traces::parse(request).map_err(other("reading a request"))?, None);
    }
    let begin = i64::try_from(BEGIN_UNIX_NANO / 1_000_000_000).unwrap_or(0);
    let (since, until) = (begin.to_string(), (begin + 3_600).to_string());
    let question = Question::named("slow-small").map_err(other("looking for slow-small"))?;
    let service = QueryService::new(store, Limits::default());
    let mut best = Vec::new();
    for _ in 0..reps.max(1) {
        let given = [("since", since.as_str()), ("until", until.as_str())];
        keep(&mut best, (), timed(&service, question, &given).await?);
    }
    best.pop().map(|(_, timed)| timed).ok_or(BenchError::Nothing)
}

async fn timed(service: &QueryService, question: &Question, given: &[(&str, &str)]) -> Result<Timed, BenchError> {
    let failed = || other(question.name);
    let given = given.iter().map(|(name, text)| (Cow::Borrowed(*name), Cow::Borrowed(*text)));
    let request = question.request(given, Timestamp::now()).map_err(failed())?;
    let watch = Stopwatch::start()?;
    let mut answer = service.run(request).await.map_err(failed())?;
    let mut rows = 0;
    while let Some(batch) = answer.next().await {
        rows += batch.map_err(failed())?.num_rows();
    }
    watch.stop(rows)
}
