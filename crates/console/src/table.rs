//! Tables for people.

use std::fmt::Write;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use spanmill_query::Question;

use crate::answer::Answer;
use crate::vertical;

/// Longer texts are cut in tables for people; other forms have them whole.
const WIDEST: usize = 200;

/// A table that fits the width, if there is one; where its columns would be too narrow to be read, a row is below the other.
pub(crate) fn for_people(answer: &Answer, width: Option<u16>, colours: bool) -> Result<String, ArrowError> {
    let (bold, plain) = if colours { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
    let names: Vec<String> = answer.schema.fields().iter().map(|field| shortened(field.name())).collect();
    let mut rows: Vec<Vec<String>> = Vec::with_capacity(answer.rows());
    each_row(answer, |cells| rows.push(cells.into_iter().map(|(text, _)| shortened(&text)).collect()))?;
    let text = match width {
        Some(width) if !rows.is_empty() && !vertical::fits(&widths(&names, &rows), width) => {
            let rows = rows.iter().enumerate();
            rows.map(|(at, values)| vertical::row(at + 1, &names, values, width)).collect()
        }
        width => horizontal(answer, &names, &rows, width),
    };
    let (rows, more) = (answer.rows(), if answer.truncated { ", and there are more (--limit)" } else { "" });
    let count = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
    Ok(format!("{text}{bold}{count}{plain}{more}\n"))
}

fn horizontal(answer: &Answer, names: &[String], rows: &[Vec<String>], width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    let kinds = || answer.schema.fields().iter().map(|field| field.data_type());
    let cells = |texts: &[String]| -> Vec<Cell> {
        texts.iter().zip(kinds()).map(|(text, kind)| Cell::new(text).set_alignment(alignment(kind))).collect()
    };
    table.set_header(cells(names));
    for row in rows {
        table.add_row(cells(row));
    }
    format!("{table}\n")
}

/// How wide the contents of columns are.
fn widths(names: &[String], rows: &[Vec<String>]) -> Vec<usize> {
    let mut widths: Vec<usize> = names.iter().map(|name| name.chars().count()).collect();
    for row in rows {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = (*width).max(text.chars().count());
        }
    }
    widths
}

/// A table in Markdown.
pub(crate) fn markdown(answer: &Answer) -> Result<String, ArrowError> {
    let mut text = String::from("|");
    for field in answer.schema.fields() {
        let _ = write!(text, " {} |", escaped(field.name()));
    }
    text.push_str("\n|");
    for field in answer.schema.fields() {
        text.push_str(if field.data_type().is_numeric() { " ---: |" } else { " --- |" });
    }
    text.push('\n');
    each_row(answer, |cells| {
        text.push('|');
        for (cell, _) in cells {
            let _ = write!(text, " {} |", escaped(&cell));
        }
        text.push('\n');
    })?;
    Ok(text)
}

/// The questions that have names, and what can be given with them.
pub fn list_of_questions() -> String {
    let mut text = String::new();
    for Question { name, title, answers, parameters, since, .. } in Question::all() {
        let _ = writeln!(text, "{name}: {title}");
        for line in answers.lines() {
            let _ = writeln!(text, "    {line}");
        }
        let _ = writeln!(text, "    --since: begin of the period ({since})");
        for parameter in parameters {
            let flag = if parameter.name == "service" {
                "--service".to_owned()
            } else {
                format!("--param {}=", parameter.name)
            };
            let default = parameter.default.map_or_else(String::new, |default| format!(" ({default})"));
            let _ = writeln!(text, "    {flag}: {}{default}", parameter.about);
        }
        text.push('\n');
    }
    text
}

fn each_row(answer: &Answer, mut with: impl FnMut(Vec<(String, DataType)>)) -> Result<(), ArrowError> {
    let options = FormatOptions::default().with_null("");
    for batch in &answer.batches {
        let columns = batch.columns().iter().map(|column| Ok((column, ArrayFormatter::try_new(column, &options)?)));
        let columns = columns.collect::<Result<Vec<_>, ArrowError>>()?;
        for row in 0..batch.num_rows() {
            let cell = |(column, formatter): &(&ArrayRef, ArrayFormatter<'_>)| {
                let text = number(column, row).unwrap_or_else(|| formatter.value(row).to_string());
                (text, column.data_type().clone())
            };
            with(columns.iter().map(cell).collect());
        }
    }
    Ok(())
}

/// Fractions are shown with as many digits as people compare: six that count.
fn number(column: &ArrayRef, row: usize) -> Option<String> {
    let number = column
        .as_primitive_opt::<Float64Type>()?
        .is_valid(row)
        .then(|| column.as_primitive::<Float64Type>().value(row))?;
    let magnitude = number.abs();
    if !number.is_finite() || number == 0.0 || !(1e-9..1e15).contains(&magnitude) {
        return Some(number.to_string());
    }
    let decimals = (5.0 - magnitude.log10().floor()).clamp(0.0, 15.0) as usize;
    let text = format!("{number:.decimals$}");
    Some(if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text })
}

fn alignment(kind: &DataType) -> CellAlignment {
    if kind.is_numeric() { CellAlignment::Right } else { CellAlignment::Left }
}

/// Control characters of a text that came from outside must not reach the terminal.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(WIDEST).map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    if text.chars().nth(WIDEST).is_some() {
        short.push('…');
    }
    short
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('\n', "<br>")
}
