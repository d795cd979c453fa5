//! What OTTL statements of others are after, as far as `genai` does it anyway.

use std::fmt;

/// What a statement does that `genai` does without being told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    /// Brings one instrumentation's attributes into the conventions' names.
    Normalise,
    /// Removes attributes that were brought into the conventions' names.
    RemoveOriginals,
    /// Reckons what a call costs.
    Price,
    /// Derives totals, rates, and flags.
    Derive,
}

/// Attributes of instrumentations that the conventions do not know, or no longer.
const FOREIGN: &[&str] = &[
    "\"llm.",
    "\"traceloop.",
    "\"openinference.",
    "\"ai.",
    "\"langfuse.",
    "\"gen_ai.system\"",
    "\"gen_ai.prompt",
    "\"gen_ai.completion",
    "\"gen_ai.usage.prompt_tokens\"",
    "\"gen_ai.usage.completion_tokens\"",
    "\"input.value\"",
    "\"output.value\"",
    "^llm",
    "^traceloop",
    "^gen_ai\\\\.prompt",
    "^gen_ai\\\\.completion",
];
const PRICES: &[&str] = &["cost", "price", "usd", "billing"];
const DERIVED: &[&str] = &[
    "total_tokens",
    "tokens_per_second",
    "tokens.per.second",
    "time_to_first_token",
    "ttft",
    "slow_small",
    "cache_hit",
    "finish_reason\"",
];

// === impl Purpose ===

impl Purpose {
    /// The purpose of a statement; none where it is its author's own.
    pub(super) fn of(statement: &str) -> Option<Self> {
        let text = statement.trim();
        let (editor, rest) = text.split_once('(')?;
        let target = rest.split(',').next().unwrap_or(rest);
        let is_foreign = |text: &str| FOREIGN.iter().any(|known| text.contains(known));
        let has = |words: &[&str], text: &str| words.iter().any(|word| text.to_lowercase().contains(word));
        match editor.trim() {
            "set" if !target.contains("attributes[\"") => None,
            "set" if has(PRICES, target) => Some(Self::Price),
            "set" if has(DERIVED, target) => Some(Self::Derive),
            "set" if target.contains("\"gen_ai.") && is_foreign(rest) => Some(Self::Normalise),
            "delete_key" | "delete_matching_keys" if is_foreign(rest) => Some(Self::RemoveOriginals),
            _ => None,
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Normalise => "bring attributes into the conventions' names",
            Self::RemoveOriginals => "remove what was brought there",
            Self::Price => "reckon prices",
            Self::Derive => "derive totals, rates and flags",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: statements as they are published for GenAI spans, and some about other things.
    /// Guarantees: the former are known for what they do, the latter are left alone.
    #[test]
    fn purposes_are_known() {
        for (statement, expected) in [
            (r#"set(attributes["gen_ai.request.model"], attributes["llm.model_name"])"#, Some(Purpose::Normalise)),
            (r#"set(attributes["gen_ai.provider.name"], attributes["gen_ai.system"])"#, Some(Purpose::Normalise)),
            (r#"delete_matching_keys(attributes, "^llm\\.")"#, Some(Purpose::RemoveOriginals)),
            (r#"delete_key(attributes, "traceloop.entity.name")"#, Some(Purpose::RemoveOriginals)),
            (
                r#"set(attributes["gen_ai.cost.usd"], attributes["gen_ai.usage.input_tokens"] * 0.000003)"#,
                Some(Purpose::Price),
            ),
            (
                r#"set(attributes["gen_ai.usage.total_tokens"], attributes["gen_ai.usage.input_tokens"] + 1)"#,
                Some(Purpose::Derive),
            ),
            (r#"set(attributes["team"], "ml")"#, None),
            (r#"set(name, "cost")"#, None),
            (r#"replace_pattern(attributes["url"], "token=\\w+", "token=***")"#, None),
            (r#"delete_key(attributes, "user.email")"#, None),
            ("nonsense", None),
        ] {
            assert_eq!(Purpose::of(statement), expected, "{statement}");
        }
    }
}
