//! Flags of the user's own: GenAI spans that meet a condition carry `spanmill.<name>` = true.

use std::collections::BTreeMap;

use serde::Deserialize;
use spanmill_config::{ConfigError, Section};
use spanmill_otlp::{Part, Patch, Traces, Value};
use spanmill_ottl::{Compiler, Condition, Context, Paths, Slots};

/// A flag, as it is configured.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FlagConfig {
    /// An OTTL condition on the span as it is once everything else was written, with paths that need no prefix.
    pub(super) when: String,
}

/// Flags, compiled.
#[derive(Debug, Default)]
pub(super) struct Flags {
    flags: Vec<(String, Condition)>,
    slots: Option<Slots>,
}

/// What spanmill itself says, so that no flag may be called so.
const TAKEN: &[&str] = &[
    "source",
    "usage",
    "total_tokens",
    "tokens_per_second",
    "generation",
    "time_per_output_token",
    "finish_reason",
    "error",
    "slow_small",
    "tool_loop",
    "tool_calls",
    "input_tokens",
    "output_input_ratio",
    "cache",
    "context",
    "content",
];

// === impl Flags ===

impl Flags {
    pub(super) fn read(configured: &BTreeMap<String, FlagConfig>, section: &Section) -> Result<Self, ConfigError> {
        let mut compiler = Compiler::new();
        let mut flags = Vec::new();
        for (name, FlagConfig { when }) in configured {
            let named = |key: char| key.is_ascii_lowercase() || key.is_ascii_digit() || key == '_';
            if name.is_empty() || !name.chars().all(named) {
                let message = format!("{name:?}: the name of a flag consists of lower case letters, digits and _");
                return Err(section.error("flags", message));
            }
            if TAKEN.contains(&name.as_str()) {
                return Err(section.error("flags", format!("spanmill.{name} has a meaning already")));
            }
            let condition = Condition::parse(&mut compiler, Paths::Unprefixed(Context::Span), when)
                .map_err(|error| section.error(&format!("flags::{name}::when"), error))?;
            flags.push((format!("spanmill.{name}"), condition));
        }
        let slots = (!flags.is_empty()).then(|| compiler.finish());
        Ok(Self { flags, slots })
    }

    /// Sets the flags. Conditions see what was written, so the request is written out before.
    pub(super) fn set(&self, traces: Traces) -> Traces {
        let Some(slots) = &self.slots else { return traces };
        let mut traces = traces.freeze();
        let snapshot = traces.clone();
        let mut frame = slots.frame();
        let mut patch = Patch::new(Part::Span);
        for resource in snapshot.resources() {
            frame.enter_resource(resource);
            for scope in resource.scopes() {
                frame.enter_scope(scope);
                for span in scope.spans().filter(|span| span.attribute("spanmill.source").is_some()) {
                    frame.enter_span(span);
                    patch.clear();
                    for (name, condition) in &self.flags {
                        // A condition that cannot be evaluated, such as one that compares with what is absent, is not met.
                        if condition.eval(&frame).unwrap_or(false) && span.attribute(name).is_none() {
                            patch.append(name, Value::Bool(true));
                        }
                    }
                    if !patch.is_empty() {
                        traces.apply(span.ix(), &patch);
                    }
                }
            }
        }
        traces
    }
}
