use serde::{Deserialize, Deserializer};
use spanmill_config::{ConfigError, Node, Section, Value};
use spanmill_ottl::ErrorMode;

/// A policy: its name, its type, and the options of that type. Options of other types are read past.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct PolicyConfig {
    /// For metrics and messages.
    pub(super) name: String,
    /// Which of the blocks below counts.
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) latency: Latency,
    pub(super) numeric_attribute: Numeric,
    pub(super) probabilistic: Probabilistic,
    pub(super) status_code: StatusCode,
    pub(super) string_attribute: Text,
    pub(super) rate_limiting: RateLimit,
    pub(super) bytes_limiting: BytesLimit,
    pub(super) span_count: SpanCount,
    pub(super) trace_state: TraceState,
    pub(super) boolean_attribute: Boolean,
    pub(super) ottl_condition: Conditions,
    pub(super) and: And,
    pub(super) not: Not,
    pub(super) drop: Drop,
    pub(super) composite: Composite,
}

/// Duration of the trace, from its earliest start to its latest end.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Latency {
    /// More than so many milliseconds.
    pub(super) threshold_ms: i64,
    /// And so many at most; 0 means no limit.
    pub(super) upper_threshold_ms: i64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Numeric {
    pub(super) key: String,
    /// 0 means none, as does a missing one.
    pub(super) min_value: i64,
    /// 0 means none, as does a missing one.
    pub(super) max_value: i64,
    /// Samples where no value matches.
    pub(super) invert_match: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Probabilistic {
    pub(super) hash_salt: String,
    pub(super) sampling_percentage: f64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StatusCode {
    pub(super) status_codes: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Text {
    pub(super) key: String,
    /// Values, or patterns.
    pub(super) values: Vec<String>,
    pub(super) enabled_regex_matching: bool,
    /// Read past: patterns are matched without a cache.
    #[serde(rename = "cache_max_size")]
    _cache_max_size: i64,
    /// Samples where no value matches.
    pub(super) invert_match: bool,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RateLimit {
    pub(super) spans_per_second: i64,
    /// Twice as many where it is 0.
    pub(super) burst_capacity: i64,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct BytesLimit {
    pub(super) bytes_per_second: i64,
    /// Twice as many where it is 0.
    pub(super) burst_capacity: i64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SpanCount {
    pub(super) min_spans: i64,
    /// 0 means no limit.
    pub(super) max_spans: i64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TraceState {
    pub(super) key: String,
    pub(super) values: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Boolean {
    pub(super) key: String,
    pub(super) value: bool,
    /// Samples where no value matches.
    pub(super) invert_match: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Conditions {
    pub(super) error_mode: Mode,
    pub(super) span: Vec<String>,
    pub(super) spanevent: Vec<String>,
}

/// What becomes of an error while a condition is evaluated. Nobody is told where nothing is said, as in the Collector.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mode(pub(super) ErrorMode);

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct And {
    pub(super) and_sub_policy: Vec<PolicyConfig>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Not {
    /// None is a policy without a type.
    pub(super) not_sub_policy: Option<Box<PolicyConfig>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Drop {
    pub(super) drop_sub_policy: Vec<PolicyConfig>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Composite {
    pub(super) max_total_spans_per_second: i64,
    /// Read past, as in the Collector: sub-policies are asked in the order in which they are written.
    #[serde(rename = "policy_order")]
    _policy_order: Vec<String>,
    pub(super) composite_sub_policy: Vec<PolicyConfig>,
    pub(super) rate_allocation: Vec<Allocation>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Allocation {
    pub(super) policy: String,
    pub(super) percent: i64,
}

/// The blocks of every policy, and those that only some levels know.
const SHARED: [&str; 13] = [
    "name",
    "type",
    "latency",
    "numeric_attribute",
    "probabilistic",
    "status_code",
    "string_attribute",
    "rate_limiting",
    "bytes_limiting",
    "span_count",
    "trace_state",
    "boolean_attribute",
    "ottl_condition",
];
const OF_POLICIES: &[&str] = &["and", "not", "drop", "composite"];
const OF_AND: &[&str] = &["not"];
const OF_COMPOSITE: &[&str] = &["and"];

// === impl Mode ===

impl Default for Mode {
    fn default() -> Self {
        Self(ErrorMode::Silent)
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// Looks for keys that no policy knows. In the Collector they are the options of policies that come from extensions, so whatever is a map
/// is accepted there, and here with a warning; anything else is a mistake.
pub(in super::super) fn check_unknown(section: &Section) -> Result<(), ConfigError> {
    let Some(policies) = section.node().get("policies") else { return Ok(()) };
    check_list(section, "policies", policies, OF_POLICIES)
}

fn check_list(section: &Section, path: &str, policies: &Node, known: &[&str]) -> Result<(), ConfigError> {
    let Value::List(policies) = policies.value() else { return Ok(()) };
    for (index, policy) in policies.iter().enumerate() {
        check_policy(section, &format!("{path}[{index}]"), policy, known)?;
    }
    Ok(())
}

fn check_policy(section: &Section, path: &str, policy: &Node, known: &[&str]) -> Result<(), ConfigError> {
    let Value::Map(options) = policy.value() else { return Ok(()) };
    for (key, entry) in options {
        if SHARED.contains(&key.as_str()) || known.contains(&key.as_str()) {
            continue;
        }
        let path = format!("{path}::{key}");
        if !matches!(entry.node().value(), Value::Map(_) | Value::Null) {
            return Err(section.error(&path, "unknown key"));
        }
        tracing::warn!("{}::{path} is not known and is read past", section.path());
    }
    for (block, list, known) in [
        ("and", "and_sub_policy", OF_AND),
        ("drop", "drop_sub_policy", OF_AND),
        ("composite", "composite_sub_policy", OF_COMPOSITE),
    ] {
        if let Some(policies) = policy.get(block).and_then(|block| block.get(list)) {
            check_list(section, &format!("{path}::{block}::{list}"), policies, known)?;
        }
    }
    match policy.get("not").and_then(|block| block.get("not_sub_policy")) {
        Some(policy) => check_policy(section, &format!("{path}::not::not_sub_policy"), policy, &[]),
        None => Ok(()),
    }
}
