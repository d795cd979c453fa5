//! What OTTL statements of others are after, as far as `genai` does it as well.

use std::fmt;

/// One statement in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement<'t> {
    pub(super) editor: &'t str,
    pub(super) arguments: Vec<&'t str>,
    pub(super) condition: Option<&'t str>,
}

/// What a statement does that `genai` does in some way too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    /// Copies an attribute to the conventions' name for it.
    Normalise,
    /// Reckons what a call costs from its tokens.
    Price,
    /// Adds tokens up.
    Total,
    /// Takes content away, or makes it unreadable.
    HideContent,
}

/// Names of instrumentations, and the conventions' names under which `genai` says the same of every source. Models and providers
/// are none of them: it asks who answered, and spells them its own way.
const RENAMED: &[(&str, &str)] = &[
    ("llm.usage.prompt_tokens", "gen_ai.usage.input_tokens"),
    ("llm.usage.completion_tokens", "gen_ai.usage.output_tokens"),
    ("llm.token_count.prompt", "gen_ai.usage.input_tokens"),
    ("llm.token_count.completion", "gen_ai.usage.output_tokens"),
    ("gen_ai.usage.prompt_tokens", "gen_ai.usage.input_tokens"),
    ("gen_ai.usage.completion_tokens", "gen_ai.usage.output_tokens"),
];
/// What attributes with content have in their names.
pub(super) const CONTENT: &[&str] = &[
    "gen_ai.prompt",
    "gen_ai.completion",
    "input.value",
    "output.value",
    "message",
    "traceloop.entity",
    "llm.prompts",
    "llm.completions",
    "ai.prompt",
    "ai.response",
    "content",
    "tool.call",
    "instructions",
    "documents",
];
/// Editors that hide what they are about.
const HIDING: &[&str] = &["delete_", "keep_", "replace_", "truncate_", "limit"];

// === impl Statement ===

impl<'t> Statement<'t> {
    /// Reads a statement; nothing where it is none.
    pub(super) fn read(text: &'t str) -> Option<Self> {
        let (editor, rest) = text.trim().split_once('(')?;
        let marks = outermost(rest);
        let end = marks.iter().find(|(_, mark)| *mark == ')')?.0;
        let mut arguments = Vec::new();
        let mut from = 0;
        for (at, _) in marks.iter().filter(|(at, mark)| *mark == ',' && *at < end) {
            arguments.push(rest.get(from..*at)?.trim());
            from = at + 1;
        }
        arguments.push(rest.get(from..end)?.trim());
        let condition = rest.get(end + 1..)?.trim();
        let condition = condition.strip_prefix("where").map(str::trim).filter(|condition| !condition.is_empty());
        Some(Self { editor: editor.trim(), arguments, condition })
    }

    /// The attributes that a copy under a name of the conventions is from and to, if the statement is one and does it
    /// whenever there is something to copy.
    pub(super) fn copy(&self) -> Option<(&'t str, &'t str)> {
        let ("set", [to, from]) = (self.editor, self.arguments.as_slice()) else { return None };
        let pair = (attribute(from)?, attribute(to)?);
        let is_harmless = |part: &str| {
            let part = part.trim();
            part.strip_suffix("!= nil").and_then(|path| attribute(path.trim())) == Some(pair.0)
                || part.strip_suffix("== nil").and_then(|path| attribute(path.trim())) == Some(pair.1)
        };
        let unguarded = self.condition.is_none_or(|condition| condition.split(" and ").all(is_harmless));
        (RENAMED.contains(&pair) && unguarded).then_some(pair)
    }
}

/// The commas and the closing parenthesis that belong to the outermost call, whose opening one stands before the text.
fn outermost(text: &str) -> Vec<(usize, char)> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut found = Vec::new();
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => {
                found.push((at, ')'));
                break;
            }
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => found.push((at, ',')),
            _ => {}
        }
    }
    found
}

/// The name of a span's attribute that a path leads to, and to nothing in it.
pub(super) fn attribute(path: &str) -> Option<&str> {
    let path = path.trim();
    let key = path.strip_prefix("span.").unwrap_or(path).strip_prefix("attributes[\"")?.strip_suffix("\"]")?;
    (!key.contains(['"', '\\'])).then_some(key)
}

/// Whether a name is that of a count of tokens.
pub(super) fn is_tokens(name: &str) -> bool {
    name.contains("token")
}

// === impl Purpose ===

impl Purpose {
    /// The purpose of a statement; none where it is its author's own.
    pub(super) fn of(text: &str) -> Option<Self> {
        let statement = Statement::read(text)?;
        let value = statement.arguments.get(1).copied().unwrap_or_default();
        let is_about_content = || CONTENT.iter().any(|word| text.replace('\\', "").contains(word));
        match statement.editor {
            "set" if statement.copy().is_some() => Some(Self::Normalise),
            "set" if statement.arguments.first().copied().and_then(attribute).is_none() => None,
            "set" if is_tokens(value) && value.contains(['*', '/']) => Some(Self::Price),
            "set" if is_tokens(value) && value.contains('+') => Some(Self::Total),
            editor if HIDING.iter().any(|known| editor.starts_with(known)) && is_about_content() => {
                Some(Self::HideContent)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Normalise => "copy attributes to the conventions' names, as genai does",
            Self::Price => "reckon prices, as genai does for gen_ai.usage.cost.amount",
            Self::Total => "add tokens up, as genai does for spanmill.total_tokens",
            Self::HideContent => "hide content, for which genai has the option content",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: statements as they are published for GenAI spans, and a team's own with names that sound alike.
    /// Guarantees: the former are known for what they do, the latter are left alone.
    #[test]
    fn purposes_are_known() {
        for (statement, expected) in [
            (
                r#"set(attributes["gen_ai.usage.output_tokens"], attributes["llm.token_count.completion"])"#,
                Some(Purpose::Normalise),
            ),
            (r#"set(attributes["gen_ai.request.model"], attributes["llm.request.model"])"#, None),
            (
                r#"set(span.attributes["gen_ai.usage.input_tokens"], span.attributes["llm.usage.prompt_tokens"]) where span.attributes["llm.usage.prompt_tokens"] != nil and span.attributes["gen_ai.usage.input_tokens"] == nil"#,
                Some(Purpose::Normalise),
            ),
            (
                r#"set(attributes["gen_ai.request.model"], attributes["llm.request.model"]) where attributes["team"] == "a""#,
                None,
            ),
            (r#"set(attributes["gen_ai.provider.name"], attributes["gen_ai.system"])"#, None),
            (r#"set(attributes["my.model"], attributes["llm.request.model"])"#, None),
            (r#"delete_matching_keys(attributes, "^gen_ai\\.prompt")"#, Some(Purpose::HideContent)),
            (r#"delete_key(attributes, "input.value")"#, Some(Purpose::HideContent)),
            (r#"delete_key(attributes, "traceloop.entity.name")"#, Some(Purpose::HideContent)),
            (r#"replace_pattern(attributes["gen_ai.input.messages"], "a,)", "b")"#, Some(Purpose::HideContent)),
            (
                r#"set(attributes["gen_ai.cost.usd"], attributes["gen_ai.usage.input_tokens"] * 0.000003)"#,
                Some(Purpose::Price),
            ),
            (
                r#"set(attributes["gen_ai.usage.total_tokens"], attributes["gen_ai.usage.input_tokens"] + 1)"#,
                Some(Purpose::Total),
            ),
            (r#"set(attributes["cost_center"], "R&D-42")"#, None),
            (r#"set(span.attributes["billing.account"], resource.attributes["tenant"])"#, None),
            (r#"set(attributes["app.usd_region"], "eu")"#, None),
            (r#"set(attributes["http.finish_reason"], "x")"#, None),
            (r#"set(resource.attributes["cost"], 1)"#, None),
            (r#"set(name, "cost")"#, None),
            (r#"replace_pattern(attributes["url"], "token=\\w+", "token=***")"#, None),
            (r#"delete_key(attributes, "user.email")"#, None),
            ("nonsense", None),
            ("set(", None),
        ] {
            assert_eq!(Purpose::of(statement), expected, "{statement}");
        }
    }

    /// Scenario: a statement with commas and parentheses in calls and texts.
    /// Guarantees: it is read in its parts.
    #[test]
    fn a_statement_is_read_in_its_parts() {
        let text = r#" set(attributes["a"], Concat(["x,\")", b], "")) where IsMatch(name, "^,") "#;
        let read = Statement::read(text).unwrap();
        assert_eq!(read.arguments, [r#"attributes["a"]"#, r#"Concat(["x,\")", b], "")"#]);
        assert_eq!((read.editor, read.condition), ("set", Some(r#"IsMatch(name, "^,")"#)));
    }
}
