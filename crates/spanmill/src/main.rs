//! An OpenTelemetry Collector for GenAI spans.

mod arguments;
mod command;
mod demo;
mod error;
mod factories;
mod logging;

use std::process::ExitCode;

use clap::Parser;

use arguments::Arguments;

fn main() -> ExitCode {
    match command::execute(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error::show(&error);
            ExitCode::FAILURE
        }
    }
}
