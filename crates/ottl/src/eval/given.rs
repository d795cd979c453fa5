//! A value that is to be put somewhere: computed, and no longer borrowed from what it is put into.

use spanmill_otlp::{AnyValue, Message, StatusRef, ValueRef, put_field};

use super::EvalError;
use super::edits::Entry;
use super::expr::{Env, Expr};
use super::frame::Frame;
use super::keyed::at;
use super::level::{EVENTS, LINKS};
use super::path::Path;
use super::piece::PieceKind;
use super::val::{MapVal, Val, entries, put_delimited};

/// A value that no longer borrows from the frame, so that it can be put there.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Given<'a> {
    Nil,
    /// What an attribute can hold.
    Value(ValueRef<'a>),
    /// A list of which the last item is none that an attribute can hold. The others are set, and it is an error.
    Broken(ValueRef<'a>, &'static str),
    /// Nanoseconds since 1970.
    Time(i64),
    TraceId([u8; 16]),
    SpanId([u8; 8]),
    Status(StatusRef<'a>),
    /// Encoded fields of a span: all its events, or all its links.
    Events(&'a [u8]),
    Links(&'a [u8]),
    /// A piece of a metric, encoded.
    Piece(PieceKind, &'a [u8]),
    /// What can be put nowhere.
    Other(&'static str),
}

/// A value whose bytes are in the scratch, if it has any.
enum Detached {
    Nil,
    Value,
    Broken(&'static str),
    Time(i64),
    TraceId([u8; 16]),
    SpanId([u8; 8]),
    Status(i32),
    Events,
    Links,
    Piece(PieceKind),
    Other(&'static str),
}

// === impl Given ===

impl<'a> Given<'a> {
    /// Evaluates an expression.
    pub(crate) fn of(expr: &'a Expr, frame: &mut Frame<'a>) -> Result<Self, EvalError> {
        if let Expr::Path(Path::Attribute { level, slot, rest }) = expr {
            // It stays where it is.
            match frame.slot(*level, *slot) {
                None => return Ok(Self::Nil),
                Some(value) => {
                    if let Some(found) = at(value, rest) {
                        return Ok(Self::attribute(found));
                    }
                }
            }
        }
        if let Some(number) = expr.number(frame) {
            return Ok(Self::Value(ValueRef::new(frame.keep(number.encode(&mut [0; 11])))));
        }
        let mut scratch = frame.take_scratch();
        let detached = {
            let env = Env { frame: &*frame, locals: &[] };
            expr.eval(&env).map(|value| Detached::of(&value, &mut scratch))
        };
        let stored = frame.store(scratch);
        Ok(detached?.with(stored))
    }

    /// An attribute's value; an empty one is nil.
    pub(crate) fn attribute(value: ValueRef<'a>) -> Self {
        match value.get() {
            AnyValue::Empty => Self::Nil,
            _ => Self::Value(value),
        }
    }

    /// Text.
    pub(crate) fn text(text: &[u8], frame: &mut Frame<'a>) -> Self {
        let mut scratch = frame.take_scratch();
        put_delimited(&mut scratch, 0x0a, text);
        Self::Value(ValueRef::new(frame.store(scratch)))
    }

    pub(super) fn get(self) -> AnyValue<'a> {
        match self {
            Self::Value(value) => value.get(),
            _ => AnyValue::Empty,
        }
    }

    pub(crate) fn string(self) -> Result<&'a [u8], EvalError> {
        match self.get() {
            AnyValue::Text(text) => Ok(text),
            _ => Err(self.unexpected("string")),
        }
    }

    /// A text for a decoded message, which holds nothing but UTF-8.
    pub(crate) fn text_value(self) -> Result<String, EvalError> {
        self.string().map(|text| String::from_utf8_lossy(text).into_owned())
    }

    pub(crate) fn double(self) -> Result<f64, EvalError> {
        match self.get() {
            AnyValue::Double(value) => Ok(value),
            _ => Err(self.unexpected("double")),
        }
    }

    pub(crate) fn bool(self) -> Result<bool, EvalError> {
        match self.get() {
            AnyValue::Bool(value) => Ok(value),
            _ => Err(self.unexpected("bool")),
        }
    }

    pub(crate) fn int(self) -> Result<i64, EvalError> {
        match self.get() {
            AnyValue::Int(value) => Ok(value),
            _ => Err(self.unexpected("int")),
        }
    }

    pub(crate) fn trace_id(self) -> Result<[u8; 16], EvalError> {
        match self {
            Self::TraceId(id) => Ok(id),
            _ => Err(self.unexpected("trace id")),
        }
    }

    pub(crate) fn span_id(self) -> Result<[u8; 8], EvalError> {
        match self {
            Self::SpanId(id) => Ok(id),
            _ => Err(self.unexpected("span id")),
        }
    }

    pub(crate) fn time(self) -> Result<u64, EvalError> {
        match self {
            Self::Time(nanos) => Ok(nanos as u64),
            _ => Err(self.unexpected("time")),
        }
    }

    pub(crate) fn unexpected(self, expected: &'static str) -> EvalError {
        match self {
            Self::Nil => EvalError::Static("setting a value to nil is not supported"),
            _ => EvalError::Type { expected, found: self.type_name() },
        }
    }

    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Value(value) | Self::Broken(value, _) => Val::of(value).type_name(),
            Self::Time(_) => "time",
            Self::TraceId(_) => "trace id",
            Self::SpanId(_) => "span id",
            Self::Status(_) => "status",
            Self::Events(_) => "span events",
            Self::Links(_) => "span links",
            Self::Piece(kind, _) => kind.name(),
            Self::Other(name) => name,
        }
    }

    /// Puts it in the place of an attribute's value. Where it cannot be, the former value stays.
    pub(super) fn put(self, current: ValueRef<'a>, out: &mut Vec<u8>) -> Result<(), EvalError> {
        match self {
            Self::Nil => Ok(()),
            Self::Value(value) => {
                out.extend_from_slice(value.raw());
                Ok(())
            }
            Self::Broken(value, item) => {
                out.extend_from_slice(value.raw());
                Err(EvalError::Unsupported { what: "an attribute's value", found: item })
            }
            other => {
                out.extend_from_slice(current.raw());
                Err(EvalError::Unsupported { what: "an attribute's value", found: other.type_name() })
            }
        }
    }
}

// === impl Detached ===

impl Detached {
    fn of(value: &Val<'_>, scratch: &mut Vec<u8>) -> Self {
        match value {
            Val::Nil => Self::Nil,
            Val::Time(time) => Self::Time(time.unix_nano()),
            Val::TraceId(id) => Self::TraceId(*id),
            Val::SpanId(id) => Self::SpanId(*id),
            Val::Status(status) => {
                scratch.extend_from_slice(status.message);
                Self::Status(status.code)
            }
            Val::Events(span) => {
                repeated(span, EVENTS, scratch);
                Self::Events
            }
            Val::Links(span) => {
                repeated(span, LINKS, scratch);
                Self::Links
            }
            Val::Piece(piece) if piece.kind() != PieceKind::Bounds => {
                piece.encode(scratch);
                Self::Piece(piece.kind())
            }
            Val::List(list) => {
                // As Go has it: an item that cannot be set stays empty, and only the last one makes it an error.
                let (mut body, mut item, mut broken) = (Vec::new(), Vec::new(), None);
                for value in list.items() {
                    item.clear();
                    broken = value.encode(&mut item).is_err().then_some(value.type_name());
                    if broken.is_some() {
                        item.clear();
                    }
                    put_delimited(&mut body, 0x0a, &item);
                }
                put_delimited(scratch, 0x2a, &body);
                broken.map_or(Self::Value, Self::Broken)
            }
            value => match value.encode(scratch) {
                Ok(()) => Self::Value,
                Err(_) => Self::Other(value.type_name()),
            },
        }
    }

    fn with<'a>(self, stored: &'a [u8]) -> Given<'a> {
        match self {
            Self::Nil => Given::Nil,
            Self::Value => Given::Value(ValueRef::new(stored)),
            Self::Broken(item) => Given::Broken(ValueRef::new(stored), item),
            Self::Time(nanos) => Given::Time(nanos),
            Self::TraceId(id) => Given::TraceId(id),
            Self::SpanId(id) => Given::SpanId(id),
            Self::Status(code) => Given::Status(StatusRef { code, message: stored }),
            Self::Events => Given::Events(stored),
            Self::Links => Given::Links(stored),
            Self::Piece(kind) => Given::Piece(kind, stored),
            Self::Other(name) => Given::Other(name),
        }
    }
}

fn repeated(span: &Message<'_>, number: u32, out: &mut Vec<u8>) {
    for field in span.fields().filter(|field| field.number == number) {
        put_field(out, number, field.payload);
    }
}

/// A text argument, computed and kept.
pub(crate) fn string<'a>(expr: &'a Expr, frame: &mut Frame<'a>) -> Result<&'a [u8], EvalError> {
    if let Expr::Const(Val::Str(text)) = expr {
        return Ok(text);
    }
    Given::of(expr, frame)?.string()
}

/// The entries of a map argument.
pub(crate) fn map<'a>(expr: &'a Expr, frame: &mut Frame<'a>) -> Result<Vec<Entry<'a>>, EvalError> {
    if let Expr::Const(Val::Map(MapVal::Encoded(body))) = expr {
        return Ok(entries(body).collect());
    }
    if let Expr::Path(path) = expr {
        return path.entries(frame);
    }
    let given = Given::of(expr, frame)?;
    match given.get() {
        AnyValue::Map(body) => Ok(entries(body).collect()),
        _ => Err(EvalError::Type { expected: "map", found: given.type_name() }),
    }
}

/// An id in hexadecimal.
pub(crate) fn hex_id<const N: usize>(text: &[u8]) -> Result<[u8; N], EvalError> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let mut id = [0; N];
    let (pairs, rest) = text.as_chunks::<2>();
    // As Go counts: an odd digit at the end is not seen.
    if pairs.len() != N || !rest.is_empty() {
        return Err(EvalError::parse("id in hexadecimal", text));
    }
    for (byte, [high, low]) in id.iter_mut().zip(pairs) {
        match (digit(*high), digit(*low)) {
            (Some(high), Some(low)) => *byte = high << 4 | low,
            _ => return Err(EvalError::parse("id in hexadecimal", text)),
        }
    }
    Ok(id)
}
