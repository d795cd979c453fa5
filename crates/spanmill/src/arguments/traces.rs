//! Options of the commands about traces in a store.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::SourceAddress;

/// Options of `trace`.
#[derive(Debug, Args)]
pub(crate) struct Trace {
    /// The trace's id in hex, or the beginning of it
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) source: SourceAddress,
    /// text or json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: TraceFormat,
    /// Columns to draw in, 40 at least; by default those of the terminal, or 120
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(40..))]
    pub(crate) width: Option<u16>,
}

/// How a trace is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TraceFormat {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// Options of `import`.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Files of OTLP requests: JSON, lines of JSON, protobuf, what the file exporter writes, any of them in gzip or zstd; - is
    /// standard input
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<String>,
    #[command(flatten)]
    pub(crate) store: StoreAddress,
    /// Normalise the spans first, as the `genai` processor with default options does: only then they have roles and costs
    #[arg(long)]
    pub(crate) genai: bool,
}

/// Options of `export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) store: StoreAddress,
    /// Only spans that start no earlier: 15m, 2h or 7d ago, 2026-11-26, or 2026-11-26T10:00:00Z (UTC without a zone)
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only spans that start before
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Only this trace: its id in hex, or the beginning of it
    #[arg(long, value_name = "ID")]
    pub(crate) trace: Option<String>,
    /// json: a line a trace; proto: four bytes of length and protobuf; both as the file exporter writes them
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    pub(crate) format: ExportFormat,
    /// Where to write; standard output by default
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// How spans are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// OTLP/JSON.
    Json,
    /// OTLP/protobuf.
    Proto,
}

/// Where a store is.
#[derive(Debug, PartialEq, Eq, Args)]
pub(crate) struct StoreAddress {
    /// The store: a folder, or a bucket such as s3://bucket/folder
    #[arg(long, value_name = "PATH|URL", env = "SPANMILL_STORE")]
    pub(crate) store: String,
    /// An option of the bucket, such as aws_endpoint=http://localhost:9000; may be repeated
    #[arg(long = "store-option", value_name = "KEY=VALUE")]
    pub(crate) options: Vec<String>,
}

pub(super) const TRACE_EXAMPLES: &str = "\
Examples:
  spanmill trace 4bf92f35
  spanmill trace 4bf92f35 --store ./spans
  spanmill trace 4bf92f3577b34da6a3ce929d0e0e4736 --store s3://bucket/spans --format json | jq '.spans[].name'";

pub(super) const IMPORT_EXAMPLES: &str = "\
Examples:
  spanmill import traces.jsonl traces-*.json.zst --store ./spans
  zcat old.jsonl.gz | spanmill import - --store ./spans
  spanmill import --genai collector.jsonl --store ./spans   spans that passed no genai processor

What is imported twice is stored twice, until the server of the store compacts it.";

pub(super) const EXPORT_EXAMPLES: &str = "\
Examples:
  spanmill export --store ./spans --since 1h --output last-hour.jsonl
  spanmill export --store ./spans --trace 4bf92f35 | jq '.resourceSpans[].scopeSpans[].spans[].name'
  spanmill export --store ./spans --format proto --output all.binpb";
