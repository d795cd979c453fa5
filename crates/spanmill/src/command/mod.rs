//! The commands.

mod components;
mod configuration;
mod explain;
mod export;
#[cfg(feature = "workers")]
mod helpers;
mod import;
mod migrate;
mod prompt;
mod query;
#[cfg(feature = "workers")]
mod query_worker;
mod replay;
mod run;
mod stores;
mod trace;
mod typed;

use std::io::{self, Write};

use clap::CommandFactory;
use spanmill_config::{Document, FEATURE_GATES, FeatureGate, print_config};
use spanmill_pipeline::Service;

use crate::arguments::{Arguments, Command, Configuration, Print};
use crate::demo;
use crate::error::CommandError;
use crate::factories::FACTORIES;
use crate::logging;

/// Does what was asked for.
pub(crate) fn execute(arguments: Arguments) -> Result<(), CommandError> {
    match arguments.command {
        None => run::run(&arguments.run),
        Some(Command::Validate(configuration)) => validate(&configuration),
        Some(Command::Migrate(options)) => migrate::run(&options),
        Some(Command::Demo(options)) => {
            let mut shown = Ok(());
            demo::run(&options, |text| shown = write_out(text))?;
            shown
        }
        Some(Command::Query(options)) => query::run(&options),
        #[cfg(feature = "workers")]
        Some(Command::QueryWorker(options)) => query_worker::run(&options),
        Some(Command::Explain(options)) => explain::run(&options),
        Some(Command::Trace(options)) => trace::run(&options),
        Some(Command::Import(options)) => import::run(&options),
        Some(Command::Export(options)) => export::run(&options),
        Some(Command::Replay(options)) => replay::run(&options),
        Some(Command::Components) => components::list(&FACTORIES),
        Some(Command::PrintConfig(print)) => show_config(&print),
        Some(Command::Featuregate { id }) => show_gates(id.as_deref()),
        Some(Command::Completion { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "spanmill", &mut script);
            write_out(&script)
        }
    }
}

fn validate(configuration: &Configuration) -> Result<(), CommandError> {
    let sources = configuration::Sources::read(configuration)?;
    let document = sources.document(&mut warn)?;
    Service::without_effect(&document).iter().for_each(|warning| warn(warning));
    Ok(logging::with_warnings(|| Service::validate(&document, &FACTORIES))?)
}

fn show_config(print: &Print) -> Result<(), CommandError> {
    let (mode, format) = (print.mode.parse()?, print.format.parse()?);
    let sources = configuration::Sources::read(&print.configuration)?;
    let resolved = sources.resolve()?;
    if print.validate {
        Service::validate(&Document::from_tree(resolved.tree.clone())?, &FACTORIES)?;
    }
    write_out(print_config(&resolved.tree, mode, format)?.as_bytes())
}

/// Those of the Collector: whoever has them on the command line need not change it.
fn show_gates(id: Option<&str>) -> Result<(), CommandError> {
    let shown = FEATURE_GATES.iter().filter(|gate| id.is_none_or(|id| gate.id == id));
    let line = |gate: &FeatureGate| {
        let effect = if gate.is_heeded() { "heeded" } else { "accepted, without effect" };
        format!("{:<60} {:<8} {:<7} {effect}\n", gate.id, gate.is_on(), gate.stage)
    };
    let lines = shown.map(line).collect::<String>();
    match id {
        Some(id) if lines.is_empty() => Err(CommandError::Usage(format!("feature \"{id}\" not found"))),
        _ => write_out(format!("{:<60} {:<8} {:<7} {}\n{lines}", "ID", "Enabled", "Stage", "Here").as_bytes()),
    }
}

/// Before logging is set up, warnings go to stderr as they are.
fn warn(warning: &str) {
    let _ = writeln!(io::stderr().lock(), "warning: {warning}");
}

fn write_out(bytes: &[u8]) -> Result<(), CommandError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        // The reader has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|source| CommandError::Io { what: "cannot write to stdout", source }),
    }
}
