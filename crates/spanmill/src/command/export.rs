//! `spanmill export`: a store into a file of OTLP requests.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use indicatif::{ProgressBar, ProgressStyle};
use jiff::{Span, Timestamp};
use spanmill_traces::{Counts, Format, TransferError, Wanted, Writer, export};

use super::stores::{block_on, to_read, whole_id, wrong};
use crate::arguments::{Export, ExportFormat};
use crate::error::CommandError;

pub(super) fn run(options: &Export) -> Result<(), CommandError> {
    block_on(async {
        let store = to_read(&options.store).await?;
        let trace = match &options.trace {
            Some(beginning) => Some(whole_id(&store, beginning).await?),
            None => None,
        };
        let now = Timestamp::now();
        let wanted = Wanted {
            trace,
            since_us: options.since.as_deref().map(|time| micros(time, now)).transpose()?,
            until_us: options.until.as_deref().map(|time| micros(time, now)).transpose()?,
        };
        let format = match options.format {
            ExportFormat::Json => Format::Json,
            ExportFormat::Proto => Format::Proto,
        };
        let mut writer = Writer::new(output(options)?, format);
        let bar = bar();
        let exported = export(&store, &wanted, &mut writer, |counts, all| {
            bar.set_length(u64::try_from(all).unwrap_or(u64::MAX));
            bar.set_position(counts.requests);
        });
        let exported = exported.await;
        bar.finish_and_clear();
        let written = exported.and_then(|counts| writer.finish().map(|_| counts).map_err(TransferError::Write));
        match written {
            Ok(Counts { requests, spans }) => {
                // Where stderr is closed, nobody misses the line.
                let _ = writeln!(io::stderr(), "{spans} spans of {requests} traces");
                Ok(())
            }
            // The reader has seen enough, as `head` does.
            Err(TransferError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(CommandError::Usage(error.to_string())),
        }
    })
}

fn output(options: &Export) -> Result<Box<dyn Write>, CommandError> {
    Ok(match &options.output {
        Some(path) => {
            let file = File::create(path).map_err(|error| wrong(&path.display().to_string(), &error))?;
            Box::new(BufWriter::new(file))
        }
        None => Box::new(BufWriter::new(io::stdout())),
    })
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("exporting {bar:30} {pos}/{len} traces {eta}");
    let bar = ProgressBar::new(0);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
    bar
}

/// A time, or how long ago.
fn micros(text: &str, now: Timestamp) -> Result<i64, CommandError> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.as_microsecond());
    }
    let ago = || {
        let span: Span = text.parse().ok()?;
        // Days are of 24 hours, whatever clocks do.
        let length = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
        now.checked_sub(length).ok()
    };
    let time = ago().ok_or_else(|| {
        CommandError::Usage(format!(
            "{text:?} is neither a time such as 2026-11-05T12:00:00Z nor a duration such as 1h"
        ))
    })?;
    Ok(time.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: times, durations, and something else.
    /// Guarantees: durations count from now, what is neither is an error that says what would be.
    #[test]
    fn times_are_read() {
        let now: Timestamp = "2026-11-05T12:00:00Z".parse().unwrap();
        let at = |text: &str| micros(text, now).map(|micros| Timestamp::from_microsecond(micros).unwrap().to_string());
        assert_eq!(at("2026-11-05T10:00:00Z").unwrap(), "2026-11-05T10:00:00Z");
        assert_eq!(at("1h").unwrap(), "2026-11-05T11:00:00Z");
        assert_eq!(at("7d").unwrap(), "2026-10-29T12:00:00Z");
        assert!(at("yesterday").unwrap_err().to_string().contains("neither a time"));
    }
}
