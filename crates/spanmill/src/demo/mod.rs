//! `spanmill demo`: simulated applications send through a real pipeline, and what comes out is shown.

mod error;
mod findings;
mod pipeline;
mod player;
mod presentation;
mod progress;
mod question;
mod tap;

#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use spanmill_config::Duration as GoDuration;
use spanmill_loadgen::{Options, Traffic};

pub(crate) use error::DemoError;

use crate::error::colours_wanted;
use findings::Findings;
use pipeline::{Pipeline, Ports};
use presentation::Report;
use progress::Progress;

/// Options of `demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// How many calls of models to play
    #[arg(long, value_name = "NUMBER", default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    calls: u32,
    /// Where chance begins: the same number gives the same calls
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Also send the processed spans to this OTLP/gRPC endpoint, such as localhost:4317
    #[arg(long, value_name = "ENDPOINT")]
    to: Option<String>,
    /// Over how long the calls are played; they last as long as their timestamps say, nobody waits for that
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = duration)]
    duration: Duration,
    /// Keep the store in this folder; otherwise it goes when the demo ends
    #[arg(long, value_name = "FOLDER")]
    store: Option<PathBuf>,
    /// Go on receiving spans and answering SQL until Ctrl-C
    #[arg(long)]
    serve: bool,
    /// How the result is written to stdout
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// No colours; NO_COLOR does the same
    #[arg(long)]
    no_color: bool,
}

/// How the result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// One JSON object.
    Json,
}

/// What was played, and what came out.
struct Outcome {
    findings: Findings,
    ports: Ports,
    took: Duration,
}

/// Over which time before now the calls are spread.
const PERIOD: Duration = Duration::from_secs(15 * 60);

/// Plays the demo, and gives what is to be written to stdout to `show`.
pub(crate) fn run(options: &Demo, show: impl FnOnce(&[u8])) -> Result<(), DemoError> {
    let traffic = Traffic::generate(&Options {
        seed: options.seed,
        calls: usize::try_from(options.calls).unwrap_or(usize::MAX),
        now_unix_nano: u64::try_from(Timestamp::now().as_nanosecond()).unwrap_or_default(),
        period: PERIOD,
    });
    let colours = !options.no_color && colours_wanted();
    let progress = Progress::new(traffic.truth.calls.len(), colours);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| DemoError::Io { what: "cannot start threads", source })?;
    let passing = tempfile::tempdir().map_err(|source| DemoError::Io { what: "cannot make a folder", source })?;
    let store = options.store.as_deref().unwrap_or(passing.path());
    let outcome = runtime.block_on(play(options, store, &traffic, &progress))?;
    let report = Report {
        calls: traffic.truth.calls.len(),
        services: services(&traffic),
        findings: &outcome.findings,
        answer: question::ask(store)?,
        port: outcome.ports.grpc,
        took: outcome.took,
        to: options.to.as_deref(),
        store: options.store.as_deref(),
        sql: options.serve.then_some(outcome.ports.sql),
    };
    let text = match options.format {
        Format::Table => report.table(colours && io::stdout().is_terminal())?,
        Format::Json => report.json()?,
    };
    show(text.as_bytes());
    if options.serve { runtime.block_on(serve(store, outcome.ports)) } else { Ok(()) }
}

async fn play(options: &Demo, store: &Path, traffic: &Traffic, progress: &Progress) -> Result<Outcome, DemoError> {
    let pipeline = Pipeline::start(options.to.as_deref(), store).await?;
    let since = Instant::now();
    let played = player::play(pipeline.ports().grpc, traffic, options.duration, progress).await;
    let took = since.elapsed();
    progress.finish();
    let ports = pipeline.ports();
    // What stopping says is of less use than why playing failed.
    let stopped = pipeline.stop().await;
    played?;
    Ok(Outcome { findings: stopped?, ports, took })
}

/// Serves what was played, and what else comes, until the process is told to end.
async fn serve(store: &Path, ports: Ports) -> Result<(), DemoError> {
    let pipeline = Pipeline::start_at(ports, None, store).await?;
    let ended = tokio::signal::ctrl_c().await;
    pipeline.stop().await?;
    ended.map_err(|source| DemoError::Io { what: "cannot wait for Ctrl-C", source })
}

fn services(traffic: &Traffic) -> usize {
    let mut names: Vec<_> = traffic.truth.calls.iter().map(|call| call.service).collect();
    names.sort_unstable();
    names.dedup();
    names.len()
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration: GoDuration = text.parse().map_err(|error| format!("{error}"))?;
    if duration.is_negative() { Err("must not be negative".to_owned()) } else { Ok(duration.to_std()) }
}
