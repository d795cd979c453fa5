//! Conditions on values of any type.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;

use super::condition::{Bound, Condition};
use super::number::Number;

// === impl Condition ===

impl Condition {
    /// Whether it holds for an attribute's value.
    pub(crate) fn holds(&self, value: &AnyValue) -> bool {
        match (self, &value.value) {
            (Self::Not(other), Some(_)) => !other.holds(value),
            (_, None) => false,
            (_, Some(Value::ArrayValue(array))) => {
                array.values.iter().any(|element| self.holds(element)) || self.holds_for_text(&text(value))
            }
            (Self::Compare(comparison, Bound::Number(bound)), Some(value)) => {
                number(value).is_some_and(|number| comparison.holds(&number, bound))
            }
            (Self::Compare(_, Bound::Text(_)), Some(Value::IntValue(_) | Value::DoubleValue(_))) => false,
            (Self::Between(low, high), Some(value)) => {
                number(value).is_some_and(|number| (*low..=*high).contains(&number))
            }
            (Self::Equal(wanted), Some(Value::IntValue(_) | Value::DoubleValue(_))) => {
                let same =
                    Number::plain(wanted).is_some_and(|wanted| value.value.as_ref().and_then(number) == Some(wanted));
                same || text(value) == *wanted
            }
            _ => self.holds_for_text(&text(value)),
        }
    }

    /// Whether it holds for a text.
    pub(crate) fn holds_for_text(&self, text: &str) -> bool {
        match self {
            Self::Equal(wanted) => text == wanted,
            Self::Glob(pieces) => matches(pieces, text),
            Self::Not(other) => !other.holds_for_text(text),
            Self::Compare(comparison, Bound::Number(bound)) => {
                Number::plain(text).is_some_and(|number| comparison.holds(&number, bound))
            }
            Self::Compare(comparison, Bound::Text(bound)) => comparison.holds(text, bound.as_str()),
            Self::Between(low, high) => Number::plain(text).is_some_and(|number| (*low..=*high).contains(&number)),
        }
    }
}

fn number(value: &Value) -> Option<Number> {
    match value {
        Value::IntValue(number) => Some(Number::Whole(*number)),
        Value::DoubleValue(number) => Some(Number::Real(*number)),
        Value::StringValue(text) => Number::plain(text),
        _ => None,
    }
}

/// A value as Jaeger writes it.
pub(crate) fn text(value: &AnyValue) -> Cow<'_, str> {
    match &value.value {
        Some(Value::StringValue(text)) => Cow::Borrowed(text),
        Some(Value::BytesValue(bytes)) => Cow::Owned(STANDARD.encode(bytes)),
        Some(Value::BoolValue(flag)) => Cow::Borrowed(if *flag { "true" } else { "false" }),
        Some(Value::IntValue(number)) => Cow::Owned(number.to_string()),
        Some(Value::DoubleValue(number)) => Cow::Owned(number.to_string()),
        Some(Value::ArrayValue(_) | Value::KvlistValue(_)) => Cow::Owned(json(value).to_string()),
        None | Some(Value::StringValueStrindex(_)) => Cow::Borrowed(""),
    }
}

fn json(value: &AnyValue) -> serde_json::Value {
    match &value.value {
        Some(Value::ArrayValue(array)) => array.values.iter().map(json).collect(),
        Some(Value::KvlistValue(map)) => {
            let entries = map.values.iter().filter_map(|pair| Some((pair.key.clone(), json(pair.value.as_ref()?))));
            serde_json::Value::Object(entries.collect())
        }
        Some(Value::BoolValue(flag)) => (*flag).into(),
        Some(Value::IntValue(number)) => (*number).into(),
        // As Go: a whole double has no fraction.
        Some(Value::DoubleValue(number)) if number.fract() == 0.0 && number.abs() < 9e15 => (*number as i64).into(),
        Some(Value::DoubleValue(number)) => (*number).into(),
        None => serde_json::Value::Null,
        Some(_) => text(value).into_owned().into(),
    }
}

/// Whether the text is these pieces with anything in between.
fn matches(pieces: &[String], text: &str) -> bool {
    let [first, middle @ .., last] = pieces else { return false };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    for piece in middle {
        let Some((_, after)) = rest.split_once(piece.as_str()) else { return false };
        rest = after;
    }
    rest.ends_with(last.as_str())
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::ArrayValue;

    use super::*;

    fn any(value: Value) -> AnyValue {
        AnyValue { value: Some(value) }
    }

    fn holds(typed: &str, value: Value) -> bool {
        Condition::parse(typed).holds(&any(value))
    }

    /// Scenario: numbers, texts, booleans, arrays and bytes, against everything that may be typed.
    /// Guarantees: numbers compare as numbers whatever their type, texts as texts, arrays by each element.
    #[test]
    fn values_are_compared_by_what_they_are() {
        let text = |text: &str| Value::StringValue(text.into());
        assert!(holds("<2000", Value::IntValue(1200)) && !holds("<2000", Value::IntValue(2000)));
        assert!(holds("<2000", Value::DoubleValue(1999.5)) && !holds("<2000", Value::DoubleValue(f64::NAN)));
        assert!(holds("<2000", text("1200")) && !holds("<2000", text("many")) && !holds(">1", text("Infinity")));
        assert!(holds("1200.0", Value::IntValue(1200)) && holds("1200", Value::DoubleValue(1200.0)));
        assert!(!holds("1200.0", text("1200")) && holds("NaN", Value::DoubleValue(f64::NAN)));
        assert!(holds("true", Value::BoolValue(true)) && holds("!=true", Value::BoolValue(false)));
        assert!(holds("gpt-*-mini", text("gpt-5-mini")) && !holds("gpt-*-mini", text("gpt-mini")));
        assert!(!holds("a*a", text("a")) && holds("*", text("")) && holds("*b*", text("abc")));
        assert!(holds(">=claude", text("gpt")) && !holds(">=claude", text("bard")));
        assert!(!holds(">=5sec", Value::IntValue(6)) && !holds("<2,000", Value::IntValue(1)));
        assert!(!holds("<2k", Value::DoubleValue(1.0)) && holds(">=5 s", Value::DoubleValue(6.0)));
        let (odd, even) = (9_007_199_254_740_993, 9_007_199_254_740_992);
        assert!(holds(">9007199254740992", Value::IntValue(odd)) && !holds(">9007199254740992", Value::IntValue(even)));
        assert!(holds("9007199254740993", Value::IntValue(odd)) && !holds("9007199254740993", Value::IntValue(even)));
        let array = || Value::ArrayValue(ArrayValue { values: vec![any(text("stop")), any(text("length"))] });
        assert!(holds("stop", array()) && holds(r#"["stop","length"]"#, array()) && !holds("sto", array()));
        assert!(!holds("!=stop", array()) && holds("!=other", array()));
        assert!(holds("eA==", Value::BytesValue(vec![b'x'])));
        assert!(!Condition::parse("!=x").holds(&AnyValue { value: None }));
    }
}
