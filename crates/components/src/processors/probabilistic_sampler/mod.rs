//! `probabilistic_sampler`: keeps a share of all traces, the same ones wherever it is asked.

mod config;
mod priority;
mod sampler;
#[cfg(test)]
mod tests;
mod view;

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use prometheus::IntCounter;
use spanmill_config::ConfigError;
use spanmill_otlp::Traces;
use spanmill_pipeline::{
    Batch, Component, ConsumeError, Consumer, Context, Kind, Node, ProcessorFactory, Signal, Stability, Telemetry,
};

use sampler::{Decision, Policy, Sampler};

/// Makes `probabilistic_sampler` processors.
pub const FACTORY: ProcessorFactory = ProcessorFactory {
    kind: Kind { name: "probabilistic_sampler", aliases: &[], stability: Stability::Beta, signals: &[Signal::Traces] },
    create,
};

struct SamplerProcessor {
    sampler: Sampler,
    fail_closed: bool,
    counts: Counts,
    next: Arc<dyn Consumer>,
}

/// Decisions by policy, first the spans that were dropped. Series that never counted anything are not exposed, as in the Collector.
struct Counts {
    telemetry: Telemetry,
    counters: [[OnceLock<IntCounter>; 2]; Policy::COUNT],
}

fn create(context: Context<'_>, _: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    let (sampler, fail_closed) = config::read(context.section)?;
    let counts = Counts { telemetry: context.telemetry.clone(), counters: Default::default() };
    Ok(Arc::new(SamplerProcessor { sampler, fail_closed, counts, next }))
}

// === impl SamplerProcessor ===

#[async_trait]
impl Component for SamplerProcessor {}

#[async_trait]
impl Consumer for SamplerProcessor {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let batch = match batch {
            Batch::Traces(mut traces) => {
                self.sample(&mut traces);
                if traces.span_count() == 0 {
                    // Nothing is left to be responsible for.
                    return Ok(());
                }
                Batch::Traces(traces)
            }
            other @ Batch::Opaque(_) => other,
        };
        self.next.consume(batch).await
    }
}

impl SamplerProcessor {
    fn sample(&self, traces: &mut Traces) {
        let (mut patch, mut text) = (sampler::patch(), Vec::new());
        let mut counts = [[0; 2]; Policy::COUNT];
        for ix in traces.span_ixs() {
            let Some(span) = traces.span(ix) else { continue };
            let decision = self.sampler.decide(span, self.fail_closed, &mut patch, &mut text);
            let Decision { sampled, policy, error } = decision;
            if let Some(error) = error {
                tracing::debug!(%error, sampled, "a span cannot be decided on by its randomness");
            }
            if let Some(count) = counts.get_mut(policy as usize).and_then(|pair| pair.get_mut(usize::from(sampled))) {
                *count += 1;
            }
            if sampled { traces.apply(ix, &patch) } else { traces.drop_span(ix) }
        }
        self.counts.add(&counts);
    }
}

// === impl Counts ===

impl Counts {
    fn add(&self, counts: &[[u64; 2]; Policy::COUNT]) {
        let policies = [
            Policy::MissingRandomness,
            Policy::SamplingPriority,
            Policy::SamplingRandomness,
            Policy::TraceIdHash,
            Policy::TraceIdW3c,
        ];
        for ((policy, pair), counters) in policies.into_iter().zip(counts).zip(&self.counters) {
            for ((sampled, count), counter) in ["false", "true"].into_iter().zip(pair).zip(counters) {
                if *count > 0 {
                    counter.get_or_init(|| self.counter(policy, sampled)).inc_by(*count);
                }
            }
        }
    }

    fn counter(&self, policy: Policy, sampled: &str) -> IntCounter {
        self.telemetry.counter(
            "otelcol_processor_probabilistic_sampler_count_traces_sampled",
            "Count of traces that were sampled or not",
            &[("policy", policy.name()), ("sampled", sampled)],
        )
    }
}
