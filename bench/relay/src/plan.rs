//! What is measured in which order.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use spanmill_bench_kit::BenchError;
use spanmill_bench_kit::cores::Cores;
use spanmill_bench_kit::machine;
use spanmill_bench_kit::traffic::{Compression, Traffic};
use spanmill_loadgen::shape::Shape;

use crate::measure::{Measured, measure};
use crate::options::Options;
use crate::report::{self, Setting};
use crate::subject::{Binaries, Subject};

/// What is measured: who, on what traffic.
pub(crate) type Cell = (Compression, Shape, Subject);

/// All measurements, those of one cell together.
pub(crate) type Results = BTreeMap<Cell, Vec<Measured>>;

/// Measures everything that was asked for, and reports.
pub(crate) fn run(options: &Options) -> Result<(), BenchError> {
    let cores = Cores::share_out(!options.no_pin)?;
    let cells = cells(options);
    let mut subjects: Vec<Subject> = cells.iter().map(|cell| cell.2).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let binaries = Binaries::find(&subjects)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(BenchError::io("starting a runtime"))?;
    let setting = Setting {
        command: std::env::args().skip(1).collect(),
        versions: binaries.versions(),
        load_before: machine::load(),
        cores,
        seconds: options.seconds(),
        reps: options.reps(),
    };
    let results = runtime.block_on(measure_all(options, &cells, &binaries, cores))?;
    if results.is_empty() {
        return Err(BenchError::Nothing);
    }
    let text = report::markdown(&setting, &results);
    println!("\n{text}");
    if let Some(path) = destination(options) {
        std::fs::write(&path, text).map_err(BenchError::io(format!("writing {}", path.display())))?;
        println!("written to {}", path.display());
    }
    Ok(())
}

async fn measure_all(
    options: &Options,
    cells: &[Cell],
    binaries: &Binaries,
    cores: Cores,
) -> Result<Results, BenchError> {
    let load = (options.clients, Duration::from_secs(options.seconds()));
    let mut results = Results::new();
    for rep in 1..=options.reps() {
        let mut made: Option<((Compression, Shape), Arc<Traffic>)> = None;
        for &(compression, shape, subject) in cells {
            let traffic = match &made {
                Some((of, traffic)) if *of == (compression, shape) => Arc::clone(traffic),
                _ => Arc::new(Traffic::new(shape, compression)),
            };
            made = Some(((compression, shape), Arc::clone(&traffic)));
            let Some(measured) = measure(subject, binaries, &traffic, load, cores).await? else { continue };
            println!(
                "{rep}/{}  {:<5} {:<11} {:<38} {:>8.3} us/span  {:>9.0} spans/s  {:>6.1} MiB  {} refused, {} lost",
                options.reps(),
                compression.as_str(),
                shape.as_str(),
                subject.name(),
                measured.micros,
                measured.spans_per_second,
                measured.peak_mib,
                measured.refused,
                measured.lost,
            );
            results.entry((compression, shape, subject)).or_default().push(measured);
        }
    }
    Ok(results)
}

/// All cells, in the order in which they are measured: those that are compared with each other one after the other.
fn cells(options: &Options) -> Vec<Cell> {
    let matches = |wanted: &Option<String>, name: &str| wanted.as_ref().is_none_or(|wanted| name.contains(wanted));
    let mut cells = Vec::new();
    for compression in Compression::ALL {
        for shape in Shape::ALL {
            for subject in Subject::ALL {
                let quick = !options.quick || (compression == Compression::None && shape == Shape::Small);
                // Into a black hole there is nothing to compress.
                let sensible = subject.relays() || compression == Compression::None;
                let wanted = options.only.is_empty() || options.only.contains(&subject);
                let shaped = matches(&options.shape, shape.as_str());
                if quick && sensible && wanted && shaped && matches(&options.compression, compression.as_str()) {
                    cells.push((compression, shape, subject));
                }
            }
        }
    }
    cells
}

/// Where the report goes: into the documentation only if nothing was left out.
fn destination(options: &Options) -> Option<PathBuf> {
    let partial = options.quick || !options.only.is_empty() || options.shape.is_some() || options.compression.is_some();
    let whole = || (!partial).then(|| xtask::cache::root().join("docs/benchmarks.md"));
    options.output.clone().or_else(whole)
}

// === impl Options ===

impl Options {
    fn seconds(&self) -> u64 {
        if self.quick { 1 } else { self.seconds }
    }

    fn reps(&self) -> usize {
        if self.quick { 1 } else { self.reps }
    }
}
