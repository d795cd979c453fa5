//! A user's own prices, as far as they can be read out of statements with certainty.

use std::collections::BTreeMap;

use serde_yaml::{Mapping, Value};

use super::statements::{Statement, attribute};

/// What models cost, in US dollars a token.
#[derive(Debug, Default)]
pub(super) struct Prices {
    models: BTreeMap<String, Rates>,
    /// A statement prices who knows what.
    uncertain: bool,
}

/// What is known of one model.
#[derive(Debug, Default)]
struct Rates {
    input: Option<f64>,
    output: Option<f64>,
    /// Two statements say different things, or one says what is not understood.
    uncertain: bool,
}

/// A sum in which tokens stand by themselves: `input * tokens + output * tokens + constant`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Linear {
    input: f64,
    output: f64,
    constant: f64,
}

/// What is left to read of an expression.
struct Reader<'t> {
    rest: &'t str,
}

const INPUT: &[&str] =
    &["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.usage.prompt_tokens", "llm.token_count.prompt"];
const OUTPUT: &[&str] = &[
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.usage.completion_tokens",
    "llm.token_count.completion",
];
const MODELS: &[&str] = &["gen_ai.request.model", "gen_ai.response.model", "llm.request.model", "llm.model_name"];
const MILLION: f64 = 1_000_000.0;

// === impl Prices ===

impl Prices {
    /// Takes in what a statement that prices says.
    pub(super) fn learn(&mut self, text: &str) {
        let statement = Statement::read(text);
        let Some(model) = statement.as_ref().and_then(|statement| model(statement.condition?)) else {
            self.uncertain = true;
            return;
        };
        let rates = self.models.entry(model.to_owned()).or_default();
        let Some(sum) = statement.as_ref().and_then(|statement| Linear::read(statement.arguments.get(1)?)) else {
            rates.uncertain = true;
            return;
        };
        for (known, said) in [(&mut rates.input, sum.input), (&mut rates.output, sum.output)] {
            match known {
                _ if said == 0.0 => {}
                Some(known) => rates.uncertain |= *known != said,
                None => *known = Some(said),
            }
        }
    }

    /// What `pricing::overrides` says the same with: the models of which both rates are known.
    pub(super) fn overrides(&self) -> Vec<Value> {
        if self.uncertain {
            return Vec::new();
        }
        let written = |(model, rates): (&String, &Rates)| {
            let (input, output, false) = (rates.input?, rates.output?, rates.uncertain) else { return None };
            let entries =
                [("model", Value::from(model.as_str())), ("input", a_million(input)), ("output", a_million(output))];
            Some(Value::Mapping(entries.into_iter().map(|(key, value)| (Value::from(key), value)).collect::<Mapping>()))
        };
        self.models.iter().filter_map(written).collect()
    }
}

/// The rate for a million tokens, without what binary fractions leave behind.
fn a_million(rate: f64) -> Value {
    Value::from((rate * MILLION * 1e9).round() / 1e9)
}

/// The one model that a condition is true for: `attributes["gen_ai.request.model"] == "x"`, or a pattern that begins with it.
fn model(condition: &str) -> Option<&str> {
    let (path, text) = match condition.strip_prefix("IsMatch(") {
        Some(rest) => {
            let (path, pattern) = rest.strip_suffix(')')?.split_once(',')?;
            let pattern = pattern.trim().strip_prefix("\"^")?.strip_suffix('"')?;
            (path, pattern.strip_suffix('$').unwrap_or(pattern))
        }
        None => {
            let (path, text) = condition.split_once("==")?;
            (path, text.trim().strip_prefix('"')?.strip_suffix('"')?)
        }
    };
    let is_plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@".contains(c));
    (is_plain && MODELS.contains(&attribute(path)?)).then_some(text)
}

// === impl Linear ===

impl Linear {
    /// Reads an expression that is nothing but tokens at their rates.
    fn read(text: &str) -> Option<Self> {
        let mut reader = Reader { rest: text };
        let sum = reader.sum()?;
        (reader.rest.is_empty() && sum.constant == 0.0).then_some(sum)
    }

    fn scaled(self, by: f64) -> Self {
        Self { input: self.input * by, output: self.output * by, constant: self.constant * by }
    }

    fn is_constant(self) -> bool {
        self.input == 0.0 && self.output == 0.0
    }
}

// === impl Reader ===

impl Reader<'_> {
    fn sum(&mut self) -> Option<Linear> {
        let mut sum = self.product()?;
        while let Some(sign) = self.take_any(&['+', '-']) {
            let next = self.product()?.scaled(if sign == '-' { -1.0 } else { 1.0 });
            sum = Linear {
                input: sum.input + next.input,
                output: sum.output + next.output,
                constant: sum.constant + next.constant,
            };
        }
        Some(sum)
    }

    fn product(&mut self) -> Option<Linear> {
        let mut product = self.factor()?;
        while let Some(sign) = self.take_any(&['*', '/']) {
            let next = self.factor()?;
            product = match sign {
                '*' if next.is_constant() => product.scaled(next.constant),
                '*' if product.is_constant() => next.scaled(product.constant),
                '/' if next.is_constant() && next.constant != 0.0 => product.scaled(1.0 / next.constant),
                _ => return None,
            };
        }
        Some(product)
    }

    /// A number, the tokens of one side, or a sum in parentheses, which may be made a double of.
    fn factor(&mut self) -> Option<Linear> {
        self.rest = self.rest.trim_start();
        self.rest = self.rest.strip_prefix("Double").unwrap_or(self.rest);
        if self.take_any(&['(']).is_some() {
            let inner = self.sum()?;
            self.take_any(&[')'])?;
            return Some(inner);
        }
        let end = match self.rest.find(']') {
            Some(end) if self.rest.starts_with(['a', 's']) => end + 1,
            _ => self.rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(self.rest.len()),
        };
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.trim_start();
        match attribute(word) {
            Some(name) if INPUT.contains(&name) => Some(Linear { input: 1.0, ..Linear::default() }),
            Some(name) if OUTPUT.contains(&name) => Some(Linear { output: 1.0, ..Linear::default() }),
            Some(_) => None,
            None => word.parse().ok().map(|constant| Linear { constant, ..Linear::default() }),
        }
    }

    fn take_any(&mut self, wanted: &[char]) -> Option<char> {
        self.rest = self.rest.trim_start();
        let first = self.rest.chars().next().filter(|first| wanted.contains(first))?;
        self.rest = self.rest.get(first.len_utf8()..).unwrap_or_default().trim_start();
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(statements: &[&str]) -> String {
        let mut prices = Prices::default();
        statements.iter().for_each(|statement| prices.learn(statement));
        serde_yaml::to_string(&prices.overrides()).unwrap()
    }

    /// Scenario: rates in one sum, and in a statement each; written as fractions and by the million.
    /// Guarantees: they become prices a million tokens, exactly.
    #[test]
    fn rates_are_read() {
        let one = r#"set(attributes["cost"], attributes["gen_ai.usage.input_tokens"] * 0.0000025 + (Double(attributes["gen_ai.usage.output_tokens"]) * 10) / 1000000) where attributes["gen_ai.request.model"] == "one""#;
        let input = r#"set(span.attributes["in"], Double(span.attributes["gen_ai.usage.input_tokens"]) * 0.15/1000000) where IsMatch(span.attributes["gen_ai.request.model"], "^two")"#;
        let output = r#"set(span.attributes["out"], 0.6/1000000 * span.attributes["gen_ai.usage.output_tokens"]) where IsMatch(span.attributes["gen_ai.request.model"], "^two$")"#;
        insta::assert_snapshot!(learned(&[one, input, output]), @r#"
        - model: one
          input: 2.5
          output: 10.0
        - model: two
          input: 0.15
          output: 0.6
        "#);
    }

    /// Scenario: one rate only, two rates for one, and statements that are not understood.
    /// Guarantees: no price is guessed.
    #[test]
    fn nothing_is_guessed() {
        let of = |value: &str, when: &str| format!("set(attributes[\"cost\"], {value}) where {when}");
        let (input, output) =
            (r#"attributes["gen_ai.usage.input_tokens"]"#, r#"attributes["gen_ai.usage.output_tokens"]"#);
        let model = r#"attributes["gen_ai.request.model"] == "m""#;
        let both = of(&format!("{input} * 2 + {output} * 3"), model);
        assert!(learned(&[&both]).contains("model: m"));
        for other in [
            of(&format!("{input} * 3 + {output} * 3"), model),
            of(&format!("{input} * {output}"), model),
            of(&format!("{input} * 2 + 1"), model),
            of(r#"attributes["gen_ai.usage.cache_read.input_tokens"] * 1"#, model),
            of(&format!("{input} * 2"), r#"attributes["team"] == "a""#),
            of(&format!("{input} * 2"), r#"attributes["gen_ai.request.model"] == "m" and attributes["team"] == "a""#),
            of(&format!("{input} * 2"), r#"IsMatch(attributes["gen_ai.request.model"], "^(m|n)")"#),
        ] {
            assert_eq!(learned(&[&both, &other]), "[]\n", "{other}");
        }
        assert_eq!(learned(&[&of(&format!("{input} * 2"), model)]), "[]\n");
    }
}
