use std::collections::HashMap;
use std::time::Duration;

use prometheus::{Histogram, IntCounter, IntGauge};
use spanmill_pipeline::Telemetry;

use super::memory::Decision;
use super::policy::Verdict;

/// What the processor counts, under the Collector's names. Tasks that share the work count together.
#[derive(Debug, Clone)]
pub(super) struct Metrics {
    telemetry: Telemetry,
    /// The processor, for messages and for what only spanmill counts.
    pub(super) processor: String,
    /// The processor's name where it has one: policies are labelled by it.
    name: String,
    pub(super) tick_latency: Option<Histogram>,
    pub(super) late_span_age: Option<Histogram>,
    pub(super) removal_age: Option<Histogram>,
    pub(super) evaluation_errors: IntCounter,
    pub(super) dropped_too_early: IntCounter,
    pub(super) dropped_too_large: IntCounter,
    pub(super) new_traces: IntCounter,
    pub(super) on_memory: IntGauge,
}

/// What is counted of one policy.
#[derive(Debug)]
pub(super) struct PolicyMetrics {
    label: String,
    telemetry: Telemetry,
    executions: IntCounter,
    microseconds: IntCounter,
    /// Counted time that is less than a microsecond.
    rest: Duration,
    verdicts: HashMap<&'static str, IntCounter>,
}

/// Why spans were dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// No policy wanted the trace.
    NotSampled,
    /// A policy dropped it.
    Dropped,
    /// They came after their trace had been decided on.
    Late,
    /// There was no more room for the trace.
    Overflow,
    /// The trace became too large.
    TooLarge,
    /// The processor stopped and was told to drop what waits.
    Shutdown,
    /// The next component refused them.
    Refused,
    /// They could not be read.
    Unreadable,
}

/// The Collector's buckets of milliseconds.
const MILLISECONDS: [f64; 23] = [
    1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 150.0, 200.0, 300.0, 400.0, 500.0, 750.0, 1000.0, 2000.0, 3000.0,
    4000.0, 5000.0, 10_000.0, 20_000.0, 30_000.0, 50_000.0,
];

/// Its buckets of seconds.
const SECONDS: [f64; 15] =
    [0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0, 10_000.0];

// === impl Metrics ===

impl Metrics {
    /// `name` is the part of the processor's id behind the slash.
    pub(super) fn new(telemetry: &Telemetry, processor: String, name: &str) -> Self {
        let counter = |name: &str, help: &str| telemetry.counter(&full(name), help, &[]);
        let seconds = |name: &str, help: &str| telemetry.histogram(&full(name), help, &[], &SECONDS);
        Self {
            telemetry: telemetry.clone(),
            processor,
            name: name.to_owned(),
            tick_latency: telemetry.histogram(
                &full("sampling_decision_timer_latency"),
                "Latency (in milliseconds) of each run of the sampling decision timer",
                &[],
                &MILLISECONDS,
            ),
            late_span_age: seconds(
                "sampling_late_span_age",
                "Time (in seconds) from the sampling decision was taken and the arrival of a late span",
            ),
            removal_age: seconds(
                "sampling_trace_removal_age",
                "Time (in seconds) from arrival of a new trace until its removal from memory",
            ),
            evaluation_errors: counter(
                "sampling_policy_evaluation_error",
                "Count of sampling policy evaluation errors",
            ),
            dropped_too_early: counter(
                "sampling_trace_dropped_too_early",
                "Count of traces that needed to be dropped before the configured wait time",
            ),
            dropped_too_large: counter(
                "traces_dropped_too_large",
                "Count of traces that were dropped because they were too large",
            ),
            new_traces: counter("new_trace_id_received", "Counts the arrival of new traces"),
            on_memory: telemetry.gauge(
                &full("sampling_traces_on_memory"),
                "Tracks the number of traces current on memory",
                &[],
            ),
        }
    }

    pub(super) fn decided(&self, decision: Decision, traces: u64) {
        let sampled = if decision == Decision::Sampled { "true" } else { "false" };
        let help = "Global count of traces that were sampled or not by at least one policy";
        let labels = [("decision", decision.name()), ("sampled", sampled)];
        self.telemetry.counter(&full("global_count_traces_sampled"), help, &labels).inc_by(traces);
    }

    /// Spans whose trace id was found in a decision cache.
    pub(super) fn released_early(&self, sampled: bool, spans: u64) {
        let help = "Number of spans that were able to be immediately released due to a decision cache hit.";
        let labels = [("sampled", if sampled { "true" } else { "false" })];
        self.telemetry.counter(&full("early_releases_from_cache_decision"), help, &labels).inc_by(spans);
    }

    pub(super) fn dropped(&self, reason: Reason, spans: u64) {
        let help = "Number of spans that were dropped, by reason";
        let labels = [("processor", self.processor.as_str()), ("reason", reason.name())];
        self.telemetry.counter("spanmill_processor_tail_sampling_dropped_spans", help, &labels).inc_by(spans);
    }

    pub(super) fn policy(&self, policy: &str) -> PolicyMetrics {
        let label = if self.name.is_empty() { policy.to_owned() } else { format!("{}.{policy}", self.name) };
        let counter = |name: &str, help: &str| self.telemetry.counter(&full(name), help, &[("policy", label.as_str())]);
        PolicyMetrics {
            executions: counter(
                "sampling_policy_execution_count",
                "Total number of executions of a specific sampling policy",
            ),
            microseconds: counter(
                "sampling_policy_execution_time_sum",
                "Total time spent (in microseconds) executing a specific sampling policy",
            ),
            rest: Duration::ZERO,
            verdicts: HashMap::new(),
            telemetry: self.telemetry.clone(),
            label,
        }
    }
}

fn full(name: &str) -> String {
    format!("otelcol_processor_tail_sampling_{name}")
}

// === impl PolicyMetrics ===

impl PolicyMetrics {
    pub(super) fn executed(&mut self, took: Duration) {
        self.executions.inc();
        let total = self.rest + took;
        self.microseconds.inc_by(u64::try_from(total.as_micros()).unwrap_or(u64::MAX));
        self.rest = Duration::from_nanos(u64::from(total.subsec_nanos() % 1000));
    }

    pub(super) fn said(&mut self, verdict: Verdict) {
        let (decision, sampled) = match verdict {
            Verdict::Sampled => ("sampled", "true"),
            Verdict::NotSampled => ("not_sampled", "false"),
            Verdict::Dropped => ("dropped", "false"),
        };
        let Self { label, telemetry, verdicts, .. } = self;
        let counter = verdicts.entry(decision).or_insert_with(|| {
            let help = "Count of traces that were sampled or not per sampling policy";
            let labels = [("decision", decision), ("policy", label.as_str()), ("sampled", sampled)];
            telemetry.counter(&full("count_traces_sampled"), help, &labels)
        });
        counter.inc();
    }
}

// === impl Reason ===

impl Reason {
    fn name(self) -> &'static str {
        match self {
            Self::NotSampled => "not_sampled",
            Self::Dropped => "dropped",
            Self::Late => "late",
            Self::Overflow => "overflow",
            Self::TooLarge => "too_large",
            Self::Shutdown => "shutdown",
            Self::Refused => "refused",
            Self::Unreadable => "unreadable",
        }
    }
}
