//! The result, for people and for programs.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table, presets};
use serde_json::json;
use spanmill_console::{Answer, OutputFormat};

use super::error::DemoError;
use super::findings::{Findings, SlowSmall};
use super::question;

/// Everything that is shown.
pub(super) struct Report<'a> {
    /// Calls that were played.
    pub(super) calls: usize,
    /// Services that made them.
    pub(super) services: usize,
    /// What came out of the pipeline.
    pub(super) findings: &'a Findings,
    /// What the store answers at the end.
    pub(super) answer: Answer,
    /// The port they went through.
    pub(super) port: u16,
    /// How long playing them took.
    pub(super) took: Duration,
    /// The backend that got the spans as well.
    pub(super) to: Option<&'a str>,
    /// The folder of the store, where it is kept.
    pub(super) store: Option<&'a Path>,
    /// The port that goes on answering SQL.
    pub(super) sql: Option<u16>,
}

const MEANING: &str = "\
slow_start: the first token took most of the time; slow_finish: the rest did; tool_loop: after the same tool call over and over;
unknown: not streamed, so nothing tells.
";

const COLUMNS: [(&str, CellAlignment); 8] = [
    ("service", CellAlignment::Left),
    ("model", CellAlignment::Left),
    ("duration", CellAlignment::Right),
    ("first token", CellAlignment::Right),
    ("tokens in", CellAlignment::Right),
    ("out", CellAlignment::Right),
    ("cause", CellAlignment::Left),
    ("trace", CellAlignment::Left),
];

// === impl Report ===

impl Report<'_> {
    /// A summary, the table of slow small calls, the question in SQL with its answer, and where to look next.
    pub(super) fn table(&self, colours: bool) -> Result<String, DemoError> {
        let mut text = self.summary();
        text.push('\n');
        let _ = writeln!(text, "{}", self.slow_small_table(colours));
        text.push_str(MEANING);
        let _ = writeln!(text, "\nAll of it is in a store that answers SQL:\n");
        for line in question::SQL.lines() {
            let _ = writeln!(text, "    {line}");
        }
        let _ = write!(text, "\n{}", question::written(&self.answer, OutputFormat::Table, colours)?);
        text.push_str(&self.hint());
        Ok(text)
    }

    fn summary(&self) -> String {
        let found = self.findings;
        let failed: Vec<String> =
            found.errors.iter().map(|(class, traces)| format!("{} {class}", traces.len())).collect();
        let causes: Vec<String> = found.causes().into_iter().map(|(cause, count)| format!("{count} {cause}")).collect();
        let seconds = self.took.as_secs_f64();
        let rate = f64::from(u32::try_from(self.calls).unwrap_or(u32::MAX)) / seconds.max(0.001);
        let mut text = format!(
            "{} calls of {} services went through 127.0.0.1:{} in {seconds:.1} s, {rate:.0} calls a second.\n\n",
            self.calls, self.services, self.port
        );
        let mut line = |what: &str, count: usize, remark: String| {
            let _ = writeln!(text, "  {what:<16}{count:>7}   {remark}");
        };
        line("spans", found.spans, "in and out again".to_owned());
        line(
            "answered calls",
            found.owners,
            format!(
                "{} tokens in, {} out, each counted once",
                thousands(found.input_tokens),
                thousands(found.output_tokens)
            ),
        );
        line(
            "priced",
            found.priced,
            format!("{:.2} US dollars by list prices, {} without a price", found.cost, found.owners - found.priced),
        );
        line(
            "told twice",
            found.duplicates + found.rollups,
            format!(
                "{} duplicates, {} roll-ups, with tokens that are not counted again",
                found.duplicates, found.rollups
            ),
        );
        line("failed calls", found.errors.values().map(|traces| traces.len()).sum(), failed.join(", "));
        line("slow", found.slow, "over 5 s".to_owned());
        line("slow and small", found.slow_small.len(), causes.join(", "));
        text
    }

    fn slow_small_table(&self, colours: bool) -> Table {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
        if colours {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table.set_header(
            COLUMNS.map(|(title, alignment)| Cell::new(title).set_alignment(alignment).add_attribute(Attribute::Bold)),
        );
        for call in self.slowest_first() {
            table.add_row(row(call));
        }
        table
    }

    fn slowest_first(&self) -> Vec<&SlowSmall> {
        let mut calls: Vec<&SlowSmall> = self.findings.slow_small.iter().collect();
        calls.sort_by_key(|call| (std::cmp::Reverse(call.duration), &call.trace_id));
        calls
    }

    fn hint(&self) -> String {
        let asking = match (self.sql, self.store) {
            (Some(port), _) => format!(
                "\nSpans are received at localhost:{}, and questions answered until Ctrl-C:\n\
                 spanmill query slow-small --since 1h{}\n",
                self.port,
                if port == 4320 { String::new() } else { format!(" --url http://localhost:{port}") },
            ),
            (None, Some(store)) => {
                format!("\nTo ask on: spanmill query slow-small --since 1h --store {}\n", store.display())
            }
            (None, None) => "\nTo ask on: spanmill demo --serve\n".to_owned(),
        };
        let backend = match self.to {
            Some(to) => format!(
                "The spans are at {to} as well. In Jaeger, search a service by the tag spanmill.slow_small=true;\n\
                 in Tempo, ask {{ span.spanmill.slow_small = true }}.\n"
            ),
            None => "To look at them in Jaeger (tag spanmill.slow_small=true) or Tempo ({ span.spanmill.slow_small = true }):\n\
                     spanmill demo --to localhost:4317\n"
                .to_owned(),
        };
        format!("{asking}{backend}")
    }

    /// One object: the summary, and the slow small calls.
    pub(super) fn json(&self) -> Result<String, DemoError> {
        let found = self.findings;
        let causes: serde_json::Map<_, _> =
            found.causes().into_iter().map(|(cause, count)| (cause.to_owned(), json!(count))).collect();
        let errors: serde_json::Map<_, _> =
            found.errors.iter().map(|(class, traces)| (class.clone(), json!(traces.len()))).collect();
        let calls = self.slowest_first().into_iter().map(|call| {
            json!({
                "service": call.service,
                "model": call.model,
                "start_unix_nano": call.start_unix_nano,
                "duration_seconds": call.duration.as_secs_f64(),
                "time_to_first_token_seconds": call.first_token.map(|first| first.as_secs_f64()),
                "input_tokens": call.input_tokens,
                "output_tokens": call.output_tokens,
                "cause": call.cause,
                "trace_id": call.trace_id,
            })
        });
        let object = json!({
            "calls": self.calls,
            "services": self.services,
            "seconds": self.took.as_secs_f64(),
            "spans": found.spans,
            "owners": found.owners,
            "duplicates": found.duplicates,
            "rollups": found.rollups,
            "input_tokens": found.input_tokens,
            "output_tokens": found.output_tokens,
            "priced": found.priced,
            "cost_usd": found.cost,
            "errors": errors,
            "slow": found.slow,
            "slow_small_causes": causes,
            "slow_small": calls.collect::<Vec<_>>(),
            "sql": question::SQL,
            "answer": serde_json::from_str::<serde_json::Value>(&question::written(&self.answer, OutputFormat::Json, false)?)?,
        });
        Ok(serde_json::to_string_pretty(&object)? + "\n")
    }
}

fn row(call: &SlowSmall) -> Vec<Cell> {
    let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
    let count = |tokens: Option<i64>| tokens.map_or_else(|| "-".to_owned(), |tokens| tokens.to_string());
    let texts = [
        call.service.clone(),
        call.model.clone(),
        seconds(call.duration),
        call.first_token.map_or_else(|| "-".to_owned(), seconds),
        count(call.input_tokens),
        count(call.output_tokens),
        call.cause.clone(),
        call.trace_id.clone(),
    ];
    let cells = texts.into_iter().zip(COLUMNS).map(|(text, (title, alignment))| {
        let cell = Cell::new(text).set_alignment(alignment);
        match title {
            "duration" => cell.add_attribute(Attribute::Bold),
            "cause" => cell.fg(colour(&call.cause)),
            "trace" => cell.fg(Color::DarkGrey),
            _ => cell,
        }
    });
    cells.collect()
}

fn colour(cause: &str) -> Color {
    match cause {
        "slow_start" => Color::Yellow,
        "slow_finish" => Color::Cyan,
        "tool_loop" => Color::Magenta,
        _ => Color::Reset,
    }
}

/// Digits in groups of three.
fn thousands(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
