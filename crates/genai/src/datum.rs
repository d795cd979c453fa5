//! Values as they are found, and what can be read from them: numbers in text, text in JSON, times in several units.

use std::borrow::Cow;

use serde_json::Value as Json;
use spanmill_otlp::{AnyValue, ValueRef};

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

/// The same for the texts of Python values.
const LONGEST_PYTHON: usize = 1 << 16;

// === impl Strings ===

impl Strings<'_> {
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

    /// Strings: an array, one string, or the JSON text of an array.
    pub(crate) fn strings(self) -> Option<Strings<'a>> {
        match self {
            Self::Text(text) if text.trim_start().starts_with('[') => {
                let items: Vec<Json> = serde_json::from_str(&text).ok()?;
                many(items.iter())
            }
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
            Unit::Plain | Unit::JsonText => self.double(),
            Unit::Milliseconds => Some(self.double()? / 1e3),
            Unit::Nanoseconds => Some(self.double()? / 1e9),
            Unit::EpochMilliseconds => Some(self.double()? / 1e3 - start as f64 / 1e9),
            Unit::Instant => {
                let Self::Text(text) = self else { return None };
                let nanos = instant(text.trim_matches('"'))?;
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

    /// The JSON document that a text holds; also the text of a Python dict.
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
/// `$` the last element.
pub(crate) fn member<'a>(json: &Json, path: &[Box<str>]) -> Option<Datum<'a>> {
    let Some((step, rest)) = path.split_first() else {
        return Some(Datum::from_json(json)).filter(|datum| !matches!(datum, Datum::Nothing));
    };
    match json {
        Json::Object(entries) if &**step == "*" => entries.values().find_map(|entry| member(entry, rest)),
        Json::Object(entries) => member(entries.get(&**step)?, rest),
        Json::Array(items) if &**step == "$" => member(items.last()?, rest),
        Json::Array(items) if &**step == "*" => items.iter().find_map(|item| member(item, rest)),
        Json::Array(items) => member(items.get(step.parse::<usize>().ok()?)?, rest),
        // A document inside a document, as text.
        Json::String(text) if text.starts_with(['{', '[']) => member(&document(text)?, path),
        _ => None,
    }
}

fn document(text: &str) -> Option<Json> {
    let text = text.trim();
    if !text.starts_with(['{', '[', '"']) {
        return None;
    }
    serde_json::from_str(text).ok().or_else(|| python(text))
}

/// Reads what Python prints of a dict or a list: quotes and words are turned into those of JSON.
fn python(text: &str) -> Option<Json> {
    if !text.starts_with(['{', '[']) || text.len() > LONGEST_PYTHON {
        return None;
    }
    let mut json = String::with_capacity(text.len() + 16);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\'' | '"' => python_string(character, &mut characters, &mut json),
            letter if letter.is_ascii_alphabetic() => {
                let mut word = String::from(letter);
                while let Some(next) = characters.next_if(|next| next.is_ascii_alphanumeric()) {
                    word.push(next);
                }
                json.push_str(match word.as_str() {
                    "None" | "nan" | "inf" => "null",
                    "True" => "true",
                    "False" => "false",
                    _ => return None,
                });
            }
            other => json.push(other),
        }
    }
    serde_json::from_str(&json).ok()
}

/// Copies a string literal up to its closing quote.
fn python_string(quote: char, characters: &mut impl Iterator<Item = char>, json: &mut String) {
    json.push('"');
    while let Some(character) = characters.next() {
        match character {
            end if end == quote => break,
            '"' => json.push_str("\\\""),
            '\\' => match characters.next() {
                Some('\'') => json.push('\''),
                Some('x') => json.push_str("\\u00"),
                Some(escaped) => json.extend(['\\', escaped]),
                None => break,
            },
            other => json.push(other),
        }
    }
    json.push('"');
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

/// Nanoseconds since 1970 of an RFC 3339 instant; one without an offset is taken as UTC.
fn instant(text: &str) -> Option<i128> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let mut rest = text.get(19..)?;
    let mut nanos = 0i128;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.len() - fraction.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let kept = fraction.get(..digits.min(9))?;
        nanos = kept.parse::<i128>().ok()? * 10i128.pow(9 - kept.len() as u32);
        rest = fraction.get(digits..)?;
    }
    let offset = match rest {
        "" | "Z" | "z" => 0,
        _ => {
            let sign = if rest.starts_with('-') { -1 } else { 1 };
            let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
            let (hours, minutes) = (digits.get(0..2)?.parse::<i64>().ok()?, digits.get(2..4)?.parse::<i64>().ok()?);
            sign * (hours * 3_600 + minutes * 60)
        }
    };
    // Days since 1970 by the proleptic Gregorian calendar, counted from March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    Some(i128::from(seconds) * 1_000_000_000 + nanos)
}
