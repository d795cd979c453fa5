//! The report: tables of CPU time per span, ratios, and memory.

use std::fmt::Write as _;

use jiff::Timestamp;
use spanmill_bench_kit::cores::Cores;
use spanmill_bench_kit::machine;
use spanmill_bench_kit::statistics::Summary;
use spanmill_bench_kit::traffic::{Compression, FILTER_BELOW, SPANS};
use spanmill_loadgen::shape::Shape;

use crate::configuration::STATEMENTS;
use crate::plan::Results;
use crate::subject::Subject;

/// What a reader must know to judge the figures.
#[derive(Debug)]
pub(crate) struct Setting {
    /// The arguments of the benchmark.
    pub(crate) command: Vec<String>,
    pub(crate) versions: Vec<String>,
    pub(crate) load_before: String,
    pub(crate) cores: Cores,
    pub(crate) seconds: u64,
    pub(crate) reps: usize,
}

/// A ratio that the project promises: of which to which, on which spans, at least or at most how much.
struct Promise {
    what: &'static str,
    of: Subject,
    to: Subject,
    shape: Shape,
    bound: Bound,
}

#[derive(Clone, Copy)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
    /// Of the difference, in microseconds.
    Within(f64),
}

/// A load average above which figures are not to be trusted far.
const BUSY: f64 = 1.0;

const WARNING: &str =
    "\n**The machine was busy when this was measured: neither the figures nor the ratios are final.**\n";

/// How soon after its start spanmill is to listen.
const START_UP_MILLIS: f64 = 50.0;

const PROMISES: [Promise; 11] = [
    Promise {
        what: "pass-through / raw relay, small spans",
        of: Subject::Spanmill,
        to: Subject::Raw,
        shape: Shape::Small,
        bound: Bound::AtMost(1.6),
    },
    Promise {
        what: "`filter` + `genai` / raw relay, small spans",
        of: Subject::SpanmillGenaiFilter,
        to: Subject::Raw,
        shape: Shape::Small,
        bound: Bound::AtMost(2.5),
    },
    Promise {
        what: "Go Collector, `filter` + 5 statements / spanmill, `filter` + `genai`, small spans",
        of: Subject::OtelcolStatements,
        to: Subject::SpanmillGenaiFilter,
        shape: Shape::Small,
        bound: Bound::AtLeast(4.0),
    },
    Promise {
        what: "the same, 8 KB prompt as a string",
        of: Subject::OtelcolStatements,
        to: Subject::SpanmillGenaiFilter,
        shape: Shape::Text,
        bound: Bound::AtLeast(1.5),
    },
    Promise {
        what: "the same, 8 KB prompt as structured messages",
        of: Subject::OtelcolStatements,
        to: Subject::SpanmillGenaiFilter,
        shape: Shape::Structured,
        bound: Bound::AtLeast(3.0),
    },
    Promise {
        what: "Go Collector / spanmill, both with `filter` + 5 statements, small spans",
        of: Subject::OtelcolStatements,
        to: Subject::SpanmillStatements,
        shape: Shape::Small,
        bound: Bound::AtLeast(4.0),
    },
    Promise {
        what: "the same, 8 KB prompt as a string",
        of: Subject::OtelcolStatements,
        to: Subject::SpanmillStatements,
        shape: Shape::Text,
        bound: Bound::AtLeast(1.5),
    },
    Promise {
        what: "the same, 8 KB prompt as structured messages",
        of: Subject::OtelcolStatements,
        to: Subject::SpanmillStatements,
        shape: Shape::Structured,
        bound: Bound::AtLeast(3.0),
    },
    Promise {
        what: "50 statements, 45 idle, more than none, small spans, us",
        of: Subject::SpanmillManyStatements,
        to: Subject::SpanmillFilter,
        shape: Shape::Small,
        bound: Bound::Within(2.0),
    },
    Promise {
        what: "Go Collector / spanmill, both with `span_metrics` of four dimensions, small spans",
        of: Subject::OtelcolSpanMetrics,
        to: Subject::SpanmillSpanMetrics,
        shape: Shape::Small,
        bound: Bound::AtLeast(4.0),
    },
    Promise {
        what: "queue on disk, synced, more than in memory, small spans, us",
        of: Subject::SpanmillDurable,
        to: Subject::SpanmillQueue,
        shape: Shape::Small,
        bound: Bound::Within(0.5),
    },
];

/// The whole report.
pub(crate) fn markdown(setting: &Setting, results: &Results) -> String {
    let mut text = String::from("# What a span costs\n\n");
    text.push_str(&introduction(setting));
    text.push_str(&promises(results));
    for compression in Compression::ALL {
        if results.keys().any(|(measured, _, _)| *measured == compression) {
            text.push_str(&table(compression, results));
        }
    }
    text.push_str(&reading());
    text
}

fn introduction(setting: &Setting) -> String {
    let mut command = String::from("cargo xtask bench relay");
    for argument in &setting.command {
        let _ = write!(command, " {argument}");
    }
    let now = Timestamp::now().strftime("%Y-%m-%d %H:%M UTC");
    let pinned = match setting.cores {
        Cores::Apart { .. } => "each subject has one core for itself, load generator and sink have the others",
        Cores::Shared => "all processes share all cores",
    };
    let mut text = format!(
        "Written by `{command}` on {now}; do not edit.\n\n\
         * Machine: {}; load average before: {}; {pinned}.\n\
         * CPU time of the subject's process, user and kernel, from `/proc/PID/stat`, for each span that it took in and the sink\n  \
           received; median of {} interleaved repetitions of {} s each after a second of warm-up, least and most in parentheses.\n\
         * Peak memory is the largest `VmHWM` of the repetitions.\n\
         * Traffic: OTLP over gRPC on loopback, {SPANS} spans a request, four clients that each wait for the answer, every request with ids\n  \
           that never occurred before. Small spans have a dozen GenAI attributes (about 600 bytes); the others an 8 KB prompt besides, as one\n  \
           string or as structured messages.\n",
        machine::describe(),
        setting.load_before,
        setting.reps,
        setting.seconds,
    );
    for version in &setting.versions {
        let _ = writeln!(text, "* {version}");
    }
    if setting.load_before.parse::<f64>().is_ok_and(|load| load > BUSY) {
        text.push_str(WARNING);
    }
    text
}

fn promises(results: &Results) -> String {
    let micros = |subject, shape| summary(results, (Compression::None, shape, subject), |measured| measured.micros);
    let mut rows = String::new();
    for promise in PROMISES {
        let pair = (micros(promise.of, promise.shape), micros(promise.to, promise.shape));
        let (Some(of), Some(to)) = pair else { continue };
        let ratio = of.median / to.median;
        let (figure, bound, held) = match promise.bound {
            Bound::AtMost(bound) => (ratio, format!("at most {bound}"), ratio <= bound),
            Bound::AtLeast(bound) => (ratio, format!("at least {bound}"), ratio >= bound),
            Bound::Within(bound) => {
                let more = of.median - to.median;
                (more, format!("at most {bound}"), more <= bound)
            }
        };
        let _ =
            writeln!(rows, "| {} | **{figure:.2}** | {bound} | {} |", promise.what, if held { "yes" } else { "no" });
    }
    let own = [Subject::Spanmill, Subject::SpanmillGenai, Subject::SpanmillGenaiFilter];
    for (what, shapes, bound) in [
        ("peak memory of spanmill, small spans, MiB", [Shape::Small].as_slice(), 40.0),
        ("peak memory of spanmill, 8 KB prompts, MiB", [Shape::Text, Shape::Structured].as_slice(), 150.0),
    ] {
        let cells = results.iter().filter(|((_, shape, subject), _)| shapes.contains(shape) && own.contains(subject));
        let peaks = cells.flat_map(|(_, measured)| measured).map(|measured| measured.peak_mib);
        let Some(peak) = Summary::of(peaks).map(|peaks| peaks.max) else { continue };
        let held = if peak <= bound { "yes" } else { "no" };
        let _ = writeln!(rows, "| {what} | **{peak:.0}** | at most {bound} | {held} |");
    }
    if let Some(start_up) = start_up(results, Subject::SpanmillGenaiFilter) {
        let held = if start_up.median <= START_UP_MILLIS { "yes" } else { "no" };
        let _ = writeln!(
            rows,
            "| from start to listening, `filter` + `genai`, ms | **{:.0}** | at most {START_UP_MILLIS} | {held} |",
            start_up.median
        );
    }
    if rows.is_empty() {
        return rows;
    }
    format!(
        "\n## In short\n\nCPU time per span, without compression.\n\n| what | measured | promised | kept |\n|---|---|---|---|\n{rows}"
    )
}

fn table(compression: Compression, results: &Results) -> String {
    let shapes: Vec<Shape> = Shape::ALL
        .into_iter()
        .filter(|shape| results.keys().any(|(of, measured, _)| (of, measured) == (&compression, shape)))
        .collect();
    let heading = match compression {
        Compression::None => "Without compression",
        Compression::Gzip => "With gzip on both sides",
    };
    let mut text =
        format!("\n## {heading}\n\nCPU microseconds per span (least-most), times the raw relay, peak memory.\n\n| |");
    for shape in &shapes {
        let title = match shape {
            Shape::Small => "small",
            Shape::Text => "8 KB string",
            Shape::Structured => "8 KB structured",
        };
        let _ = write!(text, " {title} | x raw | MiB |");
    }
    text.push_str("\n|---|");
    text.push_str(&"---|---|---|".repeat(shapes.len()));
    text.push('\n');
    for subject in Subject::ALL {
        if !results.keys().any(|(of, _, measured)| (*of, *measured) == (compression, subject)) {
            continue;
        }
        let _ = write!(text, "| {} |", subject.name());
        for shape in &shapes {
            text.push_str(&columns(compression, *shape, subject, results));
        }
        text.push('\n');
    }
    text
}

/// How long a subject took to listen, whatever the traffic was that came then.
fn start_up(results: &Results, subject: Subject) -> Option<Summary> {
    let cells = results.iter().filter(|((_, _, measured), _)| *measured == subject);
    Summary::of(cells.flat_map(|(_, measured)| measured).map(|measured| measured.start_up_millis))
}

fn columns(compression: Compression, shape: Shape, subject: Subject, results: &Results) -> String {
    let cell = (compression, shape, subject);
    let raw = summary(results, (compression, shape, Subject::Raw), |measured| measured.micros);
    let micros = summary(results, cell, |measured| measured.micros);
    let peak = summary(results, cell, |measured| measured.peak_mib);
    let (Some(micros), Some(peak)) = (micros, peak) else { return " - | - | - |".to_owned() };
    let lost: u64 = results.get(&cell).into_iter().flatten().map(|measured| measured.lost).sum();
    let note = if lost == 0 { String::new() } else { format!(", {lost} spans lost") };
    let ratio = raw.map_or_else(|| "-".to_owned(), |raw| format!("{:.2}", micros.median / raw.median));
    format!(" {:.2} ({:.2}-{:.2}){note} | {ratio} | {:.0} |", micros.median, micros.min, micros.max, peak.max)
}

fn reading() -> String {
    let mut text = format!(
        "
## How to read it

* The raw relay hands the bytes of a request on without looking at them, by means of the usual gRPC library, tonic. Spanmill frames gRPC
  messages itself, which is why it can be cheaper than that.
* `filter` drops spans with fewer than {FILTER_BELOW} input tokens, a tenth of them, by the same condition on both sides. Costs are given per span taken
  in, so whoever drops a tenth has a tenth less to send.
* Before anything is timed, what comes out of each subject is checked: no span lost its attributes, and every one has the total, the
  finish reason and the rate that it should have. The Collector runs with `error_mode: propagate`, so a failing statement would refuse the
  request. Its five statements are less than what `genai` does: no recognition of the source, no ownership, no classes of errors.
* Sending queues are off in spanmill and the Collector: a request is answered once the sink has it, and back-pressure reaches the
  clients. Rotel answers before it sends, whatever it is told; its time is taken once the sink has everything.
* Rotel's agent compresses with gzip even if told `none`, so its row in the first table pays for gzip; the black hole shows it without sending.
  It is the version of the Python package index; newer ones are released elsewhere only.
* With gzip, each program compresses at its own level (spanmill 1, the raw relay 6): those figures compare programs as they come, not code.
* Ratios carry over to other machines; microseconds do not.

The Collector's statements:

"
    );
    for statement in STATEMENTS {
        let _ = writeln!(text, "    {statement}");
    }
    text
}

fn summary(
    results: &Results,
    cell: crate::plan::Cell,
    of: impl Fn(&crate::measure::Measured) -> f64,
) -> Option<Summary> {
    Summary::of(results.get(&cell)?.iter().map(of))
}
