//! What storing a span costs, and how long questions take, beside other engines in the same run.
//!
//! 1. *Fill*: a day of spans goes through the store's real way, OTLP bytes to files, and is put together by the hour.
//! 2. *Ask*: the same questions are put to spanmill, DuckDB and chDB about the same files, one engine after the other, many times.
//! 3. *Ingest*: spanmill with its store and the Go Collector with its `file` exporter take the same requests; what counts is all CPU time
//!    until everything is on disk.
//! 4. *Sustain*: memory while 20,000 spans come every second.

mod ask;
mod engine;
mod fill;
mod ingest;
mod meter;
mod options;
mod questions;
mod report;
mod sustain;

use std::process::ExitCode;

use clap::Parser;
use spanmill_bench_kit::{BenchError, machine};

use crate::options::{Options, Part};
use crate::report::Report;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), BenchError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(BenchError::io("starting a runtime"))?;
    let mut report = Report { load_before: machine::load(), ..Report::default() };
    if options.wants(Part::Ask) {
        let folder = options.folder()?;
        report.fill = Some(runtime.block_on(fill::fill(folder.path(), options.spans))?);
        report.answers = runtime.block_on(ask::ask(folder.path(), options.spans, options.reps))?;
    }
    if options.wants(Part::Ingest) {
        report.ingest = runtime.block_on(ingest::ingest(options.ingest, options.reps.min(3)))?;
    }
    if options.wants(Part::Sustain) {
        report.sustained = Some(runtime.block_on(sustain::sustain(options.minutes))?);
    }
    let text = report.markdown();
    println!("\n{text}");
    if let Some(path) = options.output() {
        std::fs::write(&path, text).map_err(BenchError::io(format!("writing {}", path.display())))?;
        println!("written to {}", path.display());
    }
    Ok(())
}
