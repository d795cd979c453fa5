//! CPU time per span of collectors, side by side on the same traffic in one run.
//!
//! Every subject relays OTLP over gRPC from one load generator to one sink, all on loopback. What counts is the CPU time that the
//! subject's process takes for each span that it took in and the sink received, and its peak memory. Repetitions are interleaved, so
//! that a busy moment of the machine hits all subjects alike.

mod configuration;
mod durable;
mod inspect;
mod measure;
mod options;
mod plan;
mod raw;
mod report;
mod sink;
mod subject;

use std::process::ExitCode;

use clap::Parser;

use crate::options::{Command, Options};

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = match &options.command {
        Some(Command::RawRelay(relay)) => raw::run(relay),
        Some(Command::Durable(options)) => durable::run(options),
        None => plan::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
