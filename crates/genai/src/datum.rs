//! Values as they are found, and what can be read from them: numbers in text, text in JSON, times in several units.

use std::borrow::Cow;

use serde_json::Value as Json;
use spanmill_otlp::{AnyValue, ValueRef};

use crate::instant::{duration, epoch, instant};
use crate::python;
use crate::source::Unit;

/// A value of an attribute or of a member of a JSON document.
#[derive(Debug, Clone)]
pub(crate) enum Datum<'a> {
    Text(Cow<'a, str>),
    Int(i64),
    Double(f64),
    Bool(bool),
    /// An array, a map or bytes.
    Encoded(ValueRef<'a>),
    Json(Json),
    Nothing,
}

/// An array of strings, in the form it was found in.
#[derive(Debug, Clone)]
pub(crate) enum Strings<'a> {
    /// One string.
    One(Cow<'a, str>),
    /// An encoded array that holds nothing but strings.
    Encoded(ValueRef<'a>),
    /// Several strings.
    Many(Vec<String>),
}

/// Texts longer than this are not looked at for what they say.
const LONGEST_DOCUMENT: usize = 1 << 20;

/// Whether a text only says that there is nothing to be said: `<no_finish_reason_provided>`, `unknown`, `None`.
pub(crate) fn is_placeholder(text: &str) -> bool {
    const WORDS: [&str; 6] = ["none", "null", "unknown", "undefined", "n/a", "nil"];
    text.starts_with('<') && text.ends_with('>') || WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

// === impl Strings ===

impl Strings<'_> {
    /// Whether any of them tells something.
    pub(crate) fn tells(&self) -> bool {
        match self {
            Self::One(one) => !is_placeholder(one),
            Self::Encoded(list) => list.elements().any(|one| one.as_str().is_some_and(|one| !is_placeholder(one))),
            Self::Many(many) => many.iter().any(|one| !is_placeholder(one)),
        }
    }

    /// The string at that place.
    pub(crate) fn get(&self, at: usize) -> Option<String> {
        match self {
            Self::One(one) => (at == 0).then(|| one.clone().into_owned()),
            Self::Encoded(list) => list.elements().nth(at)?.as_str().map(str::to_owned),
            Self::Many(many) => many.get(at).cloned(),
        }
    }
}

// === impl Datum ===

impl<'a> Datum<'a> {
    #[inline]
    pub(crate) fn read(value: ValueRef<'a>) -> Self {
        match value.get() {
            AnyValue::Text(text) => match std::str::from_utf8(text) {
                Ok(text) => Self::Text(Cow::Borrowed(text)),
                Err(_) => Self::Nothing,
            },
            AnyValue::Int(number) => Self::Int(number),
            AnyValue::Double(number) => Self::Double(number),
            AnyValue::Bool(flag) => Self::Bool(flag),
            AnyValue::Array(_) | AnyValue::Map(_) | AnyValue::Bytes(_) => Self::Encoded(value),
            AnyValue::Empty => Self::Nothing,
        }
    }

    pub(crate) fn from_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::Nothing,
            Json::Bool(flag) => Self::Bool(*flag),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Self::Int(whole),
                (None, Some(number)) => Self::Double(number),
                (None, None) => Self::Nothing,
            },
            Json::String(text) => Self::Text(Cow::Owned(text.clone())),
            Json::Array(_) | Json::Object(_) => Self::Json(json.clone()),
        }
    }

    /// Text whose JSON quotes are taken off.
    pub(crate) fn unquoted(self) -> Self {
        match &self {
            Self::Text(text) if text.starts_with('"') => match serde_json::from_str::<String>(text) {
                Ok(inner) => Self::Text(Cow::Owned(inner)),
                Err(_) => self,
            },
            Self::Text(text) if &**text == "null" => Self::Nothing,
            _ => self,
        }
    }

    pub(crate) fn is_url(&self) -> bool {
        matches!(self, Self::Text(text) if text.contains("://"))
    }

    /// The host in a URL.
    pub(crate) fn host(self) -> Self {
        match self {
            Self::Text(Cow::Borrowed(url)) => host(url).map_or(Self::Nothing, |host| Self::Text(Cow::Borrowed(host))),
            Self::Text(Cow::Owned(url)) => {
                host(&url).map_or(Self::Nothing, |host| Self::Text(Cow::Owned(host.to_owned())))
            }
            _ => Self::Nothing,
        }
    }

    /// A whole number: also from a double without a fraction, and from decimal text.
    pub(crate) fn int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Double(number) => whole(*number),
            Self::Text(text) => {
                let text = text.trim();
                text.parse().ok().or_else(|| text.parse().ok().and_then(whole)).or_else(|| wrapped_int(text))
            }
            _ => None,
        }
    }

    /// A token count: a whole number that is not negative.
    pub(crate) fn count(&self) -> Option<i64> {
        self.int().filter(|count| *count >= 0)
    }

    /// A finite number.
    pub(crate) fn double(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Double(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
        .filter(|number| number.is_finite())
    }

    pub(crate) fn bool(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            Self::Int(0) => Some(false),
            Self::Int(1) => Some(true),
            Self::Text(text) if text.eq_ignore_ascii_case("true") || &**text == "1" => Some(true),
            Self::Text(text) if text.eq_ignore_ascii_case("false") || &**text == "0" => Some(false),
            _ => None,
        }
    }

    /// Text that is not empty; numbers and booleans are printed.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) if !is_blank(&text) => Some(text),
            Self::Int(number) => Some(Cow::Owned(number.to_string())),
            Self::Bool(flag) => Some(Cow::Owned(flag.to_string())),
            _ => None,
        }
    }

    /// Text that tells something.
    pub(crate) fn told(self) -> Option<Cow<'a, str>> {
        self.text().filter(|text| !is_placeholder(text))
    }

    /// Strings: an array, one string, or the text of an array, as JSON or as Python prints it.
    pub(crate) fn strings(self) -> Option<Strings<'a>> {
        match self {
            Self::Text(text) if text.trim_start().starts_with('[') => match document(&text)? {
                Json::Array(items) => many(items.iter()),
                _ => None,
            },
            Self::Text(text) if !is_blank(&text) => Some(Strings::One(text)),
            Self::Encoded(array) => {
                let mut elements = array.elements().peekable();
                elements.peek()?;
                elements
                    .all(|item| item.as_str().is_some_and(|text| !text.is_empty()))
                    .then_some(Strings::Encoded(array))
            }
            Self::Json(Json::Array(items)) => many(items.iter()),
            _ => None,
        }
    }

    /// Seconds, from a number in that unit; instants count from `start` (nanoseconds since 1970).
    pub(crate) fn seconds(&self, unit: Unit, start: u64) -> Option<f64> {
        match unit {
            Unit::Plain | Unit::JsonText | Unit::Host => self.double().or_else(|| match self {
                Self::Text(text) => duration(text),
                _ => None,
            }),
            Unit::Milliseconds => Some(self.double()? / 1e3),
            Unit::Nanoseconds => Some(self.double()? / 1e9),
            Unit::EpochMilliseconds => Some(self.double()? / 1e3 - start as f64 / 1e9),
            Unit::Instant => {
                let nanos = match self {
                    Self::Text(text) => instant(text.trim_matches('"'))?,
                    _ => epoch(self.double()?)?,
                };
                Some((nanos - i128::from(start)) as f64 / 1e9)
            }
        }
    }

    /// The text of a document: text as it is, anything structured as JSON.
    pub(crate) fn document_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Encoded(_) | Self::Json(_) => Some(Cow::Owned(self.json().to_string())),
            _ => None,
        }
    }

    /// The value as JSON; text stays text.
    pub(crate) fn json(&self) -> Json {
        match self {
            Self::Text(text) => Json::String(text.clone().into_owned()),
            Self::Int(number) => (*number).into(),
            Self::Double(number) => (*number).into(),
            Self::Bool(flag) => (*flag).into(),
            Self::Encoded(value) => encoded(*value, 0),
            Self::Json(json) => json.clone(),
            Self::Nothing => Json::Null,
        }
    }

    /// The JSON document that a text holds, also one that Python printed.
    pub(crate) fn document(&self) -> Option<Json> {
        match self {
            Self::Text(text) if text.len() <= LONGEST_DOCUMENT => document(text),
            Self::Json(json) => Some(json.clone()),
            Self::Encoded(value) => Some(encoded(*value, 0)),
            _ => None,
        }
    }
}

/// The member of a document at a path of keys and array positions. `*` takes the first element, or entry, that has the rest,
/// `$` the last element, `modality=IMAGE` the first element with that member. A document inside it that is text is opened for good: many paths lead into it.
pub(crate) fn member<'a>(json: &mut Json, path: &[Box<str>]) -> Option<Datum<'a>> {
    let Some((step, rest)) = path.split_first() else {
        return Some(Datum::from_json(json)).filter(|datum| !matches!(datum, Datum::Nothing));
    };
    if let Json::String(text) = json {
        *json = document(text).filter(|inner| inner.is_object() || inner.is_array())?;
    }
    match json {
        Json::Object(entries) if &**step == "*" => entries.values_mut().find_map(|entry| member(entry, rest)),
        Json::Object(entries) => member(entries.get_mut(&**step)?, rest),
        Json::Array(items) if &**step == "$" => member(items.last_mut()?, rest),
        Json::Array(items) if &**step == "*" => items.iter_mut().find_map(|item| member(item, rest)),
        Json::Array(items) if step.contains('=') => {
            let (name, value) = step.split_once('=')?;
            member(items.iter_mut().find(|item| item.get(name).and_then(Json::as_str) == Some(value))?, rest)
        }
        Json::Array(items) => member(items.get_mut(step.parse::<usize>().ok()?)?, rest),
        _ => None,
    }
}

fn document(text: &str) -> Option<Json> {
    let text = text.trim();
    if text.starts_with(['{', '[', '"']) {
        return serde_json::from_str(text).ok().or_else(|| python::parse(text));
    }
    if python::may_be_object(text) { python::parse(text) } else { python::fields(text) }
}

/// `https://user@api.openai.com:443/v1`
fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    // The address of IPv6 has colons of its own.
    let host = if host.starts_with('[') { host.split_inclusive(']').next()? } else { host.split(':').next()? };
    (!host.is_empty()).then_some(host)
}

/// `{"intValue":N}`, as some SDKs print a number.
fn wrapped_int(text: &str) -> Option<i64> {
    let json: Json = serde_json::from_str(text.strip_prefix('{').map(|_| text)?).ok()?;
    let number = json.get("intValue")?;
    number.as_i64().or_else(|| number.as_str()?.parse().ok())
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_whitespace())
}

fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64)
}

fn many<'a, 'j>(items: impl Iterator<Item = &'j Json>) -> Option<Strings<'a>> {
    let strings: Vec<String> = items.filter_map(|item| item.as_str().map(str::to_owned)).collect();
    (!strings.is_empty()).then_some(Strings::Many(strings))
}

/// An encoded value as JSON, to a bounded depth.
fn encoded(value: ValueRef<'_>, depth: u8) -> Json {
    match Datum::read(value) {
        Datum::Text(text) => Json::String(text.into_owned()),
        Datum::Int(number) => number.into(),
        Datum::Double(number) => number.into(),
        Datum::Bool(flag) => flag.into(),
        Datum::Encoded(_) if depth < 16 => match value.get() {
            AnyValue::Array(_) => value.elements().map(|item| encoded(item, depth + 1)).collect(),
            AnyValue::Map(_) => value
                .entries()
                .map(|(key, item)| (String::from_utf8_lossy(key).into_owned(), encoded(item, depth + 1)))
                .collect(),
            _ => Json::Null,
        },
        _ => Json::Null,
    }
}
