//! `spanmill trace`: the waterfall of a trace.

use std::io::{self, IsTerminal};
use std::time::Duration;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use spanmill_console::{Answer, Asked, Source, What};
use spanmill_store::{SpanTables, resource_spans};
use spanmill_traces::{Style, Waterfall};

use super::stores::{options_to_read, the_one};
use super::{warn, write_out};
use crate::arguments::{Place, Trace, TraceFormat};
use crate::error::{CommandError, colours_wanted};

/// Where stdout is no terminal, and says nothing of its width.
const DEFAULT_WIDTH: u16 = 120;

/// Spans of a trace. A server gives fewer.
const MOST: usize = 1_000_000;

const TIMEOUT: Duration = Duration::from_secs(60);

pub(super) fn run(options: &Trace) -> Result<(), CommandError> {
    let waterfall = read(options)?;
    let text = match options.format {
        TraceFormat::Text => waterfall.draw(style(options.width)),
        TraceFormat::Json => {
            let json = serde_json::to_string_pretty(&waterfall);
            json.map_err(|error| CommandError::Usage(error.to_string()))? + "\n"
        }
    };
    write_out(text.as_bytes())
}

fn read(options: &Trace) -> Result<Waterfall, CommandError> {
    let (source, place) = match options.source.place().map_err(CommandError::Usage)? {
        Place::Server(url) => (Source::server(&url)?, url),
        Place::Store(address) => {
            let place = format!("{}; what a server has only in memory is not there, --url asks it", address.store);
            (Source::store(options_to_read(&address)?, None)?, place)
        }
    };
    let id = the_one(&options.id, &ids(&source, &options.id)?, &place)?;
    let spans = ask(&source, format!("SELECT * FROM spans WHERE trace_id = '{id}' ORDER BY start_unix_nano"))?;
    if spans.truncated {
        warn("the server gives no more spans at a time: the others of the trace are missing");
    }
    let tables = SpanTables { spans: &spans.batches, ..SpanTables::default() };
    let spans = resource_spans(tables).map_err(|error| CommandError::Usage(error.to_string()))?;
    Ok(Waterfall::new(&spans))
}

/// The ids of traces that begin so, ten at most.
fn ids(source: &Source, beginning: &str) -> Result<Vec<String>, CommandError> {
    let first = beginning.trim().to_ascii_lowercase();
    if first.is_empty() || !first.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(CommandError::Usage(format!("{beginning:?} is no id: ids are in hex")));
    }
    // `g` is after all digits.
    let sql = format!(
        "SELECT DISTINCT trace_id FROM spans WHERE trace_id >= '{first}' AND trace_id < '{first}g' ORDER BY trace_id LIMIT 10"
    );
    let mut found = Vec::new();
    for ids in ask(source, sql)?.batches.iter().filter_map(|batch| batch.columns().first()) {
        let ids = cast(ids, &DataType::Utf8View).map_err(|error| CommandError::Usage(error.to_string()))?;
        found.extend(ids.as_string_view_opt().into_iter().flatten().flatten().map(str::to_owned));
    }
    Ok(found)
}

fn ask(source: &Source, sql: String) -> Result<Answer, CommandError> {
    Ok(source.ask(&Asked { what: What::Sql(sql), parameters: Vec::new(), limit: MOST, timeout: TIMEOUT })?)
}

fn style(wanted: Option<u16>) -> Style {
    let terminal = terminal_size::terminal_size().map(|(width, _)| width.0);
    Style {
        width: wanted.or(terminal).unwrap_or(DEFAULT_WIDTH).into(),
        colours: io::stdout().is_terminal() && colours_wanted(),
    }
}
