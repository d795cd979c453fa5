//! What expressions give. Values borrow from the request or from the program wherever they can.

use std::borrow::Cow;

use spanmill_otlp::{AnyValue, Message, StatusRef, Value, ValueRef};

use super::EvalError;
use super::piece::Piece;
pub(crate) use crate::functions::time::Time;

/// A value at run time. Maps and slices are kept encoded, as OTLP has them.
#[derive(Debug, Clone)]
pub(crate) enum Val<'a> {
    Nil,
    Bool(bool),
    Int(i64),
    Double(f64),
    Str(Cow<'a, [u8]>),
    Bytes(Cow<'a, [u8]>),
    Map(MapVal<'a>),
    /// An encoded `ArrayValue`.
    Slice(Cow<'a, [u8]>),
    /// A list that was written in the text.
    List(ListVal<'a>),
    /// What `Split` gives: it compares with nothing.
    Strings(Vec<Cow<'a, [u8]>>),
    Time(Time),
    /// Nanoseconds.
    Duration(i64),
    TraceId([u8; 16]),
    SpanId([u8; 8]),
    /// The events of a span.
    Events(&'a Message<'a>),
    /// The links of a span.
    Links(&'a Message<'a>),
    Status(StatusRef<'a>),
    /// A part of a metric that no attribute can hold.
    Piece(Piece<'a>),
}

/// A map.
#[derive(Debug, Clone)]
pub(crate) enum MapVal<'a> {
    /// An encoded `KeyValueList`.
    Encoded(Cow<'a, [u8]>),
    /// The attributes of a message, in the field of that number.
    Attributes(&'a Message<'a>, u32),
}

/// Several values.
#[derive(Debug, Clone)]
pub(crate) enum ListVal<'a> {
    Borrowed(&'a [Val<'a>]),
    Owned(Vec<Val<'a>>),
}

// === impl Val ===

impl<'a> Val<'a> {
    /// What an attribute holds; an empty value is nil.
    #[inline]
    pub(crate) fn of(value: ValueRef<'a>) -> Self {
        match value.get() {
            AnyValue::Empty => Self::Nil,
            AnyValue::Text(text) => Self::Str(Cow::Borrowed(text)),
            AnyValue::Bool(value) => Self::Bool(value),
            AnyValue::Int(value) => Self::Int(value),
            AnyValue::Double(value) => Self::Double(value),
            AnyValue::Array(body) => Self::Slice(Cow::Borrowed(body)),
            AnyValue::Map(body) => Self::Map(MapVal::Encoded(Cow::Borrowed(body))),
            AnyValue::Bytes(bytes) => Self::Bytes(Cow::Borrowed(bytes)),
        }
    }

    pub(crate) fn text(text: &'a str) -> Self {
        Self::Str(Cow::Borrowed(text.as_bytes()))
    }

    pub(crate) fn string(text: String) -> Self {
        Self::Str(Cow::Owned(text.into_bytes()))
    }

    pub(crate) fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }

    /// The same value, borrowed.
    #[inline]
    pub(crate) fn borrow<'b>(&'b self) -> Val<'b> {
        match self {
            Self::Nil => Val::Nil,
            Self::Bool(value) => Val::Bool(*value),
            Self::Int(value) => Val::Int(*value),
            Self::Double(value) => Val::Double(*value),
            Self::Str(text) => Val::Str(Cow::Borrowed(text)),
            Self::Bytes(bytes) => Val::Bytes(Cow::Borrowed(bytes)),
            Self::Map(MapVal::Encoded(body)) => Val::Map(MapVal::Encoded(Cow::Borrowed(body))),
            Self::Map(MapVal::Attributes(message, number)) => Val::Map(MapVal::Attributes(message, *number)),
            Self::Slice(body) => Val::Slice(Cow::Borrowed(body)),
            Self::List(list) => Val::List(ListVal::Borrowed(list.items())),
            Self::Strings(items) => Val::Strings(items.iter().map(|item| Cow::Borrowed(&**item)).collect()),
            Self::Time(time) => Val::Time(*time),
            Self::Duration(nanos) => Val::Duration(*nanos),
            Self::TraceId(id) => Val::TraceId(*id),
            Self::SpanId(id) => Val::SpanId(*id),
            Self::Events(message) => Val::Events(message),
            Self::Links(message) => Val::Links(message),
            Self::Status(status) => Val::Status(*status),
            Self::Piece(piece) => Val::Piece(*piece),
        }
    }

    /// The same value, on its own. Events, links, statuses and pieces of metrics cannot leave where they are.
    pub(crate) fn into_owned(self) -> Result<Val<'static>, EvalError> {
        Ok(match self {
            Self::Nil => Val::Nil,
            Self::Bool(value) => Val::Bool(value),
            Self::Int(value) => Val::Int(value),
            Self::Double(value) => Val::Double(value),
            Self::Str(text) => Val::Str(Cow::Owned(text.into_owned())),
            Self::Bytes(bytes) => Val::Bytes(Cow::Owned(bytes.into_owned())),
            Self::Map(map) => Val::Map(MapVal::Encoded(Cow::Owned(map.into_encoded().into_owned()))),
            Self::Slice(body) => Val::Slice(Cow::Owned(body.into_owned())),
            Self::List(list) => {
                Val::List(ListVal::Owned(list.into_vec().into_iter().map(Val::into_owned).collect::<Result<_, _>>()?))
            }
            Self::Strings(items) => Val::Strings(items.into_iter().map(|item| Cow::Owned(item.into_owned())).collect()),
            Self::Time(time) => Val::Time(time),
            Self::Duration(nanos) => Val::Duration(nanos),
            Self::TraceId(id) => Val::TraceId(id),
            Self::SpanId(id) => Val::SpanId(id),
            Self::Events(_) | Self::Links(_) | Self::Status(_) | Self::Piece(_) => {
                return Err(EvalError::Unsupported { what: "a kept value", found: self.type_name() });
            }
        })
    }

    /// The type, for messages.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Double(_) => "double",
            Self::Str(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Map(_) => "map",
            Self::Slice(_) | Self::List(_) | Self::Strings(_) => "list",
            Self::Time(_) => "time",
            Self::Duration(_) => "duration",
            Self::TraceId(_) => "trace id",
            Self::SpanId(_) => "span id",
            Self::Events(_) => "span events",
            Self::Links(_) => "span links",
            Self::Status(_) => "status",
            Self::Piece(piece) => piece.kind().name(),
        }
    }

    /// Appends the value as an encoded `AnyValue`, where OTLP can hold it.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EvalError> {
        let value = match self {
            Self::Nil => Value::Empty,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Double(value) => Value::Double(*value),
            Self::Str(text) => Value::Text(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
            Self::Map(map) => {
                put_delimited(out, 0x32, &map.encoded());
                return Ok(());
            }
            Self::Slice(body) => {
                put_delimited(out, 0x2a, body);
                return Ok(());
            }
            Self::List(list) => {
                put_delimited(out, 0x2a, &encode_slice(list.items())?);
                return Ok(());
            }
            Self::Strings(items) => {
                let items: Vec<Val<'_>> = items.iter().map(|item| Val::Str(Cow::Borrowed(&**item))).collect();
                put_delimited(out, 0x2a, &encode_slice(&items)?);
                return Ok(());
            }
            Self::Piece(Piece::Bounds(bounds)) => {
                let items: Vec<Val<'_>> = bounds.iter().map(|bound| Val::Double(*bound)).collect();
                put_delimited(out, 0x2a, &encode_slice(&items)?);
                return Ok(());
            }
            _ => {
                return Err(EvalError::Unsupported { what: "a value inside a map or a list", found: self.type_name() });
            }
        };
        spanmill_otlp::put_any_value(out, &value);
        Ok(())
    }
}

impl<'a> From<Cow<'a, [u8]>> for Val<'a> {
    fn from(text: Cow<'a, [u8]>) -> Self {
        Self::Str(text)
    }
}

// === impl MapVal ===

impl<'a> MapVal<'a> {
    /// The value of a key: the first one where it is repeated.
    pub(crate) fn get(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        match self {
            Self::Encoded(body) => entries(body).find(|(found, _)| *found == key).map(|(_, value)| value),
            Self::Attributes(message, number) => {
                message.attributes(*number).find(|found| found.key == key).map(|found| found.value)
            }
        }
    }

    /// Calls back with every entry until it says to stop.
    pub(crate) fn each<'b, E>(
        &'b self,
        mut entry: impl FnMut(&'b [u8], ValueRef<'b>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Encoded(body) => entries(body).try_for_each(|(key, value)| entry(key, value)),
            Self::Attributes(message, number) => {
                message.attributes(*number).try_for_each(|found| entry(found.key, found.value))
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Encoded(body) => entries(body).count(),
            Self::Attributes(message, number) => message.attributes(*number).count(),
        }
    }

    /// As an encoded `KeyValueList`.
    pub(crate) fn encoded(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Encoded(body) => Cow::Borrowed(body),
            Self::Attributes(message, number) => Cow::Owned(encode_attributes(message, *number)),
        }
    }

    fn into_encoded(self) -> Cow<'a, [u8]> {
        match self {
            Self::Encoded(body) => body,
            Self::Attributes(message, number) => Cow::Owned(encode_attributes(message, number)),
        }
    }
}

fn encode_attributes(message: &Message<'_>, number: u32) -> Vec<u8> {
    let mut out = Vec::new();
    for found in message.attributes(number) {
        put_entry(&mut out, found.key, found.value.raw());
    }
    out
}

// === impl ListVal ===

impl<'a> ListVal<'a> {
    pub(crate) fn items(&self) -> &[Val<'a>] {
        match self {
            Self::Borrowed(items) => items,
            Self::Owned(items) => items,
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Val<'a>> {
        match self {
            Self::Borrowed(items) => items.to_vec(),
            Self::Owned(items) => items,
        }
    }
}

/// The entries of an encoded `KeyValueList`.
pub(crate) fn entries(body: &[u8]) -> impl Iterator<Item = (&[u8], ValueRef<'_>)> {
    Message::standalone(body).attributes(1).map(|found| (found.key, found.value))
}

/// The elements of an encoded `ArrayValue`.
pub(crate) fn elements(body: &[u8]) -> impl Iterator<Item = ValueRef<'_>> {
    Message::standalone(body).fields().filter_map(|field| match (field.number, field.payload) {
        (1, spanmill_otlp::Payload::Bytes(bytes)) => Some(ValueRef::new(bytes)),
        _ => None,
    })
}

/// The values as an encoded `ArrayValue`.
pub(crate) fn encode_slice(items: &[Val<'_>]) -> Result<Vec<u8>, EvalError> {
    let mut out = Vec::new();
    let mut value = Vec::new();
    for item in items {
        value.clear();
        item.encode(&mut value)?;
        put_delimited(&mut out, 0x0a, &value);
    }
    Ok(out)
}

/// Appends an attribute as a field of that number, which is below 16; `value` is an encoded `AnyValue`.
pub(crate) fn put_attribute(out: &mut Vec<u8>, number: u32, key: &[u8], value: &[u8]) {
    let len = delimited_len(key.len()) + delimited_len(value.len());
    out.push((number << 3) as u8 | 2);
    put_len(out, len);
    put_delimited(out, 0x0a, key);
    put_delimited(out, 0x12, value);
}

/// Appends an entry of a `KeyValueList`; `value` is an encoded `AnyValue`.
pub(crate) fn put_entry(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    put_attribute(out, 1, key, value);
}

/// Appends a field with a one-byte tag.
pub(crate) fn put_delimited(out: &mut Vec<u8>, tag: u8, body: &[u8]) {
    out.push(tag);
    put_len(out, body.len());
    out.extend_from_slice(body);
}

fn put_len(out: &mut Vec<u8>, mut len: usize) {
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
}

/// Length of a field with a one-byte tag.
fn delimited_len(len: usize) -> usize {
    1 + (len.max(1).ilog2() as usize / 7 + 1) + len
}
