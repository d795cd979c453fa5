//! What is measured.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::ValueEnum;
use spanmill_bench_kit::traffic::Compression;
use spanmill_bench_kit::{BenchError, machine};
use xtask::peers::{Found, Peer};
use xtask::{cache, peers, product};

use crate::configuration::{Work, collector};

/// A program, and what it is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Subject {
    /// A relay that passes bytes on.
    Raw,
    /// Spanmill, without processors.
    Spanmill,
    /// Spanmill with `genai`.
    SpanmillGenai,
    /// Spanmill with `filter` and `genai`.
    SpanmillGenaiFilter,
    /// Spanmill with `filter` alone.
    SpanmillFilter,
    /// Spanmill with a filter and five transform statements.
    SpanmillStatements,
    /// Spanmill with a filter and fifty transform statements, of which 45 do not apply.
    SpanmillManyStatements,
    /// Spanmill with the connector `span_metrics`.
    SpanmillSpanMetrics,
    /// Spanmill, its queue in memory.
    SpanmillQueue,
    /// Spanmill, its queue on disk.
    SpanmillDurable,
    /// The Go Collector, without processors.
    Otelcol,
    /// The Go Collector with a filter and five transform statements.
    OtelcolStatements,
    /// The Go Collector with the connector `span_metrics`.
    OtelcolSpanMetrics,
    /// The Go Collector, its queue on disk.
    OtelcolDurable,
    /// Rotel, which compresses whatever it is told.
    Rotel,
    /// Rotel, which takes spans in and throws them away.
    RotelBlackhole,
}

/// The binaries that were found.
#[derive(Debug, Default)]
pub(crate) struct Binaries {
    own: PathBuf,
    spanmill: Option<PathBuf>,
    otelcol: Option<PathBuf>,
    rotel: Option<PathBuf>,
}

// === impl Subject ===

impl Subject {
    /// In the order of the report.
    pub(crate) const ALL: [Self; 16] = [
        Self::Raw,
        Self::Spanmill,
        Self::SpanmillGenai,
        Self::SpanmillGenaiFilter,
        Self::SpanmillFilter,
        Self::SpanmillStatements,
        Self::SpanmillManyStatements,
        Self::SpanmillSpanMetrics,
        Self::SpanmillQueue,
        Self::SpanmillDurable,
        Self::Otelcol,
        Self::OtelcolStatements,
        Self::OtelcolSpanMetrics,
        Self::OtelcolDurable,
        Self::Rotel,
        Self::RotelBlackhole,
    ];

    /// As the report has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw byte relay",
            Self::Spanmill => "spanmill, pass-through",
            Self::SpanmillGenai => "spanmill, `genai`",
            Self::SpanmillGenaiFilter => "spanmill, `filter` + `genai`",
            Self::SpanmillFilter => "spanmill, `filter`",
            Self::SpanmillStatements => "spanmill, `filter` + 5 statements",
            Self::SpanmillManyStatements => "spanmill, `filter` + 50 statements, 45 idle",
            Self::SpanmillSpanMetrics => "spanmill, `span_metrics`, 4 dimensions",
            Self::SpanmillQueue => "spanmill, queue in memory",
            Self::SpanmillDurable => "spanmill, queue on disk, synced",
            Self::Otelcol => "Go Collector, pass-through",
            Self::OtelcolStatements => "Go Collector, `filter` + 5 statements",
            Self::OtelcolSpanMetrics => "Go Collector, `span_metrics`, 4 dimensions",
            Self::OtelcolDurable => "Go Collector, queue on disk, synced",
            Self::Rotel => "rotel, always gzip",
            Self::RotelBlackhole => "rotel, into a black hole",
        }
    }

    /// Whether its spans reach the sink.
    pub(crate) fn relays(self) -> bool {
        self != Self::RotelBlackhole
    }

    /// Whether it drops what the filter names.
    pub(crate) fn filters(self) -> bool {
        matches!(self, Self::SpanmillGenaiFilter | Self::SpanmillFilter) || self.has_statements()
    }

    /// Whether it runs transform statements.
    pub(crate) fn has_statements(self) -> bool {
        matches!(self, Self::SpanmillStatements | Self::SpanmillManyStatements | Self::OtelcolStatements)
    }

    /// Whether it writes attributes.
    pub(crate) fn enriches(self) -> bool {
        matches!(self, Self::SpanmillGenai | Self::SpanmillGenaiFilter) || self.has_statements()
    }

    /// The command that starts it, its configuration written to that folder; `None` where its binary is missing.
    pub(crate) fn command(
        self,
        binaries: &Binaries,
        ports: (u16, u16),
        compression: Compression,
        folder: &Path,
    ) -> Result<Option<Command>, BenchError> {
        let (listen, send_to) = ports;
        let (binary, work) = match self {
            Self::Raw => {
                let mut command = Command::new(&binaries.own);
                command.args(["raw-relay", &listen.to_string(), &send_to.to_string()]);
                if compression == Compression::Gzip {
                    command.arg("--gzip");
                }
                return Ok(Some(command));
            }
            Self::Rotel | Self::RotelBlackhole => return Ok(self.rotel(binaries, ports, compression)),
            Self::Spanmill => (&binaries.spanmill, Work::PassThrough),
            Self::SpanmillGenai => (&binaries.spanmill, Work::Genai),
            Self::SpanmillGenaiFilter => (&binaries.spanmill, Work::GenaiAndFilter),
            Self::SpanmillFilter => (&binaries.spanmill, Work::Filter),
            Self::SpanmillStatements => (&binaries.spanmill, Work::FilterAndFiveStatements),
            Self::SpanmillManyStatements => (&binaries.spanmill, Work::FilterAndFiftyStatements),
            Self::SpanmillSpanMetrics => (&binaries.spanmill, Work::SpanMetrics),
            Self::SpanmillQueue => (&binaries.spanmill, Work::Queue),
            Self::SpanmillDurable => (&binaries.spanmill, Work::DurableQueue),
            Self::OtelcolDurable => (&binaries.otelcol, Work::DurableQueue),
            Self::Otelcol => (&binaries.otelcol, Work::PassThrough),
            Self::OtelcolStatements => (&binaries.otelcol, Work::FilterAndFiveStatements),
            Self::OtelcolSpanMetrics => (&binaries.otelcol, Work::SpanMetrics),
        };
        let Some(binary) = binary else { return Ok(None) };
        let file = folder.join("config.yaml");
        let yaml = collector(work, listen, send_to, compression);
        fs::write(&file, yaml).map_err(BenchError::io("writing a configuration"))?;
        let mut command = Command::new(binary);
        command.arg("--config").arg(file);
        Ok(Some(command))
    }

    fn rotel(self, binaries: &Binaries, (listen, send_to): (u16, u16), compression: Compression) -> Option<Command> {
        let mut command = Command::new(binaries.rotel.as_ref()?);
        command.arg("start").args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{listen}")]);
        command.args(["--otlp-http-endpoint", "127.0.0.1:0", "--otlp-grpc-max-recv-msg-size-mib", "64"]);
        if self == Self::RotelBlackhole {
            command.args(["--exporter", "blackhole"]);
        } else {
            command.args(["--exporter", "otlp", "--otlp-exporter-protocol", "grpc", "--disable-batching"]);
            command.args(["--otlp-exporter-endpoint", &format!("http://127.0.0.1:{send_to}")]);
            command.args(["--otlp-exporter-compression", compression.as_str()]);
        }
        Some(command)
    }
}

// === impl Binaries ===

impl Binaries {
    /// Finds, or makes, what the subjects need. Says loudly what is missing.
    pub(crate) fn find(subjects: &[Subject]) -> Result<Self, BenchError> {
        let wants = |wanted: &[Subject]| subjects.iter().any(|subject| wanted.contains(subject));
        let own = std::env::current_exe().map_err(BenchError::io("finding this program"))?;
        let mut binaries = Self { own, ..Self::default() };
        if wants(&[
            Subject::Spanmill,
            Subject::SpanmillGenai,
            Subject::SpanmillGenaiFilter,
            Subject::SpanmillFilter,
            Subject::SpanmillStatements,
            Subject::SpanmillManyStatements,
            Subject::SpanmillSpanMetrics,
            Subject::SpanmillQueue,
            Subject::SpanmillDurable,
        ]) {
            binaries.spanmill = Some(product::binary()?);
        }
        if wants(&[Subject::Otelcol, Subject::OtelcolStatements, Subject::OtelcolSpanMetrics, Subject::OtelcolDurable])
        {
            match peers::find(Peer::Otelcol)? {
                Found::Ready(path) => binaries.otelcol = Some(path),
                Found::Missing(why) => println!("skipped: {why}: the Go Collector is not measured"),
            }
        }
        if wants(&[Subject::Rotel, Subject::RotelBlackhole]) {
            binaries.rotel = rotel();
            if binaries.rotel.is_none() {
                println!("skipped: no rotel: it could not be installed from the Python package index");
            }
        }
        Ok(binaries)
    }

    /// What the programs say about their versions, a line each.
    pub(crate) fn versions(&self) -> Vec<String> {
        let all = [("spanmill", &self.spanmill), ("Go Collector", &self.otelcol), ("rotel", &self.rotel)];
        all.into_iter().filter_map(|(name, path)| machine::version(name, path.as_ref()?)).collect()
    }
}

/// The agent in rotel's Python package, installed into the cache folder if it is not there.
fn rotel() -> Option<PathBuf> {
    let folder = cache::dir().join("rotel");
    if let Some(agent) = agent(&folder) {
        return Some(agent);
    }
    let run = |program: &Path, arguments: &[&str]| {
        let status = Command::new(program).args(arguments).arg(&folder).stdin(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    if !run(Path::new("python3"), &["-m", "venv"]) {
        return None;
    }
    let mut install = Command::new(folder.join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "rotel==0.0.1a15"]);
    let installed = install.stdin(Stdio::null()).status().is_ok_and(|status| status.success());
    installed.then(|| agent(&folder)).flatten()
}

fn agent(environment: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(environment.join("lib")).ok()?;
    let mut agents = versions.flatten().map(|version| version.path().join("site-packages/rotel/rotel-agent"));
    agents.find(|agent| agent.is_file())
}
