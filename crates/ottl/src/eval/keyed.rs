//! Values inside of values: what keys lead to, and how it is set.

use spanmill_otlp::{AnyValue, ValueRef};

use super::EvalError;
use super::expr::Key;
use super::frame::Frame;
use super::given::Given;
use super::val::{Val, elements, entries, put_delimited, put_entry};

/// A key, computed.
#[derive(Debug, Clone)]
pub(super) enum Resolved<'a> {
    Name(&'a [u8]),
    Index(i64),
    /// Neither, or it could not be computed.
    Failed(EvalError),
}

pub(super) type Changed<'a> = (Option<ValueRef<'a>>, Result<(), EvalError>);

/// Longest list that setting an index makes of nothing.
const MAX_NEW_LIST: i64 = 4096;

// === impl Resolved ===

impl Resolved<'_> {
    /// The same, where it could be computed.
    pub(super) fn named(self) -> Result<Self, EvalError> {
        match self {
            Self::Failed(error) => Err(error),
            other => Ok(other),
        }
    }

    fn wrong(&self, expected: &'static str) -> EvalError {
        match self {
            Self::Failed(error) => error.clone(),
            Self::Name(_) => EvalError::Type { expected, found: "string" },
            Self::Index(_) => EvalError::Type { expected, found: "int" },
        }
    }
}

pub(super) fn resolve<'a>(keys: &'a [Key], frame: &mut Frame<'a>) -> Vec<Resolved<'a>> {
    keys.iter().map(|key| resolve_one(key, frame)).collect()
}

pub(super) fn resolve_one<'a>(key: &'a Key, frame: &mut Frame<'a>) -> Resolved<'a> {
    match key {
        Key::String(name) => Resolved::Name(name.as_bytes()),
        Key::Int(index) => Resolved::Index(*index),
        Key::Expr(expr) => match Given::of(expr, frame) {
            Err(error) => Resolved::Failed(error),
            Ok(given) => match given.get() {
                AnyValue::Text(name) => Resolved::Name(name),
                AnyValue::Int(index) => Resolved::Index(index),
                _ => Resolved::Failed(EvalError::Type { expected: "string or int as key", found: given.type_name() }),
            },
        },
    }
}

/// Follows keys into a value; none where a map has no such entry.
pub(super) fn follow<'a>(
    value: Option<ValueRef<'a>>,
    keys: &[Resolved<'a>],
) -> Result<Option<ValueRef<'a>>, EvalError> {
    let Some(mut value) = value else { return Ok(None) };
    for key in keys {
        value = match (value.get(), key) {
            (AnyValue::Map(body), Resolved::Name(name)) => match entries(body).find(|(known, _)| known == name) {
                Some((_, found)) => found,
                None => return Ok(None),
            },
            (AnyValue::Map(_), key) => return Err(key.wrong("string as key of a map")),
            (AnyValue::Array(body), Resolved::Index(index)) => {
                let at = usize::try_from(*index).map_err(|_| EvalError::Bounds(*index))?;
                elements(body).nth(at).ok_or(EvalError::Bounds(*index))?
            }
            (AnyValue::Array(_), key) => return Err(key.wrong("int as index of a list")),
            _ => return Err(EvalError::Unsupported { what: "an indexed value", found: Val::of(value).type_name() }),
        };
    }
    Ok(Some(value))
}

/// What keys lead to that are written in the text; nothing where any of them leads nowhere, which only the general way can judge.
pub(super) fn at<'a>(value: ValueRef<'a>, keys: &[Key]) -> Option<ValueRef<'a>> {
    keys.iter().try_fold(value, |value, key| match (value.get(), key) {
        (AnyValue::Map(body), Key::String(name)) => {
            entries(body).find(|(known, _)| *known == name.as_bytes()).map(|(_, found)| found)
        }
        (AnyValue::Array(body), Key::Int(index)) => elements(body).nth(usize::try_from(*index).ok()?),
        _ => None,
    })
}

/// What an attribute becomes that is set as a whole. Where it was not there, it is made even if the value cannot be put.
pub(super) fn replaced<'a>(frame: &mut Frame<'a>, current: Option<ValueRef<'a>>, given: Given<'a>) -> Changed<'a> {
    match given {
        Given::Nil => (Some(ValueRef::new(&[])), Ok(())),
        Given::Value(value) => (Some(value), Ok(())),
        _ => inside(frame, current, &[], given),
    }
}

/// What an attribute becomes where something inside it is set.
pub(super) fn inside<'a>(
    frame: &mut Frame<'a>,
    current: Option<ValueRef<'a>>,
    keys: &[Resolved<'a>],
    given: Given<'a>,
) -> Changed<'a> {
    let mut scratch = frame.take_scratch();
    let before = current.unwrap_or(ValueRef::new(&[]));
    let result = set_in(&mut scratch, before, keys, given);
    (Some(ValueRef::new(frame.store(scratch))), result)
}

/// Writes a value of which the part that the keys lead to is replaced. What keys lead to is made on the way where there
/// was nothing, and stays where the end cannot be reached, as Go leaves it.
fn set_in<'a>(
    out: &mut Vec<u8>,
    current: ValueRef<'a>,
    keys: &[Resolved<'a>],
    given: Given<'a>,
) -> Result<(), EvalError> {
    let Some((key, rest)) = keys.split_first() else { return given.put(current, out) };
    let nothing = ValueRef::new(&[]);
    let (mut body, mut inner) = (Vec::new(), Vec::new());
    match (current.get(), key) {
        (AnyValue::Map(map), Resolved::Name(name)) => {
            let mut result = None;
            for (known, value) in entries(map) {
                if known == *name && result.is_none() {
                    inner.clear();
                    result = Some(set_in(&mut inner, value, rest, given));
                    put_entry(&mut body, known, &inner);
                } else {
                    put_entry(&mut body, known, value.raw());
                }
            }
            let result = result.unwrap_or_else(|| {
                inner.clear();
                let result = set_in(&mut inner, nothing, rest, given);
                put_entry(&mut body, name, &inner);
                result
            });
            put_delimited(out, 0x32, &body);
            result
        }
        (AnyValue::Array(list), Resolved::Index(index)) => {
            let at = usize::try_from(*index).ok().filter(|at| *at < elements(list).count());
            let Some(at) = at else {
                out.extend_from_slice(current.raw());
                return Err(EvalError::Bounds(*index));
            };
            let mut result = Ok(());
            for (number, value) in elements(list).enumerate() {
                if number == at {
                    result = set_in(&mut inner, value, rest, given);
                    put_delimited(&mut body, 0x0a, &inner);
                } else {
                    put_delimited(&mut body, 0x0a, value.raw());
                }
            }
            put_delimited(out, 0x2a, &body);
            result
        }
        (AnyValue::Empty, Resolved::Name(name)) => {
            let result = set_in(&mut inner, nothing, rest, given);
            put_entry(&mut body, name, &inner);
            put_delimited(out, 0x32, &body);
            result
        }
        (AnyValue::Empty, Resolved::Index(index)) => {
            if *index > MAX_NEW_LIST {
                return Err(EvalError::Bounds(*index));
            }
            for _ in 0..*index {
                put_delimited(&mut body, 0x0a, &[]);
            }
            let result = set_in(&mut inner, nothing, rest, given);
            put_delimited(&mut body, 0x0a, &inner);
            put_delimited(out, 0x2a, &body);
            result
        }
        (found, key) => {
            out.extend_from_slice(current.raw());
            Err(match found {
                AnyValue::Map(_) => key.wrong("string as key of a map"),
                AnyValue::Array(_) => key.wrong("int as index of a list"),
                AnyValue::Empty => key.wrong("string or int as key"),
                _ => EvalError::Unsupported { what: "an indexed value", found: Val::of(current).type_name() },
            })
        }
    }
}
