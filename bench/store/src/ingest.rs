//! CPU time of a stored span: spanmill with its store beside the Go Collector with its `file` exporter, from OTLP over gRPC to disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use spanmill_bench_kit::cores::Cores;
use spanmill_bench_kit::load::{CLIENTS, Load, Until, run};
use spanmill_bench_kit::process::{Process, free_port};
use spanmill_bench_kit::traffic::{Compression, SPANS, Traffic};
use spanmill_bench_kit::{BenchError, machine};
use spanmill_loadgen::shape::Shape;
use xtask::peers::{self, Found, Peer};
use xtask::product;

use crate::fill::float;
use crate::meter::bytes_of;

/// Who stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// With a log that is on disk before a request is answered.
    Spanmill,
    /// Without a log: what is in memory is lost where the process dies.
    SpanmillWithoutLog,
    /// JSON, compressed with zstd; never synced.
    Otelcol,
}

/// What storing took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored {
    pub(crate) subject: Subject,
    /// CPU time a span, in microseconds, of the process's whole life.
    pub(crate) micros: f64,
    /// Bytes a span on disk at the end.
    pub(crate) bytes: f64,
    /// Spans a second that were taken in.
    pub(crate) rate: f64,
    /// Requests that it refused for the moment.
    pub(crate) refused: u64,
    /// The most memory it held, in MiB.
    pub(crate) peak_mib: f64,
}

/// What all measurements say, and what is missing.
#[derive(Debug, Default)]
pub(crate) struct Ingest {
    pub(crate) stored: Vec<Stored>,
    pub(crate) skipped: Vec<String>,
    pub(crate) versions: Vec<String>,
}

// === impl Subject ===

impl Subject {
    pub(crate) const ALL: [Self; 3] = [Self::Spanmill, Self::SpanmillWithoutLog, Self::Otelcol];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Spanmill => "spanmill, `spanstore`",
            Self::SpanmillWithoutLog => "spanmill, `spanstore` without a log",
            Self::Otelcol => "Go Collector, `file` exporter (JSON, zstd)",
        }
    }

    fn exporter(self, folder: &Path) -> String {
        let folder = folder.display();
        match self {
            Self::Spanmill => format!("spanstore: {{path: {folder}/data, accept: {{past: 876000h}}}}"),
            Self::SpanmillWithoutLog => {
                format!("spanstore: {{path: {folder}/data, accept: {{past: 876000h}}, wal: {{enabled: false}}}}")
            }
            Self::Otelcol => {
                format!("file: {{path: {folder}/data/spans.json, create_directory: true, compression: zstd}}")
            }
        }
    }

    /// The configuration of a collector that stores what it is sent.
    pub(crate) fn yaml(self, port: u16, folder: &Path) -> String {
        let exporter = self.exporter(folder);
        let name = exporter.split(':').next().unwrap_or_default();
        format!(
            "receivers:
  otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{port}', max_recv_msg_size_mib: 64}}}}}}
exporters:
  {exporter}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [{name}]}}
"
        )
    }
}

/// Measures all subjects, `reps` times, taking turns.
pub(crate) async fn ingest(spans: u64, reps: usize) -> Result<Ingest, BenchError> {
    let mut all = Ingest::default();
    let own = product::binary()?;
    let otelcol = match peers::find(Peer::Otelcol)? {
        Found::Ready(path) => Some(path),
        Found::Missing(why) => {
            all.skipped.push(format!("{why}: the Go Collector was not measured"));
            None
        }
    };
    all.versions.extend(machine::version("spanmill", &own));
    all.versions.extend(otelcol.as_ref().and_then(|path| machine::version("Go Collector", path)));
    let traffic = Arc::new(Traffic::new(Shape::Small, Compression::None));
    for _ in 0..reps.max(1) {
        for subject in Subject::ALL {
            let binary = if subject == Subject::Otelcol { otelcol.as_ref() } else { Some(&own) };
            let Some(binary) = binary else { continue };
            let stored = measure(subject, binary, &traffic, spans).await?;
            println!("ingest: {stored:?}");
            all.stored.push(stored);
        }
    }
    Ok(all)
}

async fn measure(subject: Subject, binary: &PathBuf, traffic: &Arc<Traffic>, spans: u64) -> Result<Stored, BenchError> {
    let (folder, data) = (tempdir()?, tempdir()?);
    let (process, port) = start(subject, binary, folder, data.path()).await?;
    let requests = spans.div_ceil(SPANS as u64);
    let began = Instant::now();
    let sent = run(port, traffic, 0, Load { until: Until::Count(requests), clients: CLIENTS, every: None }).await?;
    let took = began.elapsed();
    if sent.accepted.is_empty() {
        return Err(process.problem(format!("it takes nothing: {}", sent.problem.unwrap_or_default())));
    }
    let peak_mib = process.peak_mib()?;
    let cpu = process.finish(Duration::from_secs(120))?;
    let spans = float(sent.accepted.len() as u64 * SPANS as u64);
    Ok(Stored {
        subject,
        micros: cpu.as_secs_f64() * 1e6 / spans,
        // The log is empty by then, though its file is there.
        bytes: float(bytes_of(data.path(), &["parquet", "json"])?) / spans,
        rate: spans / took.as_secs_f64(),
        refused: sent.refused,
        peak_mib,
    })
}

/// A running subject and its port.
pub(crate) async fn start(
    subject: Subject,
    binary: &PathBuf,
    folder: tempfile::TempDir,
    data: &Path,
) -> Result<(Process, u16), BenchError> {
    let port = free_port().await?;
    let config = folder.path().join("config.yaml");
    fs::write(&config, subject.yaml(port, data)).map_err(BenchError::io("writing a configuration"))?;
    let mut command = Command::new(binary);
    command.arg("--config").arg(config);
    let mut process = Process::start(subject.name(), command, folder, Cores::Shared)?;
    process.listens(port).await?;
    Ok((process, port))
}

pub(crate) fn tempdir() -> Result<tempfile::TempDir, BenchError> {
    tempfile::tempdir().map_err(BenchError::io("making a folder"))
}
