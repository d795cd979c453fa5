//! What is typed as a tag's value.

use super::number::Number;

/// What is typed as a tag's value in Jaeger's search box.
///
/// | typed | holds for |
/// |---|---|
/// | `claude-opus-5` | this text, a number or boolean written so, an array with such an element |
/// | `claude-*` | texts of this pattern; `*` alone: any value |
/// | `!=x`, `!=x*` | any other value, but some value |
/// | `<2000`, `<=5`, `>0.5`, `>=2s` | numbers, and texts that are numbers; durations are in seconds |
/// | `100..200` | numbers between, both included |
/// | `=<2000`, `=a*` | the text after the first `=`, as it is |
///
/// What follows `<` or `>` and is no number is compared as text with texts, and holds for no number.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Equal as text or as number.
    Equal(String),
    /// Of the pattern, given as what stands between its stars.
    Glob(Vec<String>),
    /// A value that the other condition does not hold for.
    Not(Box<Condition>),
    /// Compared with a number, or with a text where the bound is none.
    Compare(Comparison, Bound),
    /// A number between two, both included.
    Between(Number, Number),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

/// What is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// A number.
    Number(Number),
    /// A text that is no number.
    Text(String),
}

const COMPARISONS: [(&str, Comparison); 4] =
    [("<=", Comparison::AtMost), (">=", Comparison::AtLeast), ("<", Comparison::Less), (">", Comparison::Greater)];

// === impl Condition ===

impl Condition {
    /// Reads what was typed; every text means something.
    pub fn parse(typed: &str) -> Self {
        if let Some(other) = typed.strip_prefix("!=") {
            return Self::Not(Box::new(Self::text(other.trim_start())));
        }
        for (sign, comparison) in COMPARISONS {
            if let Some(bound) = typed.strip_prefix(sign) {
                return match bound.trim() {
                    "" => Self::Equal(typed.to_owned()),
                    bound => Self::Compare(comparison, Bound::parse(bound)),
                };
            }
        }
        if let Some((low, high)) = typed.split_once("..")
            && let (Some(low), Some(high)) = (Number::with_unit(low.trim()), Number::with_unit(high.trim()))
        {
            return Self::Between(low, high);
        }
        match typed.strip_prefix('=') {
            Some(exact) => Self::Equal(exact.to_owned()),
            None => Self::text(typed),
        }
    }

    fn text(text: &str) -> Self {
        match text.contains('*') {
            true => Self::Glob(text.split('*').map(str::to_owned).collect()),
            false => Self::Equal(text.to_owned()),
        }
    }
}

// === impl Comparison ===

impl Comparison {
    /// Whether it holds.
    pub(super) fn holds<T: PartialOrd + ?Sized>(self, value: &T, bound: &T) -> bool {
        match self {
            Self::Less => value < bound,
            Self::AtMost => value <= bound,
            Self::Greater => value > bound,
            Self::AtLeast => value >= bound,
        }
    }
}

// === impl Bound ===

impl Bound {
    fn parse(text: &str) -> Self {
        Number::with_unit(text).map_or_else(|| Self::Text(text.to_owned()), Self::Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(comparison: Comparison, bound: f64) -> Condition {
        Condition::Compare(comparison, Bound::Number(Number::Real(bound)))
    }

    /// Scenario: everything that may be typed.
    /// Guarantees: signs, ranges and stars compare; what only looks similar is a text.
    #[test]
    fn what_is_typed_is_understood() {
        let equal = |text: &str| Condition::Equal(text.into());
        for (typed, condition) in [
            ("<2000", compare(Comparison::Less, 2000.0)),
            ("<= 2000", compare(Comparison::AtMost, 2000.0)),
            (">0.5", compare(Comparison::Greater, 0.5)),
            (">=1e3", compare(Comparison::AtLeast, 1000.0)),
            (">22ms", compare(Comparison::Greater, 0.022)),
            (">= 5 s", compare(Comparison::AtLeast, 5.0)),
            (">=5sec", Condition::Compare(Comparison::AtLeast, Bound::Text("5sec".into()))),
            (">1.5h", compare(Comparison::Greater, 5400.0)),
            (">inf", Condition::Compare(Comparison::Greater, Bound::Text("inf".into()))),
            ("<a", Condition::Compare(Comparison::Less, Bound::Text("a".into()))),
            ("100..200", Condition::Between(Number::Whole(100), Number::Whole(200))),
            ("-1..1s", Condition::Between(Number::Whole(-1), Number::Real(1.0))),
            ("v1..v2", equal("v1..v2")),
            ("..", equal("..")),
            ("claude-*", Condition::Glob(vec!["claude-".into(), String::new()])),
            ("!=stop", Condition::Not(Box::new(equal("stop")))),
            ("!=a*", Condition::Not(Box::new(Condition::Glob(vec!["a".into(), String::new()])))),
            ("=<2000", equal("<2000")),
            ("=a*", equal("a*")),
            ("<", equal("<")),
            ("", equal("")),
            ("1200", equal("1200")),
        ] {
            assert_eq!(Condition::parse(typed), condition, "{typed}");
        }
    }
}
