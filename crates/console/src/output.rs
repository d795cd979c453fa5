//! Answers for people and for programs.

use std::io::{self, Write};
use std::sync::Arc;

use arrow::error::ArrowError;
use arrow_ipc::writer::StreamWriter;
use arrow_json::WriterBuilder;
use arrow_json::writer::{JsonArray, LineDelimited};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use spanmill_query::{Csv, repeated_name};

use crate::answer::Answer;
use crate::error::ConsoleError;
use crate::table;

/// A form to write an answer in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum OutputFormat {
    /// A table that fits the terminal.
    Table,
    /// A list of objects.
    Json,
    /// An object a line.
    Ndjson,
    /// Comma-separated values with a header.
    Csv,
    /// A table in Markdown.
    Markdown,
    /// Arrow's inter-process stream.
    Arrow,
    /// A Parquet file.
    Parquet,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// The form.
    pub format: OutputFormat,
    /// Tables are no wider than this, if anything.
    pub width: Option<u16>,
    /// Whether titles stand out.
    pub colours: bool,
}

// === impl OutputFormat ===

impl OutputFormat {
    /// Whether it is no text, so that a terminal cannot show it.
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Arrow | Self::Parquet)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Table => "a table",
            Self::Json | Self::Ndjson => "JSON",
            Self::Csv => "CSV",
            Self::Markdown => "Markdown",
            Self::Arrow => "Arrow's stream",
            Self::Parquet => "Parquet",
        }
    }
}

// === impl Output ===

impl Output {
    /// Writes an answer.
    pub fn write(&self, answer: &Answer, out: &mut (dyn Write + Send)) -> Result<(), ConsoleError> {
        let is_json = matches!(self.format, OutputFormat::Json | OutputFormat::Ndjson);
        if let Some(name) = repeated_name(answer.schema.fields()).filter(|_| is_json) {
            let reason = format!("several columns are called {name:?}; give it a name with AS");
            return Err(ConsoleError::Form { form: self.format.name(), reason });
        }
        let written = match self.format {
            OutputFormat::Table => table::for_people(answer, self.width, self.colours).and_then(|text| put(out, &text)),
            OutputFormat::Markdown => table::markdown(answer).and_then(|text| put(out, &text)),
            OutputFormat::Json => json(answer, out),
            OutputFormat::Ndjson => ndjson(answer, out),
            OutputFormat::Csv => csv(answer, out),
            OutputFormat::Arrow => arrow(answer, out),
            OutputFormat::Parquet => parquet(answer, out),
        };
        match written.and_then(|()| out.flush().map_err(ArrowError::from)) {
            Ok(()) => Ok(()),
            // The reader has seen enough, as `head` does.
            Err(ArrowError::IoError(_, source)) if source.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(ArrowError::IoError(_, source)) => {
                Err(ConsoleError::Io { what: "the answer cannot be written".to_owned(), source })
            }
            Err(error) => Err(ConsoleError::Form { form: self.format.name(), reason: error.to_string() }),
        }
    }
}

fn put(out: &mut (dyn Write + Send), text: &str) -> Result<(), ArrowError> {
    Ok(out.write_all(text.as_bytes())?)
}

fn json(answer: &Answer, out: &mut (dyn Write + Send)) -> Result<(), ArrowError> {
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, JsonArray>(&mut *out);
    for batch in &answer.batches {
        writer.write(batch)?;
    }
    writer.finish()?;
    put(out, "\n")
}

fn ndjson(answer: &Answer, out: &mut (dyn Write + Send)) -> Result<(), ArrowError> {
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(out);
    for batch in &answer.batches {
        writer.write(batch)?;
    }
    writer.finish()
}

fn csv(answer: &Answer, out: &mut (dyn Write + Send)) -> Result<(), ArrowError> {
    let csv = Csv::new(&answer.schema);
    out.write_all(&csv.header())?;
    for batch in &answer.batches {
        out.write_all(&csv.rows(batch)?)?;
    }
    Ok(())
}

fn arrow(answer: &Answer, out: &mut (dyn Write + Send)) -> Result<(), ArrowError> {
    let mut writer = StreamWriter::try_new(out, &answer.schema)?;
    for batch in &answer.batches {
        writer.write(batch)?;
    }
    writer.finish()
}

fn parquet(answer: &Answer, out: &mut (dyn Write + Send)) -> Result<(), ArrowError> {
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut writer = ArrowWriter::try_new(out, Arc::clone(&answer.schema), Some(properties))?;
    for batch in &answer.batches {
        writer.write(batch)?;
    }
    writer.close()?;
    Ok(())
}
