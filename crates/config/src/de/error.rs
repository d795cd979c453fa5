//! The deserialiser's own error, which gathers its path on the way out.

use std::fmt;

use serde::de::{Expected, Unexpected};

use crate::node::{Step, join_path};
use crate::redact::without_put_in;
use crate::suggest::{nearest, sorted_list};
use crate::{Node, Place, Problem};

/// Why a value could not be read, and at which path within the section.
#[derive(Debug)]
pub(crate) struct DeError(Box<Details>);

#[derive(Debug, Default)]
struct Details {
    /// Innermost step first.
    steps: Vec<Step>,
    /// The value was given as nothing and wants its default: no error yet.
    keeps_default: bool,
    /// The key that is not known.
    unknown_key: Option<String>,
    place: Option<Place>,
    message: String,
    suggestion: Option<String>,
    hint: Option<String>,
}

// === impl DeError ===

impl DeError {
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self(Box::new(Details { message: message.to_string(), ..Details::default() }))
    }

    /// Not an error yet: the field at this path was given as nothing and wants its default.
    pub(crate) fn null_keeps_default(expected: &str) -> Self {
        let mut error = Self::new(format_args!("expected {expected}, found nothing"));
        error.0.keeps_default = true;
        error
    }

    pub(crate) fn keeps_default(&self) -> bool {
        self.0.keeps_default
    }

    /// The path of the key that is not known, where that is what is wrong.
    pub(crate) fn unknown_key(&self) -> Option<Vec<Step>> {
        let key = self.0.unknown_key.clone()?;
        Some(self.steps().into_iter().chain([Step::Key(key)]).collect())
    }

    /// The path within the section, outermost step first.
    pub(crate) fn steps(&self) -> Vec<Step> {
        self.0.steps.iter().rev().cloned().collect()
    }

    /// The problem, its path behind that of the section.
    pub(crate) fn into_problem(self, section: &str) -> Problem {
        let path = join_path(section, &self.steps());
        let Details { place, message, suggestion, hint, .. } = *self.0;
        Problem { place, suggestion, hint, ..Problem::new(path, message) }
    }

    pub(crate) fn within(mut self, step: Step) -> Self {
        self.0.steps.push(step);
        self
    }

    /// Sets the place, unless a place further inside is known.
    pub(crate) fn at(mut self, place: Option<&Place>) -> Self {
        if self.0.place.is_none() {
            self.0.place = place.cloned();
        }
        self
    }

    /// The same without the value that it is about, where that was put in for `${...}`.
    pub(crate) fn hiding(mut self, node: &Node) -> Self {
        self.0.message = without_put_in(std::mem::take(&mut self.0.message), node);
        self
    }

    fn unknown(what: &str, name: &str, plural: &str, valid: &[&str]) -> Self {
        let mut error = Self::new(format_args!("unknown {what} {name:?}"));
        error.0.suggestion = nearest(name, valid.iter().copied());
        error.0.hint = (!valid.is_empty()).then(|| format!("valid {plural}: {}", sorted_list(valid)));
        error
    }
}

impl fmt::Display for DeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for DeError {}

impl serde::de::Error for DeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message)
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format_args!("expected {expected}, found {}", Found(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        if let Some(range) = range_of(&expected) {
            return Self::new(format_args!("expected a whole number {range}, found {}", Found(found)));
        }
        Self::new(format_args!("invalid value: {}, expected {expected}", Found(found)))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::new(format_args!("expected {expected}, found {length} items"))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown("value", variant, "values", expected)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let mut error = Self::unknown("key", field, "keys", expected);
        error.0.unknown_key = Some(field.to_owned());
        error
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format_args!("{field:?} must be given"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(format_args!("{field:?} is given twice"))
    }
}

/// The range of an integer type, which the standard library names by the type's name only.
fn range_of(integer: &str) -> Option<String> {
    let (min, max) = match integer {
        "u8" => (0, i128::from(u8::MAX)),
        "u16" => (0, i128::from(u16::MAX)),
        "u32" => (0, i128::from(u32::MAX)),
        "u64" | "usize" => (0, i128::from(u64::MAX)),
        "i8" => (i128::from(i8::MIN), i128::from(i8::MAX)),
        "i16" => (i128::from(i16::MIN), i128::from(i16::MAX)),
        "i32" => (i128::from(i32::MIN), i128::from(i32::MAX)),
        "i64" | "isize" => (i128::from(i64::MIN), i128::from(i64::MAX)),
        _ => return None,
    };
    Some(format!("from {min} to {max}"))
}

/// What was found, in a user's words.
struct Found<'a>(Unexpected<'a>);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Unexpected::Bool(value) => write!(f, "the boolean {value}"),
            Unexpected::Unsigned(value) => write!(f, "the number {value}"),
            Unexpected::Signed(value) => write!(f, "the number {value}"),
            Unexpected::Float(value) => write!(f, "the number {value}"),
            Unexpected::Str(value) => write!(f, "the string {value:?}"),
            Unexpected::Unit | Unexpected::Option => f.write_str("nothing"),
            Unexpected::Seq => f.write_str("a list"),
            Unexpected::Map => f.write_str("a map"),
            other => other.fmt(f),
        }
    }
}
