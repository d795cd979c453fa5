use serde::Deserialize;
use spanmill_config::{ByteSize, ComponentId, ConfigError, Duration, Section};

use super::policy::config::{PolicyConfig, check_unknown};

/// Options of the `tail_sampling` processor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// A trace is decided on so long after its first span came in. Whole seconds count, and one at least.
    pub(super) decision_wait: Duration,
    /// A trace is decided on so long after its root span came in, where that is earlier. 0 turns this off.
    pub(super) decision_wait_after_root_received: Duration,
    /// Most traces in memory, those included whose decision is remembered.
    pub(super) num_traces: u64,
    /// What happens when there is no room for another trace: `true` waits until traces are decided on, `false` drops the oldest one.
    pub(super) block_on_overflow: bool,
    /// Read past: what is needed is allocated when it is needed.
    #[serde(rename = "expected_new_traces_per_sec")]
    _expected_new_traces_per_sec: u64,
    /// What decides on traces.
    pub(super) policies: Vec<PolicyConfig>,
    /// Decisions that are remembered for longer than the trace.
    pub(super) decision_cache: DecisionCache,
    /// Not supported: traces wait in memory.
    tail_storage: Option<ComponentId>,
    /// Whether the first policy that wants a trace decides.
    pub(super) sample_on_first_match: bool,
    /// `trace-complete` decides when the time is over, `span-ingest` on every request by what is in it.
    pub(super) sampling_strategy: String,
    /// Whether traces that wait at shutdown are dropped; otherwise they are decided on as they are.
    pub(super) drop_pending_traces_on_shutdown: bool,
    /// A trace that becomes larger is dropped at once. 0 means no limit.
    pub(super) maximum_trace_size_bytes: u64,
    /// Tasks that share the work, by trace id.
    pub(super) num_shards: u32,
    /// Most encoded bytes of traces in memory; beyond it there is no room for another trace. 0 means no limit. Spanmill's own option.
    pub(super) memory_limit: ByteSize,
}

/// `decision_cache`: how many decisions are remembered, by what they were. 0 remembers none.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DecisionCache {
    pub(super) sampled_cache_size: i64,
    pub(super) non_sampled_cache_size: i64,
}

/// When a trace is decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strategy {
    TraceComplete,
    SpanIngest,
}

const MOST_SHARDS: u32 = 256;

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            decision_wait: Duration::from_secs(30),
            decision_wait_after_root_received: Duration::ZERO,
            num_traces: 50_000,
            block_on_overflow: false,
            _expected_new_traces_per_sec: 0,
            policies: Vec::new(),
            decision_cache: DecisionCache::default(),
            tail_storage: None,
            sample_on_first_match: false,
            sampling_strategy: "trace-complete".to_owned(),
            drop_pending_traces_on_shutdown: false,
            maximum_trace_size_bytes: 0,
            num_shards: 1,
            memory_limit: ByteSize::from_mib(1024),
        }
    }
}

impl Config {
    /// Reads all but the policies, which are checked when the processor starts, as in the Collector.
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        check_unknown(section)?;
        if config.strategy().is_none() {
            let given = &config.sampling_strategy;
            let message = format!("unknown strategy {given:?}, valid are trace-complete and span-ingest");
            return Err(section.error("sampling_strategy", message));
        }
        if config.num_shards > MOST_SHARDS {
            return Err(section.error("num_shards", format!("must not exceed {MOST_SHARDS}")));
        }
        if config.tail_storage.is_some() {
            return Err(section.error("tail_storage", "storage extensions are not supported: traces wait in memory"));
        }
        Ok(config)
    }

    pub(super) fn strategy(&self) -> Option<Strategy> {
        match self.sampling_strategy.as_str() {
            "trace-complete" => Some(Strategy::TraceComplete),
            "span-ingest" => Some(Strategy::SpanIngest),
            _ => None,
        }
    }
}
