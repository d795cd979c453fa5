use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::subject::Subject;

/// Measures CPU time per span and peak memory of spanmill, a raw byte relay, the Go Collector and rotel on the same traffic.
///
/// Needs a quiet machine with two cores or more. Peers that are not there are skipped, and the report says so.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// How long each measurement lasts, in seconds, after a warm-up of a second.
    #[arg(long, default_value_t = 4)]
    pub(crate) seconds: u64,
    /// How often everything is measured.
    #[arg(long, default_value_t = 5)]
    pub(crate) reps: usize,
    /// How many clients send at a time.
    #[arg(long, default_value_t = spanmill_bench_kit::load::CLIENTS)]
    pub(crate) clients: usize,
    /// Only these subjects, separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<Subject>,
    /// Only the shapes of traffic whose name contains this: small, text, structured.
    #[arg(long)]
    pub(crate) shape: Option<String>,
    /// Only this compression: none, gzip.
    #[arg(long)]
    pub(crate) compression: Option<String>,
    /// One short repetition of small spans without compression, to see that everything works; writes no report.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Lets the subject use all cores, instead of one that it has for itself.
    #[arg(long)]
    pub(crate) no_pin: bool,
    /// Where the report goes [default: docs/benchmarks.md, where everything was measured].
    #[arg(long)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The raw byte relay, as a subject of its own.
    #[command(hide = true)]
    RawRelay(RawRelay),
    /// Spans a second and latency with a queue on disk that is synced before a request is answered, beside the disk's own limit.
    Durable(Durable),
}

/// How the queue on disk is measured.
#[derive(Debug, Args)]
pub(crate) struct Durable {
    /// How long each measurement lasts, in seconds.
    #[arg(long, default_value_t = 5)]
    pub(crate) seconds: u64,
    /// How often everything is measured.
    #[arg(long, default_value_t = 3)]
    pub(crate) reps: usize,
    /// How many clients send at a time.
    #[arg(long, default_value_t = 32)]
    pub(crate) clients: usize,
    /// Spans of a request.
    #[arg(long, default_value_t = 64)]
    pub(crate) spans: usize,
    /// Spans a second that are sent; as many as are taken, where it is not given.
    #[arg(long)]
    pub(crate) rate: Option<u32>,
}

/// Where the raw relay listens and sends to.
#[derive(Debug, Args)]
pub(crate) struct RawRelay {
    pub(crate) listen: u16,
    pub(crate) send_to: u16,
    /// Compresses what it sends.
    #[arg(long)]
    pub(crate) gzip: bool,
}
