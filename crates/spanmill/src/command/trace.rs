//! `spanmill trace`: the waterfall of a trace.

use std::io::{self, IsTerminal};

use spanmill_store::TraceOptions;
use spanmill_traces::{Style, Waterfall};

use super::stores::{block_on, to_read, whole_id, wrong};
use super::write_out;
use crate::arguments::{Trace, TraceFormat};
use crate::error::{CommandError, colours_wanted};

/// Where stdout is no terminal, and says nothing of its width.
const DEFAULT_WIDTH: usize = 120;

pub(super) fn run(options: &Trace) -> Result<(), CommandError> {
    let waterfall = block_on(read(options))?;
    let text = match options.format {
        TraceFormat::Text => waterfall.draw(style(options.width)),
        TraceFormat::Json => {
            let json = serde_json::to_string_pretty(&waterfall);
            json.map_err(|error| CommandError::Usage(error.to_string()))? + "\n"
        }
    };
    write_out(text.as_bytes())
}

async fn read(options: &Trace) -> Result<Waterfall, CommandError> {
    let store = to_read(&options.store).await?;
    let id = whole_id(&store, &options.id).await?;
    let found = store.traces(&[id], &TraceOptions::default()).await;
    let traces = found.map_err(|error| wrong(&options.store.store, &error))?;
    let spans: Vec<_> = traces.into_iter().flat_map(|trace| trace.resource_spans).collect();
    Ok(Waterfall::new(&spans))
}

fn style(wanted: Option<usize>) -> Style {
    let terminal = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    Style {
        width: wanted.or(terminal).unwrap_or(DEFAULT_WIDTH),
        colours: io::stdout().is_terminal() && colours_wanted(),
    }
}
