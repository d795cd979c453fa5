#[cfg(feature = "workers")]
mod helpers;
mod source;
mod traces;
#[cfg(feature = "workers")]
mod worker;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use spanmill_config::Duration as GoDuration;
use spanmill_console::OutputFormat;

use crate::demo::Demo;

#[cfg(feature = "workers")]
pub(crate) use self::helpers::Helpers;
pub(crate) use self::source::{Place, SourceAddress};
use self::traces::{EXPORT_EXAMPLES, IMPORT_EXAMPLES, TRACE_EXAMPLES};
pub(crate) use self::traces::{Export, ExportFormat, Import, StoreAddress, Trace, TraceFormat};
#[cfg(feature = "workers")]
pub(crate) use self::worker::QueryWorker;

/// An OpenTelemetry Collector for GenAI spans: OTLP in, GenAI-aware processing, OTLP out
#[derive(Debug, Parser)]
#[command(
    name = "spanmill",
    version,
    disable_help_subcommand = true,
    args_conflicts_with_subcommands = true,
    after_help = ROOT_EXAMPLES
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) run: Run,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What can be done beside running.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Play simulated GenAI traffic through a pipeline, and show the slow small calls
    #[command(after_help = DEMO_EXAMPLES)]
    Demo(Demo),
    /// Tell what `genai` makes of recorded spans, attribute by attribute, and why
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(Explain),
    /// Ask about stored spans: SQL, or a question with a name, of a running server or of a store itself
    #[command(after_help = QUERY_EXAMPLES)]
    Query(Query),
    /// Help others to answer: read files of a store for a spanmill that plans queries
    #[cfg(feature = "workers")]
    #[command(after_help = worker::WORKER_EXAMPLES)]
    QueryWorker(QueryWorker),
    /// Draw a trace of a running server or of a store: its spans as a tree, when each ran, tokens, cost and what is remarkable
    #[command(after_help = TRACE_EXAMPLES)]
    Trace(Trace),
    /// Read files of OTLP requests into a store
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(Import),
    /// Write spans of a store as OTLP requests
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(Export),
    /// Send requests again that a backend refused for good, and that an exporter with a queue on disk has set aside
    #[command(after_help = REPLAY_EXAMPLES)]
    Replay(Replay),
    /// Check the configuration without running it
    #[command(after_help = VALIDATE_EXAMPLES)]
    Validate(Configuration),
    /// Say what of a Collector's configuration runs here, what not, and what is better done natively
    #[command(after_help = MIGRATE_EXAMPLES)]
    Migrate(Migrate),
    /// List the components that a configuration can use, as YAML
    Components,
    /// Show the configuration as it is after merging and expansion
    #[command(alias = "print-initial-config", after_help = PRINT_EXAMPLES)]
    PrintConfig(Print),
    /// List the feature gates
    Featuregate {
        /// Only this one
        id: Option<String>,
    },
    /// Write completions for a shell
    #[command(after_help = COMPLETION_EXAMPLES)]
    Completion {
        /// For which shell
        shell: Shell,
    },
}

/// Where the configuration comes from.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Configuration {
    /// A file, or file:, env:, yaml:, http: or https: and what that reads; may be repeated, later ones win
    #[arg(long = "config", value_name = "URI")]
    pub(crate) config: Vec<String>,
    /// Set one property over all files; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// Feature gates of the Collector, comma-separated, - in front of those to turn off; `featuregate` lists them
    #[arg(long = "feature-gates", value_name = "LIST", allow_hyphen_values = true)]
    pub(crate) feature_gates: Vec<String>,
}

/// Options of the main command.
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) configuration: Configuration,
    /// Read the configuration again when a file of it changes: those of --config, and those that they name as ${file:...}
    #[arg(long)]
    pub(crate) watch: bool,
    /// How long stopping may take; what is not delivered by then is lost
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = duration)]
    pub(crate) shutdown_timeout: Duration,
    /// Threads that work, by default one a processor; fewer take less CPU time a span
    #[arg(long, value_name = "NUMBER", env = "SPANMILL_WORKERS", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) workers: Option<u16>,
}

/// Options of `migrate`.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// The Collector's configuration
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Where the suggested configuration is written, which cannot be FILE itself; comments of the old one are lost
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Fail where anything does not run as it is
    #[arg(long)]
    pub(crate) check: bool,
}

/// Options of `replay`.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// Folders with requests: `dead_letters` beside the queue of an exporter
    #[arg(value_name = "FOLDER", required = true)]
    pub(crate) folders: Vec<PathBuf>,
    /// The configuration whose exporters send them
    #[command(flatten)]
    pub(crate) configuration: Configuration,
    /// Which exporter sends them, where it is not the one that was to do it at first
    #[arg(long, value_name = "ID")]
    pub(crate) exporter: Option<String>,
    /// Only show them: file, exporter, signal, items, status and message
    #[arg(long)]
    pub(crate) list: bool,
}

/// Options of `explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// Files with requests, one after the other: OTLP protobuf, OTLP JSON, or lines of JSON as the file exporter writes
    /// them; - is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) files: Vec<String>,
    /// Only spans of this trace: its id in hex, or the beginning of it
    #[arg(long, value_name = "ID")]
    pub(crate) trace: Option<String>,
    /// Only this span: its id in hex, or the beginning of it
    #[arg(long, value_name = "ID")]
    pub(crate) span: Option<String>,
    /// Also spans that are none of GenAI
    #[arg(long)]
    pub(crate) all: bool,
    /// text or json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: ExplainFormat,
    /// The configuration whose `genai` processor is asked; by default one with default options
    #[command(flatten)]
    pub(crate) configuration: Configuration,
    /// Which of its processors
    #[arg(long, value_name = "ID", default_value = "genai")]
    pub(crate) processor: String,
}

/// How explanations are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExplainFormat {
    /// For people.
    Text,
    /// A line of JSON a span.
    Json,
}

/// Options of `query`.
#[derive(Debug, Args)]
pub(crate) struct Query {
    /// SQL, or the name of a question; - reads SQL from standard input; without it there is a prompt
    #[arg(value_name = "SQL|NAME")]
    pub(crate) question: Option<String>,
    /// Show the questions that have names, and what can be given with them
    #[arg(long)]
    pub(crate) list: bool,
    #[command(flatten)]
    pub(crate) source: SourceAddress,
    #[cfg(feature = "workers")]
    #[command(flatten)]
    pub(crate) helpers: Helpers,
    /// Begin of the period: 15m, 2h or 7d ago, 2026-11-26, or 2026-11-26T10:00:00Z (UTC without a zone); $since in SQL
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// End of the period, by default now; $until in SQL, which must name what is given
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Only spans of this service; $service in SQL
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<String>,
    /// Only rows of this tenant exist
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
    /// Another parameter of the question, or $name in SQL; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) parameters: Vec<(String, String)>,
    /// How the answer is written
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: OutputFormat,
    /// Write the answer to a file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// So many rows at most, by default 1000; where a question has a limit of its own, that as well
    #[arg(long, value_name = "NUMBER")]
    pub(crate) limit: Option<usize>,
    /// So much time at most
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub(crate) timeout: Duration,
}

/// Options of `print-config`.
#[derive(Debug, Args)]
pub(crate) struct Print {
    #[command(flatten)]
    pub(crate) configuration: Configuration,
    /// Whether secrets are shown: redacted or unredacted
    #[arg(long, default_value = "redacted")]
    pub(crate) mode: String,
    /// yaml or json
    #[arg(long, default_value = "yaml")]
    pub(crate) format: String,
    /// Whether the configuration must be valid
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    pub(crate) validate: bool,
}

const ROOT_EXAMPLES: &str = "\
Examples:
  spanmill --config config/jaeger.yaml
  spanmill --config base.yaml --config override.yaml --set processors.batch.timeout=2s
  spanmill --config 'yaml:service::telemetry::logs::level: debug' --config env:SPANMILL_CONFIG

SIGINT and SIGTERM drain and stop, a second one stops at once. SIGHUP reads the configuration again.

Ends with 0 when it was told to stop, and what was accepted is delivered or kept durably. Ends
with 1 when the configuration is wrong, a component does not start or can no longer work,
something was not delivered in time, or it was told twice to stop.";

const DEMO_EXAMPLES: &str = "\
Examples:
  spanmill demo
  spanmill demo --calls 2000 --seed 7 --format json | jq .slow_small_causes
  spanmill demo --to localhost:4317";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  spanmill explain spans.json
  spanmill explain --trace 4bf92f35 --config config/tempo.yaml requests.jsonl
  curl -s localhost:16686/api/v3/traces/$TRACE | jq -c .result | spanmill explain
  spanmill explain --format json request.pb | jq 'select(.role == \"owner\") | .price'

Requests are processed in their order by one engine, as a running spanmill would: a span of a later request may repeat a call of an
earlier one.";

const QUERY_EXAMPLES: &str = "\
Examples:
  spanmill query slow-small --since 1h
  spanmill query \"SELECT model, sum(cost) FROM calls GROUP BY model\" --format csv
  spanmill query cost-by-user --since 7d --service checkout --store s3://spans/prod
  spanmill query percentiles --since 90d --store s3://spans/prod --worker worker-1:4330 --worker worker-2:4330
  spanmill query \"SELECT * FROM spans WHERE start_time >= \\$since\" --since 2h --format parquet -o spans.parquet
  spanmill query --list
  spanmill query

Ends with 1 where the question was wrong, with 2 where nobody answered, with 3 where it took more than it may.";

const MIGRATE_EXAMPLES: &str = "\
Examples:
  spanmill migrate collector.yaml                          what runs, what does not, and what genai does natively
  spanmill migrate collector.yaml --output spanmill.yaml   and write the suggested file
  spanmill migrate collector.yaml --check                  fail where anything does not run as it is

The suggested file never does less without saying so: what is not certain stays. Ends with 1 where it is not valid yet.";

const REPLAY_EXAMPLES: &str = "\
Examples:
  spanmill replay --list /var/lib/spanmill/exporter_otlp_grpc/dead_letters
  spanmill replay --config tempo.yaml /var/lib/spanmill/exporter_otlp_grpc/dead_letters
  spanmill replay --config tempo.yaml --exporter otlp_http /var/lib/spanmill/exporter_otlp_grpc/dead_letters

What is taken is removed; what is not stays, and the command ends with 1.";

const VALIDATE_EXAMPLES: &str = "\
Examples:
  spanmill validate --config config/jaeger.yaml";

const PRINT_EXAMPLES: &str = "\
Examples:
  spanmill print-config --config config/jaeger.yaml
  spanmill print-config --config config/jaeger.yaml --format json --mode unredacted";

const COMPLETION_EXAMPLES: &str = "\
Examples:
  spanmill completion bash > /etc/bash_completion.d/spanmill
  spanmill completion fish > ~/.config/fish/completions/spanmill.fish";

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a name and a value are wanted, as in limit=5".to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration: GoDuration = text.parse().map_err(|error| format!("{error}"))?;
    if duration.is_negative() { Err("must not be negative".to_owned()) } else { Ok(duration.to_std()) }
}
