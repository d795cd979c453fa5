//! The project's own tasks: `cargo xtask test`, and what it is made of.

mod bench;
mod compatibility;
mod steps;
mod test;

use std::process::{Command, ExitCode};

use clap::{Args, Parser, Subcommand};
use xtask::cache;
use xtask::command::{TaskError, cargo, run};
use xtask::notes::Notes;

use steps::Steps;

/// The project's own tasks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

/// One task.
#[derive(Debug, Subcommand)]
enum Task {
    /// Run every test there is, after doing all of the set-up that they need
    Test(TestArgs),
    /// Do the set-up alone: Python environment, Go peers, release build
    Setup {
        /// Leave out the programs that need Go to be built
        #[arg(long)]
        no_peers: bool,
    },
    /// Do what continuous integration does: formatting, clippy, every test
    Ci,
    /// Traffic for minutes or hours while everything goes wrong now and then; ends with a ledger, and fails where an accepted span is missing
    Soak {
        /// How long
        #[arg(long, default_value_t = 30)]
        minutes: u64,
        /// The Go Collector in the same scenario, instead: as it comes, and with a queue that it syncs
        #[arg(long)]
        beside: bool,
    },
    /// Write docs/compatibility.md anew, out of the components' sources and READMEs
    Compatibility,
    /// Measure
    Bench {
        #[command(subcommand)]
        what: Bench,
    },
}

/// What `test` takes.
#[derive(Debug, Default, Args)]
struct TestArgs {
    /// Leave out what needs the Go Collector, Jaeger or Tempo
    #[arg(long)]
    no_peers: bool,
    /// Run one part only: `unit`, `ballista`, or the name of a file in tests/tests or tests/faults
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
}

/// What can be measured.
#[derive(Debug, Subcommand)]
enum Bench {
    /// CPU time per span of spanmill, the Go Collector and others, side by side
    Relay {
        /// Passed on to the benchmark; `--help` shows what it takes
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// What storing and asking spans costs, beside DuckDB, chDB and the Go Collector
    Store {
        /// Passed on to the benchmark; `--help` shows what it takes
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let succeeded = match Cli::parse().task {
        Task::Test(arguments) => test::run_all(&arguments),
        Task::Setup { no_peers } => {
            let mut steps = Steps::new(test::SETUP_STEPS);
            test::set_up(&mut steps, no_peers);
            steps.summary(&Notes::default())
        }
        Task::Ci => ci(),
        Task::Soak { minutes, beside } => test::soak(minutes, beside),
        Task::Compatibility => compatibility::write(),
        Task::Bench { what: Bench::Relay { arguments } } => bench::run("relay", &arguments),
        Task::Bench { what: Bench::Store { arguments } } => bench::run("store", &arguments),
    };
    if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Formatting and clippy first, since they are quick to say no; then every test.
fn ci() -> bool {
    let mut steps = Steps::new(2);
    steps.step("formatting", || in_clone(cargo().args(["fmt", "--all", "--check"])));
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    steps.step("clippy", || in_clone(cargo().args(clippy)));
    let clean = steps.summary(&Notes::default());
    let tested = test::run_all(&TestArgs::default());
    clean && tested
}

/// Runs the command in the root of the clone.
fn in_clone(command: &mut Command) -> Result<(), TaskError> {
    run(command.current_dir(cache::root()))
}
