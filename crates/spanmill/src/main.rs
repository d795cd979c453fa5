//! An OpenTelemetry Collector for GenAI spans.

mod arguments;
mod command;
mod demo;
mod error;
mod factories;
mod hangup;
mod logging;
mod migrate;
mod systemd;

use std::process::ExitCode;

use clap::Parser;

use arguments::Arguments;

fn main() -> ExitCode {
    // First of all. Where it fails, all is as it were without it.
    if hangup::is_for_pipelines(std::env::args_os()) {
        let _ = hangup::catch();
    }
    spanmill_allocator::keep_freed_memory();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // Help and version are successes; what is wrong ends with 1, as everything else that is.
        Err(error) => {
            let is_wrong = error.use_stderr();
            let _ = error.print();
            return if is_wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    match command::execute(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error::show(&error);
            ExitCode::from(error.exit_code())
        }
    }
}
