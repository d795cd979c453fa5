//! The report.

use std::fmt::Write as _;

use jiff::Timestamp;
use spanmill_bench_kit::machine;
use spanmill_bench_kit::statistics::Summary;

use crate::ask::Answers;
use crate::engine::Dialect;
use crate::fill::Filled;
use crate::ingest::{Ingest, Subject};
use crate::questions::TWELVE;
use crate::sustain::Sustained;

/// All that was measured.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) load_before: String,
    pub(crate) fill: Option<Filled>,
    pub(crate) answers: Answers,
    pub(crate) ingest: Ingest,
    pub(crate) sustained: Option<Sustained>,
}

const TRACE_BY_ID: &str = "trace by id, all columns, 24 h";

// === impl Report ===

impl Report {
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::from("# What storing and asking costs\n\n");
        let now = Timestamp::now().strftime("%Y-%m-%d %H:%M UTC");
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let _ = writeln!(text, "Written by `cargo xtask bench store {}` on {now}; do not edit.\n", arguments.join(" "));
        let _ = writeln!(text, "* Machine: {}; load average before: {}.", machine::describe(), self.load_before);
        for line in &self.ingest.versions {
            let _ = writeln!(text, "* {line}");
        }
        for line in self.answers.skipped.iter().chain(&self.ingest.skipped) {
            let _ = writeln!(text, "* **Skipped:** {line}.");
        }
        text.push_str(&self.promises());
        text.push_str(&self.questions());
        text.push_str(&self.filling());
        text.push_str(&self.ingesting());
        text.push_str(&self.sustaining());
        text
    }

    fn promises(&self) -> String {
        let mut rows = Vec::new();
        let mut promise = |what: &str, measured: String, bound: &str, kept: bool| {
            rows.push(format!("| {what} | **{measured}** | {bound} | {} |\n", if kept { "yes" } else { "no" }));
        };
        let ratios = self.ratios(Dialect::DuckDb);
        if let Some(worst) = ratios.iter().copied().reduce(f64::max) {
            let mean =
                (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / crate::fill::float(ratios.len() as u64)).exp();
            promise(
                "twelve questions, wall time / DuckDB's, geometric mean",
                format!("{mean:.2}"),
                "at most 1.0",
                mean <= 1.0,
            );
            promise("the worst of them", format!("{worst:.2}"), "at most 2", worst <= 2.0);
        }
        if let Some(hot) = self.answers.hot {
            promise(
                "slow-small over the last hour, from memory, ms",
                format!("{:.1}", hot.wall),
                "at most 10",
                hot.wall <= 10.0,
            );
        }
        if let Some(timed) = self.of(TRACE_BY_ID, Dialect::Spanmill) {
            promise("trace by id over 24 h, ms", format!("{:.1}", timed.0), "at most 20", timed.0 <= 20.0);
        }
        if let Some(filled) = self.fill {
            let [spans, _] = filled.file_bytes;
            promise("bytes a span at rest, in `spans`", format!("{spans:.1}"), "at most 84", spans <= 84.0);
        }
        let micros = |subject| self.micros(subject).map(|summary| summary.median);
        if let Some(own) = micros(Subject::Spanmill) {
            promise("CPU time a stored span, us", format!("{own:.2}"), "at most 5", own <= 5.0);
            if let Some(other) = micros(Subject::Otelcol) {
                let share = own / other;
                promise(
                    "the same / Go Collector's `file` exporter",
                    format!("{share:.2}"),
                    "at most 0.33",
                    share <= 1.0 / 3.0,
                );
            }
        }
        if let Some(sustained) = &self.sustained {
            let most = sustained.mib.iter().copied().fold(0.0, f64::max);
            promise("most memory at 20,000 spans/s, MiB", format!("{most:.0}"), "below 1 GB", most < 954.0);
        }
        if rows.is_empty() {
            return String::new();
        }
        format!("\n## In short\n\n| what | measured | promised | kept |\n|---|---|---|---|\n{}", rows.concat())
    }

    /// Wall time of spanmill divided by that of another engine, of the twelve questions.
    fn ratios(&self, other: Dialect) -> Vec<f64> {
        let rows = self.answers.rows.iter().take(TWELVE);
        rows.filter_map(|(name, _)| Some(self.of(name, Dialect::Spanmill)?.0 / self.of(name, other)?.0)).collect()
    }

    /// Wall and CPU time in milliseconds.
    fn of(&self, name: &str, dialect: Dialect) -> Option<(f64, f64)> {
        let (_, answers) = self.answers.rows.iter().find(|(known, _)| known == name)?;
        answers.iter().find(|(of, _)| *of == dialect).map(|(_, timed)| (timed.wall, timed.cpu))
    }

    fn micros(&self, subject: Subject) -> Option<Summary> {
        Summary::of(self.ingest.stored.iter().filter(|stored| stored.subject == subject).map(|stored| stored.micros))
    }

    fn questions(&self) -> String {
        if self.answers.rows.is_empty() {
            return String::new();
        }
        let mut text = String::from(
            "\n## Questions\n\nWall / CPU milliseconds, the best of several; two threads each, files in the page cache, engines take turns. All read the same files;\n\
             DuckDB keeps their footers in memory as spanmill does. Estimates of quantiles are those that each engine offers.\n\n\
             | question | spanmill | DuckDB | chDB | spanmill / DuckDB |\n|---|---|---|---|---|\n",
        );
        for (name, _) in &self.answers.rows {
            let _ = write!(text, "| {name} |");
            for dialect in Dialect::ALL {
                let cell = self.of(name, dialect).map(|(wall, cpu)| format!("{wall:.1} / {cpu:.0}"));
                let _ = write!(text, " {} |", cell.unwrap_or_else(|| "-".to_owned()));
            }
            let walls = (self.of(name, Dialect::Spanmill), self.of(name, Dialect::DuckDb));
            let ratio =
                if let (Some(own), Some(other)) = walls { format!("{:.2}", own.0 / other.0) } else { "-".to_owned() };
            let _ = writeln!(text, " {ratio} |");
        }
        text.push_str("\nNamed questions about the whole day, as `GET /v1/questions/…` computes them:\n\n| question | wall ms | rows |\n|---|---|---|\n");
        for (name, timed) in &self.answers.named {
            let _ = writeln!(text, "| {name} | {:.1} | {} |", timed.wall, timed.rows);
        }
        text
    }

    fn filling(&self) -> String {
        let Some(Filled { spans, otlp_bytes, file_bytes: [rows, sums], micros: [memory, files, together] }) = self.fill
        else {
            return String::new();
        };
        format!(
            "\n## Filling\n\nA day of {spans} spans of 40 services, {otlp_bytes:.0} bytes each as OTLP, through the store's own way on one thread: {memory:.2} us of CPU time a span to\n\
             memory, {files:.2} us to files, {together:.2} us to put them together by the hour and sum them up by the minute. They take {rows:.1} bytes a span in `spans`, and {sums:.1} in `usage_1m`: here\n\
             hardly two spans share minute, tenant, service, model, operation and finish reason, so that nearly each has a row of sums of its own.\n"
        )
    }

    fn ingesting(&self) -> String {
        if self.ingest.stored.is_empty() {
            return String::new();
        }
        let mut text = String::from(
            "\n## Storing\n\nSmall spans (about 600 bytes) in requests of 512 from four clients that wait for each answer; CPU time of the whole process, from its start to its end,\n\
             when all is in files. The Go Collector's exporter writes JSON compressed with zstd and syncs nothing; spanmill syncs its log before it\n\
             answers.\n\n| | CPU us a span (least-most) | bytes a span | spans/s | requests refused for the moment | MiB |\n|---|---|---|---|---|---|\n",
        );
        for subject in Subject::ALL {
            let of = |value: fn(&crate::ingest::Stored) -> f64| {
                Summary::of(self.ingest.stored.iter().filter(|stored| stored.subject == subject).map(value))
            };
            let all = (
                self.micros(subject),
                of(|stored| stored.bytes),
                of(|stored| stored.rate),
                of(|stored| stored.peak_mib),
                of(|stored| crate::fill::float(stored.refused)),
            );
            let (Some(micros), Some(bytes), Some(rate), Some(mib), Some(refused)) = all else { continue };
            let _ = writeln!(
                text,
                "| {} | {:.2} ({:.2}-{:.2}) | {:.1} | {:.0} | {:.0} | {:.0} |",
                subject.name(),
                micros.median,
                micros.min,
                micros.max,
                bytes.median,
                rate.median,
                refused.max,
                mib.max
            );
        }
        text
    }

    fn sustaining(&self) -> String {
        let Some(Sustained { minutes, rate, refused, mib, micros }) = &self.sustained else { return String::new() };
        let mib: Vec<String> = mib.iter().map(|mib| format!("{mib:.0}")).collect();
        format!(
            "\n## Memory over time\n\n{rate:.0} spans a second for {minutes} minutes, {refused} requests refused, {micros:.2} us of CPU time a span. The most memory of each minute, in MiB:\n{}.\n",
            mib.join(", ")
        )
    }
}
