//! `tail_sampling`: keeps traces by what is in them, once they are complete.

mod config;
mod decide;
mod grouping;
mod memory;
mod metrics;
mod outgoing;
mod policy;
mod schedule;
#[cfg(test)]
mod tests;
mod worker;

use std::sync::Arc;

use async_trait::async_trait;
use spanmill_config::{ConfigError, Section};
use spanmill_pipeline::{
    Batch, Component, ComponentError, ConsumeError, Consumer, Context, Host, Kind, Node, ProcessorFactory, Signal,
    Stability,
};
use tokio::sync::{mpsc, watch};

use super::background::Background;
use config::{Config, Strategy};
use decide::Policies;
use grouping::{Piece, TraceId};
use memory::{Decisions, Traces};
use metrics::Metrics;
use outgoing::Outgoing;
use policy::NamedPolicy;
use schedule::Schedule;
use worker::{Limits, Overflows, Worker};

/// Makes `tail_sampling` processors.
pub const FACTORY: ProcessorFactory = ProcessorFactory {
    kind: Kind { name: "tail_sampling", aliases: &[], stability: Stability::Beta, signals: &[Signal::Traces] },
    create,
};

struct TailSampling {
    /// Tasks that share the work: all spans of a trace go to the same one. Or why there are none: policies are checked when the processor
    /// starts, as in the Collector.
    shards: Result<Vec<Background<Vec<Piece>>>, ConfigError>,
}

/// Most bytes of a trace: no more can be read.
const MOST_TRACE_BYTES: u64 = i32::MAX as u64;

fn create(context: Context<'_>, _: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    let config = Config::read(context.section)?;
    let metrics = Metrics::new(context.telemetry, context.id.to_string(), context.id.name());
    let shards = shards(context.section, &config, &metrics, next);
    if let Err(error) = &shards {
        tracing::warn!(%error, "the processor will not start");
    }
    Ok(Arc::new(TailSampling { shards }))
}

fn shards(
    section: &Section,
    config: &Config,
    metrics: &Metrics,
    next: Arc<dyn Consumer>,
) -> Result<Vec<Background<Vec<Piece>>>, ConfigError> {
    let count = config.num_shards.max(1);
    let limits = limits(config, u64::from(count));
    let mut shards = Vec::new();
    for next in std::iter::repeat_n(next, count as usize) {
        let policies = policy::build(section, &config.policies, count)?;
        refuse_stateful(section, limits.strategy, &policies)?;
        let policies = Policies::new(policies, config.sample_on_first_match, metrics);
        let wait = config.decision_wait.to_std().as_secs();
        let cached = |size: i64| if size <= 0 { size } else { (size / i64::from(count)).max(1) };
        let caches = config.decision_cache;
        let metrics = metrics.clone();
        let work = move |input: mpsc::Receiver<Vec<Piece>>, stop: watch::Receiver<bool>| {
            let worker = Worker {
                limits,
                input,
                policies,
                schedule: Schedule::new(wait),
                traces: Traces::new(),
                decisions: Decisions::new(cached(caches.sampled_cache_size), cached(caches.non_sampled_cache_size)),
                outgoing: Outgoing::new(next, stop),
                metrics,
                overflows: Overflows::default(),
            };
            Box::new(worker).run()
        };
        shards.push(Background::new("tail_sampling", work));
    }
    Ok(shards)
}

/// What one of so many tasks is limited to.
fn limits(config: &Config, shards: u64) -> Limits {
    let unlimited = |limit: u64| if limit == 0 { u64::MAX } else { limit };
    Limits {
        strategy: config.strategy().unwrap_or(Strategy::TraceComplete),
        traces: (config.num_traces / shards).max(1),
        bytes: unlimited(config.memory_limit.bytes()) / shards,
        trace_bytes: unlimited(config.maximum_trace_size_bytes).min(MOST_TRACE_BYTES),
        block: config.block_on_overflow,
        after_root: config.decision_wait_after_root_received.positive().map(|wait| wait.as_secs()),
        drop_at_shutdown: config.drop_pending_traces_on_shutdown,
    }
}

/// What is decided on parts of a trace must not depend on its other parts.
fn refuse_stateful(section: &Section, strategy: Strategy, policies: &[NamedPolicy]) -> Result<(), ConfigError> {
    let stateful = policies.iter().find(|named| named.policy.is_stateful());
    match stateful {
        Some(named) if strategy == Strategy::SpanIngest => {
            let message = format!("span-ingest needs policies without state, and {:?} has one", named.name);
            Err(section.error("sampling_strategy", message))
        }
        _ => Ok(()),
    }
}

/// Which of so many tasks a trace goes to. The whole id is mixed: parts of ids are constant in some systems.
fn shard_of(id: &TraceId, shards: usize) -> usize {
    let (front, back) = ((u128::from_le_bytes(*id)) as u64, (u128::from_le_bytes(*id) >> 64) as u64);
    // The last steps of SplitMix64.
    let once = ((front ^ back) ^ (front ^ back) >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let twice = (once ^ once >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    let mixed = twice ^ twice >> 31;
    (mixed % shards.max(1) as u64) as usize
}

// === impl TailSampling ===

#[async_trait]
impl Component for TailSampling {
    async fn start(&self, _host: &Host) -> Result<(), ComponentError> {
        let shards = self.shards.as_ref().map_err(|error| ComponentError::Config(error.clone()))?;
        shards.iter().for_each(Background::start);
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        let shards = self.shards.as_deref().unwrap_or_default();
        let outcomes = futures_util::future::join_all(shards.iter().map(Background::shutdown)).await;
        outcomes.into_iter().collect()
    }
}

#[async_trait]
impl Consumer for TailSampling {
    /// Spans are taken over once the tasks have room for them. A request whose spans go to several tasks of which one has none is refused
    /// as a whole; when it comes again, the others get their spans again.
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let (Batch::Traces(traces), Ok(shards)) = (batch, &self.shards) else { return Ok(()) };
        let mut parts: Vec<Vec<Piece>> = shards.iter().map(|_| Vec::new()).collect();
        for piece in grouping::pieces(&traces) {
            if let Some(part) = parts.get_mut(shard_of(&piece.id, shards.len())) {
                part.push(piece);
            }
        }
        drop(traces);
        for (shard, part) in shards.iter().zip(parts) {
            if !part.is_empty() {
                shard.send(part).await?;
            }
        }
        Ok(())
    }
}
