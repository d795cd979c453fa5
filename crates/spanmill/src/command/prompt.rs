//! The prompt of `spanmill query`: statements over several lines, history, completion.

use std::io::{self, Write};
use std::path::PathBuf;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};
use spanmill_console::{Answer, Catalogue, Source, What, list_of_questions};

use super::query::{asked, write};
use super::typed::Typed;
use super::write_out;
use crate::arguments::Query;
use crate::error::{CommandError, show};

/// What the line editor asks about a line.
struct Lines {
    catalogue: Catalogue,
}

const HELP: &str = "\
A question's name answers it, with options such as --since 1h; SQL ends with a semicolon. Tab completes, Ctrl-R searches what was asked before.
  \\q   end        \\l   questions with names        \\h   this
";

pub(super) fn run(options: &Query, source: &Source) -> Result<(), CommandError> {
    // Whether anybody answers is better known before a statement is typed.
    let catalogue = source.catalogue(&asked(options, What::Sql(String::new()), None))?;
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .history_ignore_space(true)
        .auto_add_history(true)
        .build();
    let mut editor: Editor<Lines, FileHistory> = Editor::with_config(config).map_err(|error| failed(&error))?;
    editor.set_helper(Some(Lines { catalogue }));
    let history = history();
    if let Some(history) = &history {
        // The first time there is none.
        let _ = editor.load_history(history);
    }
    write_out(HELP.as_bytes())?;
    loop {
        match editor.readline("spanmill> ") {
            Ok(line) => match line.trim() {
                "" => continue,
                "\\q" | "exit" | "quit" => break,
                "\\h" | "help" => write_out(HELP.as_bytes())?,
                "\\l" => write_out(list_of_questions().as_bytes())?,
                line => {
                    let answer = ask(options, source, line);
                    if let Err(error) = answer.and_then(|answer| write(options, &answer)) {
                        show(&error);
                    }
                }
            },
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(failed(&error)),
        }
    }
    if let Some(history) = &history {
        let saved = history.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(ReadlineError::from);
        if let Err(error) = saved.and_then(|()| editor.save_history(history)) {
            let _ = writeln!(io::stderr(), "the history is not kept: {error}");
        }
    }
    Ok(())
}

/// Answers a line; what it says itself goes before the options of the command.
fn ask(options: &Query, source: &Source, line: &str) -> Result<Answer, CommandError> {
    let Typed { what, parameters, limit } = Typed::read(line).map_err(CommandError::Usage)?;
    let mut asked = asked(options, what, limit);
    asked.parameters.retain(|(name, _)| parameters.iter().all(|(own, _)| own != name));
    asked.parameters.extend(parameters);
    Ok(source.ask(&asked)?)
}

/// Where what was asked is kept, by the convention of XDG.
fn history() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").filter(|state| !state.is_empty()).map(PathBuf::from);
    let state = state.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state")))?;
    Some(state.join("spanmill/history"))
}

fn failed(error: &ReadlineError) -> CommandError {
    CommandError::Usage(format!("the terminal cannot be read: {error}"))
}

// === impl Lines ===

impl Completer for Lines {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _context: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.catalogue.complete(line, at))
    }
}

impl Validator for Lines {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let is_whole = Typed::is_whole(context.input());
        Ok(if is_whole { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Hinter for Lines {
    type Hint = String;
}

impl Highlighter for Lines {}

impl Helper for Lines {}
