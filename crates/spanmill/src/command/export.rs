//! `spanmill export`: a store into a file of OTLP requests.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use spanmill_query::Moment;
use spanmill_traces::{Counts, Format, TransferError, Wanted, Writer, export};

use super::stores::{block_on, to_read, whole_id, wrong};
use crate::arguments::{Export, ExportFormat};
use crate::error::CommandError;

pub(super) fn run(options: &Export) -> Result<(), CommandError> {
    let (since_us, until_us) = period(options, Timestamp::now())?;
    block_on(async {
        let store = to_read(&options.store).await?;
        let trace = match &options.trace {
            Some(beginning) => Some(whole_id(&store, beginning).await?),
            None => None,
        };
        let wanted = Wanted { trace, since_us, until_us };
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

/// The period, with the checks of questions: begin and end in microseconds.
fn period(options: &Export, now: Timestamp) -> Result<(Option<i64>, Option<i64>), CommandError> {
    let read = |flag: &str, text: &Option<String>| {
        let moment = text.as_deref().map(str::parse::<Moment>).transpose().map_err(|error| wrong(flag, &error))?;
        Ok::<_, CommandError>(moment.map(|moment| moment.at(now)))
    };
    let (since, until) = (read("--since", &options.since)?, read("--until", &options.until)?);
    let end = until.unwrap_or(now);
    match since {
        Some(since) if since >= end => {
            Err(wrong("--since", &format!("{since} is not before {end}, where the period ends")))
        }
        _ => Ok((since.map(Timestamp::as_microsecond), until.map(Timestamp::as_microsecond))),
    }
}
