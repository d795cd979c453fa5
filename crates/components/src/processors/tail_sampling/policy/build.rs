//! Policies from their configuration.

use spanmill_config::{ConfigError, Section};
use spanmill_ottl::{Condition, ConditionSet, Context, Paths, compile_re2};

use super::Policy;
use super::attribute::{AttributePolicy, Matcher};
use super::bucket::Bucket;
use super::composite::{CompositePolicy, Share};
use super::conditions::ConditionPolicy;
use super::config::{BytesLimit, Composite, Conditions, Numeric, PolicyConfig, RateLimit, StatusCode, Text};
use super::latency::LatencyPolicy;
use super::probabilistic::ProbabilisticPolicy;
use super::trace_state::TraceStatePolicy;
use crate::gates;

/// A policy with the name that it was given.
#[derive(Debug)]
pub(in super::super) struct NamedPolicy {
    pub(in super::super) name: String,
    pub(in super::super) policy: Policy,
}

/// Where policies are made: what they are divided by, and where mistakes are reported.
struct Builder<'a> {
    section: &'a Section,
    /// Rates are shared by so many tasks.
    shards: i64,
}

/// Policies that may be written at a place, beside those that may be written everywhere.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Top,
    OfComposite,
    OfAnd,
    OfNot,
}

type Result<T> = std::result::Result<T, ConfigError>;

/// The policies of one of so many tasks: those that drop traces first, as they overrule all others.
pub(in super::super) fn build(section: &Section, policies: &[PolicyConfig], shards: u32) -> Result<Vec<NamedPolicy>> {
    let builder = Builder { section, shards: i64::from(shards.max(1)) };
    let mut built: Vec<NamedPolicy> = Vec::new();
    for (index, config) in policies.iter().enumerate() {
        let path = format!("policies[{index}]");
        if config.name.is_empty() {
            return Err(section.error(&path, "a policy must have a name"));
        }
        if built.iter().any(|known| known.name == config.name) {
            return Err(
                section.error(&format!("{path}::name"), format!("{:?} is the name of two policies", config.name))
            );
        }
        let policy = builder.policy(&path, config, Level::Top)?;
        built.push(NamedPolicy { name: config.name.clone(), policy });
    }
    let (mut drops, others): (Vec<_>, Vec<_>) =
        built.into_iter().partition(|named| matches!(named.policy, Policy::Drop(_)));
    drops.extend(others);
    Ok(drops)
}

// === impl Builder ===

impl Builder<'_> {
    fn policy(&self, path: &str, config: &PolicyConfig, level: Level) -> Result<Policy> {
        Ok(match (config.kind.as_str(), level) {
            ("always_sample", _) => Policy::AlwaysSample,
            ("latency", _) => Policy::Latency(LatencyPolicy {
                above: config.latency.threshold_ms,
                up_to: config.latency.upper_threshold_ms,
            }),
            ("numeric_attribute", _) => self.number(path, &config.numeric_attribute)?,
            ("probabilistic", _) => {
                let options = &config.probabilistic;
                if options.sampling_percentage.is_nan() {
                    return Err(self.error(path, "probabilistic::sampling_percentage", "expected a number"));
                }
                Policy::Probabilistic(ProbabilisticPolicy::new(&options.hash_salt, options.sampling_percentage))
            }
            ("status_code", _) => self.status_code(path, &config.status_code)?,
            ("string_attribute", _) => self.text(path, &config.string_attribute)?,
            ("rate_limiting", _) => {
                let RateLimit { spans_per_second, burst_capacity } = config.rate_limiting;
                Policy::SpansPerSecond(self.bucket(spans_per_second, burst_capacity))
            }
            ("bytes_limiting", _) => {
                let BytesLimit { bytes_per_second, burst_capacity } = config.bytes_limiting;
                Policy::BytesPerSecond(self.bucket(bytes_per_second, burst_capacity))
            }
            ("span_count", _) => Policy::SpanCount {
                // Only 32 bits count, as in the Collector.
                min: i64::from(config.span_count.min_spans as i32),
                max: i64::from(config.span_count.max_spans as i32),
            },
            ("trace_state", _) => {
                Policy::TraceState(TraceStatePolicy::new(&config.trace_state.key, &config.trace_state.values))
            }
            ("trace_flags", _) => Policy::TraceFlags,
            ("boolean_attribute", _) => Policy::Attribute(AttributePolicy {
                key: config.boolean_attribute.key.clone(),
                matcher: Matcher::Boolean(config.boolean_attribute.value),
                invert: config.boolean_attribute.invert_match,
            }),
            ("ottl_condition", _) => self.conditions(path, &config.ottl_condition)?,
            ("and", Level::Top | Level::OfComposite) => {
                Policy::And(self.policies(path, "and::and_sub_policy", &config.and.and_sub_policy, Level::OfAnd)?)
            }
            ("not", Level::Top | Level::OfAnd) => {
                let path = format!("{path}::not::not_sub_policy");
                let inner = config
                    .not
                    .not_sub_policy
                    .as_deref()
                    .ok_or_else(|| self.section.error(&path, "a policy is missing"));
                Policy::Not(Box::new(self.policy(&path, inner?, Level::OfNot)?))
            }
            ("drop", Level::Top) => Policy::Drop(self.policies(
                path,
                "drop::drop_sub_policy",
                &config.drop.drop_sub_policy,
                Level::OfAnd,
            )?),
            ("composite", Level::Top) => self.composite(path, &config.composite)?,
            (other, _) => return Err(self.error(path, "type", &format!("unknown sampling policy type {other:?}"))),
        })
    }

    fn policies(&self, path: &str, list: &str, configs: &[PolicyConfig], level: Level) -> Result<Vec<Policy>> {
        let at = |index| format!("{path}::{list}[{index}]");
        configs.iter().enumerate().map(|(index, config)| self.policy(&at(index), config, level)).collect()
    }

    fn number(&self, path: &str, options: &Numeric) -> Result<Policy> {
        let Numeric { key, min_value, max_value, invert_match } = options;
        if *min_value == 0 && *max_value == 0 {
            return Err(self.error(path, "numeric_attribute", "min_value or max_value must be set, and not to 0"));
        }
        let (min, max) = (bound(*min_value, i64::MIN), bound(*max_value, i64::MAX));
        let matcher = Matcher::Number { min, max };
        Ok(Policy::Attribute(AttributePolicy { key: key.clone(), matcher, invert: *invert_match }))
    }

    fn status_code(&self, path: &str, options: &StatusCode) -> Result<Policy> {
        if options.status_codes.is_empty() {
            return Err(self.error(path, "status_code", "expected at least one status code"));
        }
        let mut codes = 0;
        for code in &options.status_codes {
            codes |= match code.as_str() {
                "UNSET" => 1,
                "OK" => 2,
                "ERROR" => 4,
                other => {
                    let message = format!("unknown status code {other:?}, valid are OK, ERROR and UNSET");
                    return Err(self.error(path, "status_code::status_codes", &message));
                }
            };
        }
        Ok(Policy::StatusCode(codes))
    }

    fn text(&self, path: &str, options: &Text) -> Result<Policy> {
        let Text { key, values, enabled_regex_matching, invert_match, .. } = options;
        let matcher = if *enabled_regex_matching {
            let compile = |(index, pattern): (usize, &String)| {
                let option = format!("string_attribute::values[{index}]");
                compile_re2(pattern)
                    .map_err(|error| self.error(path, &option, &format!("invalid pattern {pattern:?}: {error}")))
            };
            Matcher::Patterns(values.iter().enumerate().map(compile).collect::<Result<_>>()?)
        } else {
            Matcher::Texts(
                values.iter().filter(|value| !value.is_empty()).map(|value| value.clone().into_bytes()).collect(),
            )
        };
        Ok(Policy::Attribute(AttributePolicy { key: key.clone(), matcher, invert: *invert_match }))
    }

    fn conditions(&self, path: &str, options: &Conditions) -> Result<Policy> {
        if options.span.is_empty() && options.spanevent.is_empty() {
            return Err(self.error(path, "ottl_condition", "expected at least one condition, on span or spanevent"));
        }
        let mut compiler = gates::compiler();
        let mut set = |list: &str, context, texts: &[String]| -> Result<ConditionSet> {
            let mut compiled = Vec::with_capacity(texts.len());
            for (index, text) in texts.iter().enumerate() {
                let parsed = Condition::parse(&mut compiler, Paths::Unprefixed(context), text);
                let option = format!("ottl_condition::{list}[{index}]");
                compiled.push(parsed.map_err(|error| self.error(path, &option, &error.to_string()))?);
            }
            Ok(ConditionSet::new(compiled, options.error_mode.0))
        };
        let span = set("span", Context::Span, &options.span)?;
        let event = set("spanevent", Context::SpanEvent, &options.spanevent)?;
        Ok(Policy::Conditions(Box::new(ConditionPolicy { slots: compiler.finish(), span, event })))
    }

    fn composite(&self, path: &str, options: &Composite) -> Result<Policy> {
        let configs = &options.composite_sub_policy;
        let policies = self.policies(path, "composite::composite_sub_policy", configs, Level::OfComposite)?;
        let total = self.share(options.max_total_spans_per_second);
        let equal = total as f64 / configs.len() as f64;
        let share = |(config, policy): (&PolicyConfig, Policy)| {
            // The last one counts where a name is allocated twice.
            let allocated = options.rate_allocation.iter().rfind(|rate| rate.policy == config.name);
            let spans_per_second = match allocated.map(|rate| rate.percent) {
                Some(percent @ 1..) => percent as f64 / 100.0 * total as f64,
                _ => equal,
            };
            Share { policy, spans_per_second: spans_per_second as i64, sampled: 0 }
        };
        let parts = configs.iter().zip(policies).map(share).collect();
        Ok(Policy::Composite(CompositePolicy::new(parts, total)))
    }

    /// What a task may let through: capacities are not shared, as they are also what the largest trace may use.
    fn bucket(&self, per_second: i64, capacity: i64) -> Bucket {
        let capacity = if capacity > 0 { capacity } else { per_second.saturating_mul(2) };
        Bucket::new(self.share(per_second), capacity)
    }

    /// A part of a rate, one at least.
    fn share(&self, rate: i64) -> i64 {
        if rate <= 0 { rate } else { (rate / self.shards).max(1) }
    }

    fn error(&self, path: &str, option: &str, message: &str) -> ConfigError {
        self.section.error(&format!("{path}::{option}"), message)
    }
}

/// Zero stands for no bound.
fn bound(value: i64, none: i64) -> i64 {
    if value == 0 { none } else { value }
}
