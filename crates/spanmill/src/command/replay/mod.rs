//! `spanmill replay`: requests that a backend refused for good are sent to it again.

mod alone;
mod letter;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use spanmill_config::{ComponentId, Document};

use super::configuration::Sources;
use super::stores::block_on;
use crate::arguments::Replay;
use crate::error::CommandError;
use alone::{Alone, Unsent};
use letter::{Letter, Reason};

/// How often it is said how far all is.
const EVERY: Duration = Duration::from_secs(2);

pub(super) fn run(options: &Replay) -> Result<(), CommandError> {
    let mut letters = Vec::new();
    for folder in &options.folders {
        letters.extend(Letter::all_in(folder)?);
    }
    if options.list {
        return list(&letters);
    }
    let mut by_exporter: BTreeMap<ComponentId, Vec<Letter>> = BTreeMap::new();
    for letter in letters {
        let id = options.exporter.as_deref().unwrap_or(&letter.reason.exporter);
        if id.is_empty() {
            let request = letter.request.display();
            return Err(CommandError::Usage(format!(
                "{request}: nothing says who was to send it: name one by --exporter"
            )));
        }
        let id = id.parse().map_err(|error| CommandError::Usage(format!("{id:?} is no exporter: {error}")))?;
        by_exporter.entry(id).or_default().push(letter);
    }
    let document = Sources::read(&options.configuration)?.document(&mut super::warn)?;
    block_on(async {
        let mut left = 0;
        for (id, letters) in by_exporter {
            left += replay(&document, &id, &letters).await?;
        }
        match left {
            0 => Ok(()),
            _ => Err(CommandError::Usage(format!("{left} requests were not taken; they are where they were"))),
        }
    })
}

fn list(letters: &[Letter]) -> Result<(), CommandError> {
    let mut text = String::new();
    for Letter { request, signal, reason } in letters {
        let Reason { exporter, items, code, message } = reason;
        let signal = signal.as_str();
        text.push_str(&format!("{}\t{exporter}\t{signal}\t{items}\t{code}\t{message}\n", request.display()));
    }
    super::write_out(text.as_bytes())
}

/// Sends what was meant for an exporter; returns how many requests it did not take.
async fn replay(document: &Document, id: &ComponentId, letters: &[Letter]) -> Result<usize, CommandError> {
    let alone = Alone::start(document, id).await?;
    let all = letters.len();
    say(format_args!("{id}: {all} requests are sent"));
    let (mut sent, mut items, mut told) = (0, 0, Instant::now());
    for (at, letter) in letters.iter().enumerate() {
        match alone.send(letter).await {
            Ok(count) => {
                sent += 1;
                items += count;
            }
            Err(Unsent { message, later }) => {
                say(format_args!("{}: {message}", letter.request.display()));
                if later {
                    // The next ones would wait as long, for the same answer.
                    say(format_args!("{id}: the backend takes nothing now: the other {} wait", all - at - 1));
                    break;
                }
            }
        }
        if told.elapsed() >= EVERY {
            told = Instant::now();
            say(format_args!("{id}: {} of {all}", at + 1));
        }
    }
    alone.stop().await;
    let left = all - sent;
    say(format_args!("{id}: {items} items in {sent} requests were sent, {left} requests were not"));
    Ok(left)
}

/// Where stderr is closed, the exit code has to say it.
fn say(what: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{what}");
}
