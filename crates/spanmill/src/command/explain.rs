//! `spanmill explain`: what the `genai` processor makes of recorded spans, and why.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, IsTerminal, Read};

use serde_json::Value as Json;
use spanmill_components::processors::genai;
use spanmill_genai::{AttributeExplanation, Engine, Options, SpanExplanation};
use spanmill_otlp::Traces;
use spanmill_traces::{FileError, OtlpFile};

use super::configuration::Sources;
use super::{warn, write_out};
use crate::arguments::{Explain, ExplainFormat};
use crate::error::{CommandError, colours_wanted};

/// Longer values are cut where they are shown to people.
const WIDEST: usize = 60;

/// Colours, on terminals only.
struct Style {
    bold: &'static str,
    dim: &'static str,
    end: &'static str,
}

pub(super) fn run(options: &Explain) -> Result<(), CommandError> {
    let engine = Engine::new(&engine_options(options)?).map_err(|error| CommandError::Usage(error.to_string()))?;
    let mut shown = 0;
    for file in &options.files {
        for request in requests(file)? {
            let mut traces = request?;
            let mut text = String::new();
            for span in engine.explain(&mut traces).iter().filter(|span| wanted(span, options)) {
                shown += 1;
                match options.format {
                    ExplainFormat::Text => show(span, &Style::of_stdout(), &mut text),
                    ExplainFormat::Json => {
                        let line =
                            serde_json::to_string(span).map_err(|error| CommandError::Usage(error.to_string()))?;
                        text.push_str(&line);
                        text.push('\n');
                    }
                }
            }
            write_out(text.as_bytes())?;
        }
    }
    if shown == 0 {
        return Err(CommandError::Usage(
            "no GenAI span was found, or all have passed genai already; --all shows the others as well".to_owned(),
        ));
    }
    Ok(())
}

fn engine_options(options: &Explain) -> Result<Options, CommandError> {
    if options.configuration.config.is_empty() && options.configuration.set.is_empty() {
        return Ok(Options::default());
    }
    let document = Sources::read(&options.configuration)?.document(&mut warn)?;
    let wanted = |id: &spanmill_config::ComponentId| id.to_string() == options.processor;
    let section = document.processors.iter().find(|(id, _)| wanted(id)).map(|(_, section)| section);
    let section = section.ok_or_else(|| {
        CommandError::Usage(format!(
            "the configuration has no processor {:?}; --processor names another",
            options.processor
        ))
    })?;
    Ok(genai::options(section)?)
}

fn wanted(span: &SpanExplanation, options: &Explain) -> bool {
    let begins = |id: &str, wanted: &Option<String>| {
        wanted.as_ref().is_none_or(|wanted| id.starts_with(&wanted.to_ascii_lowercase()))
    };
    (options.all || span.source.is_some())
        && begins(&span.trace_id, &options.trace)
        && begins(&span.span_id, &options.span)
}

/// The requests of a file; `-` stands for stdin.
fn requests(file: &str) -> Result<impl Iterator<Item = Result<Traces, CommandError>>, CommandError> {
    let failed = move |error: FileError| CommandError::Usage(format!("{file}: {error}"));
    let reader: Box<dyn Read> = match file {
        "-" => Box::new(io::stdin()),
        file => Box::new(File::open(file).map_err(|error| failed(error.into()))?),
    };
    Ok(OtlpFile::new(reader).map_err(failed)?.map(move |request| request.map_err(failed)))
}

fn show(span: &SpanExplanation, style: &Style, out: &mut String) {
    let Style { bold, dim, end } = style;
    let _ = writeln!(out, "{bold}{}{end}  span {} of trace {}", span.name, span.span_id, span.trace_id);
    let source = span.source.as_deref().unwrap_or("none");
    let _ = writeln!(out, "  source  {bold}{source}{end}: {}", span.recognised_by);
    if let (Some(role), Some(reason)) = (&span.role, &span.role_reason) {
        let owner = span.owner.as_ref().map_or_else(String::new, |owner| format!(" ({owner})"));
        let _ = writeln!(out, "  usage   {bold}{role}{end}: {reason}{owner}");
    }
    for line in &span.accounting {
        let _ = writeln!(out, "          {line}");
    }
    if let Some(price) = &span.price {
        let _ = writeln!(out, "  price   {}", price.summary);
        for line in &price.lines {
            let _ = writeln!(out, "          {line}");
        }
    }
    let width = span.attributes.iter().map(|attribute| attribute.key.len()).max().unwrap_or(0);
    for AttributeExplanation { key, value, before, from } in &span.attributes {
        let before = before.as_ref().map_or_else(String::new, |before| format!(", was {}", brief(before)));
        let _ = writeln!(out, "  {key:width$}  {}  {dim}{from}{before}{end}", brief(value));
    }
    for key in &span.removed {
        let _ = writeln!(out, "  {dim}{key:width$}  removed{end}");
    }
    out.push('\n');
}

fn brief(value: &Json) -> String {
    let text = value.to_string();
    match text.char_indices().nth(WIDEST) {
        Some((at, _)) => format!("{}... ({} bytes)", text.get(..at).unwrap_or(""), text.len()),
        None => text,
    }
}

// === impl Style ===

impl Style {
    fn of_stdout() -> Self {
        if io::stdout().is_terminal() && colours_wanted() {
            Self { bold: "\x1b[1m", dim: "\x1b[2m", end: "\x1b[0m" }
        } else {
            Self { bold: "", dim: "", end: "" }
        }
    }
}
