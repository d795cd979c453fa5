//! `spanmill query`: questions about stored spans.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Read};
use std::sync::Arc;

use spanmill_console::{Asked, ConsoleError, Output, Source, What, list_of_questions};
use spanmill_store::Cluster;

use super::{prompt, stores, write_out};
use crate::arguments::{Place, Query};
use crate::error::{CommandError, colours_wanted};

/// Rows, where nothing is said.
const LIMIT: usize = 1_000;

pub(super) fn run(options: &Query) -> Result<(), CommandError> {
    if options.list {
        return write_out(list_of_questions().as_bytes());
    }
    let source = match (options.source.place().map_err(CommandError::Usage)?, helpers(options)?) {
        (Place::Store(address), helpers) => Source::store(stores::options_to_read(&address)?, helpers)?,
        (Place::Server(url), None) => Source::server(&url)?,
        (Place::Server(_), Some(_)) => {
            return Err(CommandError::Usage("--worker helps with a store, which --store names".to_owned()));
        }
    };
    let question = match options.question.as_deref() {
        Some("-") => Some(from_stdin()?),
        Some(question) => Some(question.to_owned()),
        None if io::stdin().is_terminal() => None,
        None => Some(from_stdin()?),
    };
    match question {
        Some(question) => {
            let what = What::read(&question);
            all_are_named(options, &what)?;
            let answer = source.ask(&asked(options, what, None))?;
            write(options, &answer)
        }
        None => prompt::run(options, &source),
    }
}

/// What SQL does not name would have no say in the answer, which nobody could tell from it.
fn all_are_named(options: &Query, what: &What) -> Result<(), CommandError> {
    if !matches!(what, What::Sql(_)) {
        return Ok(());
    }
    let fixed = [("since", &options.since), ("until", &options.until), ("service", &options.service)];
    let fixed = fixed.into_iter().filter(|(_, value)| value.is_some()).map(|(name, _)| name);
    let mut given = fixed.chain(options.parameters.iter().map(|(name, _)| name.as_str()));
    match given.find(|name| !what.has_placeholder(name)) {
        Some(name) => {
            let option = if ["since", "until", "service"].contains(&name) { "" } else { "param " };
            Err(CommandError::Usage(format!("--{option}{name} has no effect: the SQL does not name ${name}")))
        }
        None => Ok(()),
    }
}

/// Who helps to answer, where anybody does.
#[cfg(feature = "workers")]
fn helpers(options: &Query) -> Result<Option<Arc<dyn Cluster>>, CommandError> {
    super::helpers::fleet(&options.helpers)
}

#[cfg(not(feature = "workers"))]
fn helpers(_: &Query) -> Result<Option<Arc<dyn Cluster>>, CommandError> {
    Ok(None)
}

/// What is asked, with the parameters of the command line; a limit goes before its.
pub(super) fn asked(options: &Query, what: What, limit: Option<usize>) -> Asked {
    let fixed = [
        ("since", &options.since),
        ("until", &options.until),
        ("service", &options.service),
        ("tenant", &options.tenant),
    ];
    let fixed = fixed.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
    let parameters = fixed.chain(options.parameters.iter().cloned()).collect();
    let limit = limit.or(options.limit);
    let asked = Asked { what, parameters, limit: limit.unwrap_or(LIMIT), timeout: options.timeout };
    if limit.is_some() { asked.with_own_limit() } else { asked }
}

/// Writes an answer where it is wanted.
pub(super) fn write(options: &Query, answer: &spanmill_console::Answer) -> Result<(), CommandError> {
    let format = options.format;
    let Some(path) = &options.output else {
        let terminal = io::stdout().is_terminal();
        if terminal && format.is_binary() {
            return Err(CommandError::Usage("this format is no text; --output names a file for it".to_owned()));
        }
        let width = if terminal { comfy_table::Table::new().width() } else { None };
        let output = Output { format, width, colours: terminal && colours_wanted() };
        return Ok(output.write(answer, &mut BufWriter::new(io::stdout()))?);
    };
    let fail = |source| ConsoleError::Io { what: format!("--output: {}", path.display()), source };
    let mut file = BufWriter::new(File::create(path).map_err(fail)?);
    let written = Output { format, width: None, colours: false }.write(answer, &mut file);
    if written.is_err() {
        // What is broken must not pass for an answer. That it stays where it cannot be removed is no second error.
        drop(file);
        let _ = std::fs::remove_file(path);
    }
    Ok(written?)
}

fn from_stdin() -> Result<String, CommandError> {
    let mut text = String::new();
    let read = io::stdin().lock().read_to_string(&mut text);
    read.map_err(|source| CommandError::Io { what: "cannot read from stdin", source })?;
    Ok(text)
}
