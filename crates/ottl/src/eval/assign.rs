//! Setting what a path names.

use spanmill_otlp::{AnyValue, Message, Slot, StatusRef, ValueRef, put_field};

use super::EvalError;
use super::edits::Entry;
use super::expr::{Env, Expr, Key};
use super::frame::{Frame, Level};
use super::path::{Field, Path, trace_state_with};
use super::piece::PieceKind;
use super::val::{MapVal, Val, elements, entries, put_delimited, put_entry};

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

/// A key, computed.
#[derive(Debug, Clone)]
enum Resolved<'a> {
    Name(&'a [u8]),
    Index(i64),
    /// Neither, or it could not be computed.
    Failed(EvalError),
}

/// Longest list that setting an index makes of nothing.
const MAX_NEW_LIST: i64 = 4096;
const EVENTS: u32 = 11;
const LINKS: u32 = 13;

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

    fn get(self) -> AnyValue<'a> {
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

    fn type_name(self) -> &'static str {
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
    fn put(self, current: ValueRef<'a>, out: &mut Vec<u8>) -> Result<(), EvalError> {
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

// === impl Path ===

impl Path {
    /// Sets what the path names.
    pub(crate) fn set<'a>(&'a self, frame: &mut Frame<'a>, given: Given<'a>) -> Result<(), EvalError> {
        match self {
            Self::Attribute { level, slot, rest } => {
                let current = frame.slot(*level, *slot);
                let (value, result) = if rest.is_empty() {
                    replaced(frame, current, given)
                } else {
                    let keys = resolve(rest, frame);
                    inside(frame, current, &keys, given)
                };
                if value != current {
                    frame.put_slot(*level, *slot, value);
                }
                result
            }
            Self::Computed { level, key, rest } => {
                let Resolved::Name(name) = resolve_one(key, frame).named()? else {
                    return Err(EvalError::Static("the key of an attribute must be a string"));
                };
                let keys = resolve(rest, frame);
                let mut all: Vec<Entry<'a>> = attributes(frame, *level);
                let at = all.iter().position(|(known, _)| *known == name);
                let current = at.and_then(|at| all.get(at)).map(|(_, value)| *value);
                let (value, result) = inside(frame, current, &keys, given);
                let Some(value) = value else { return result };
                match at.and_then(|at| all.get_mut(at)) {
                    Some(entry) => entry.1 = value,
                    None => all.push((name, value)),
                }
                frame.put_attributes(*level, &all);
                result
            }
            Self::Attributes(level) => match given.get() {
                AnyValue::Map(body) => {
                    let all: Vec<Entry<'a>> = entries(body).collect();
                    frame.put_attributes(*level, &all);
                    Ok(())
                }
                _ if matches!(given, Given::Nil) => {
                    frame.put_attributes(*level, &[]);
                    Ok(())
                }
                _ => Err(EvalError::Type { expected: "map", found: given.type_name() }),
            },
            Self::Field(field) => field.set(frame, given),
            Self::TraceState(key) => {
                let value = given.string()?;
                let Some(key) = key else {
                    return Err(EvalError::Static("trace_state can only be indexed by a string"));
                };
                if let Some(state) = trace_state_with(frame.fields.trace_state, key.as_bytes(), value) {
                    frame.fields.trace_state = frame.keep(&state);
                    frame.touch(Level::Span, 3);
                }
                Ok(())
            }
            Self::Client { .. } => Err(EvalError::Static("what is known about a client cannot be changed")),
            Self::Body(keys) => {
                let current = frame.body();
                if !keys.is_empty() && !matches!(current.get(), AnyValue::Map(_) | AnyValue::Array(_)) {
                    return Err(EvalError::Unsupported {
                        what: "an indexed body",
                        found: Val::of(current).type_name(),
                    });
                }
                let keys = resolve(keys, frame);
                let (value, result) = if keys.is_empty() {
                    replaced(frame, Some(current), given)
                } else {
                    inside(frame, Some(current), &keys, given)
                };
                if let Some(value) = value {
                    frame.put_body(value);
                }
                result
            }
            Self::Log(field) => field.set(frame, given),
            Self::Metric(field) => field.set(frame, given),
            Self::Point(field) => field.set(frame, given),
        }
    }

    /// The entries of the map that the path names.
    pub(crate) fn entries<'a>(&'a self, frame: &mut Frame<'a>) -> Result<Vec<Entry<'a>>, EvalError> {
        let value = match self {
            Self::Attributes(level) => return Ok(attributes(frame, *level)),
            Self::Attribute { level, slot, rest } => {
                let keys = resolve(rest, frame);
                follow(frame.slot(*level, *slot), &keys)?
            }
            Self::Computed { level, key, rest } => {
                let Resolved::Name(name) = resolve_one(key, frame).named()? else {
                    return Err(EvalError::Static("the key of an attribute must be a string"));
                };
                let keys = resolve(rest, frame);
                let found = frame.table(*level).message.attributes(level.attributes()).find(|found| found.key == name);
                follow(found.map(|found| found.value), &keys)?
            }
            Self::Body(keys) => {
                let keys = resolve(keys, frame);
                follow(Some(frame.body()), &keys)?
            }
            _ => None,
        };
        match value.map(ValueRef::get) {
            Some(AnyValue::Map(body)) => Ok(entries(body).collect()),
            None => Err(EvalError::Type { expected: "map", found: "nil" }),
            Some(_) => {
                let found = value.map_or("nil", |value| Val::of(value).type_name());
                Err(EvalError::Type { expected: "map", found })
            }
        }
    }

    /// Makes these the entries of the map that the path names.
    pub(crate) fn put_entries<'a>(&'a self, frame: &mut Frame<'a>, all: &[Entry<'a>]) -> Result<(), EvalError> {
        if let Self::Attributes(level) = self {
            frame.put_attributes(*level, all);
            return Ok(());
        }
        let mut body = Vec::new();
        all.iter().for_each(|(key, value)| put_entry(&mut body, key, value.raw()));
        let mut scratch = frame.take_scratch();
        put_delimited(&mut scratch, 0x32, &body);
        let value = ValueRef::new(frame.store(scratch));
        self.set(frame, Given::Value(value))
    }
}

/// All attributes of a level, which was settled.
fn attributes<'a>(frame: &Frame<'a>, level: Level) -> Vec<Entry<'a>> {
    frame.table(level).message.attributes(level.attributes()).map(|found| (found.key, found.value)).collect()
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

fn resolve<'a>(keys: &'a [Key], frame: &mut Frame<'a>) -> Vec<Resolved<'a>> {
    keys.iter().map(|key| resolve_one(key, frame)).collect()
}

fn resolve_one<'a>(key: &'a Key, frame: &mut Frame<'a>) -> Resolved<'a> {
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

// === impl Resolved ===

impl Resolved<'_> {
    /// The same, where it could be computed.
    fn named(self) -> Result<Self, EvalError> {
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

/// Follows keys into a value; none where a map has no such entry.
fn follow<'a>(value: Option<ValueRef<'a>>, keys: &[Resolved<'a>]) -> Result<Option<ValueRef<'a>>, EvalError> {
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
fn at<'a>(value: ValueRef<'a>, keys: &[Key]) -> Option<ValueRef<'a>> {
    keys.iter().try_fold(value, |value, key| match (value.get(), key) {
        (AnyValue::Map(body), Key::String(name)) => {
            entries(body).find(|(known, _)| *known == name.as_bytes()).map(|(_, found)| found)
        }
        (AnyValue::Array(body), Key::Int(index)) => elements(body).nth(usize::try_from(*index).ok()?),
        _ => None,
    })
}

type Changed<'a> = (Option<ValueRef<'a>>, Result<(), EvalError>);

/// What an attribute becomes that is set as a whole. Where it was not there, it is made even if the value cannot be put.
fn replaced<'a>(frame: &mut Frame<'a>, current: Option<ValueRef<'a>>, given: Given<'a>) -> Changed<'a> {
    match given {
        Given::Nil => (Some(ValueRef::new(&[])), Ok(())),
        Given::Value(value) => (Some(value), Ok(())),
        _ => inside(frame, current, &[], given),
    }
}

/// What an attribute becomes where something inside it is set.
fn inside<'a>(
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

// === impl Field ===

impl Field {
    fn set<'a>(self, frame: &mut Frame<'a>, given: Given<'a>) -> Result<(), EvalError> {
        let (level, number) = match self {
            Self::ResourceDropped => {
                frame.resource_fields.dropped_attributes = given.int()? as u32;
                (Level::Resource, 2)
            }
            Self::ResourceSchemaUrl => {
                frame.resource_fields.schema_url = given.string()?;
                frame.touch_schema_url(Level::Resource);
                return Ok(());
            }
            Self::ScopeName => {
                frame.scope_fields.name = given.string()?;
                (Level::Scope, 1)
            }
            Self::ScopeVersion => {
                frame.scope_fields.version = given.string()?;
                (Level::Scope, 2)
            }
            Self::ScopeDropped => {
                frame.scope_fields.dropped_attributes = given.int()? as u32;
                (Level::Scope, 4)
            }
            Self::ScopeSchemaUrl => {
                frame.scope_fields.schema_url = given.string()?;
                frame.touch_schema_url(Level::Scope);
                return Ok(());
            }
            Self::EventNano => {
                frame.event_fields.time = given.int()? as u64;
                (Level::Event, 1)
            }
            Self::EventTime => {
                frame.event_fields.time = given.time()?;
                (Level::Event, 1)
            }
            Self::EventName => {
                frame.event_fields.name = given.string()?;
                (Level::Event, 2)
            }
            Self::EventDropped => {
                frame.event_fields.dropped_attributes = given.int()? as u32;
                (Level::Event, 4)
            }
            Self::EventIndex => return Err(EvalError::Static("the index of an event cannot be changed")),
            Self::ClientAddress => return Err(EvalError::Static("what is known about a client cannot be changed")),
            of_span => return of_span.set_in_span(frame, given),
        };
        frame.touch(level, number);
        Ok(())
    }

    fn set_in_span<'a>(self, frame: &mut Frame<'a>, given: Given<'a>) -> Result<(), EvalError> {
        let number = match self {
            Self::TraceId => {
                frame.fields.trace_id = frame.keep(&given.trace_id()?);
                1
            }
            Self::TraceIdString => {
                frame.fields.trace_id = frame.keep(&hex_id::<16>(given.string()?)?);
                1
            }
            Self::SpanId => {
                frame.fields.span_id = frame.keep(&given.span_id()?);
                2
            }
            Self::SpanIdString => {
                frame.fields.span_id = frame.keep(&hex_id::<8>(given.string()?)?);
                2
            }
            Self::TraceState => {
                frame.fields.trace_state = given.string()?;
                3
            }
            Self::ParentSpanId => {
                frame.fields.parent_span_id = frame.keep(&given.span_id()?);
                4
            }
            Self::ParentSpanIdString => {
                frame.fields.parent_span_id = frame.keep(&hex_id::<8>(given.string()?)?);
                4
            }
            Self::Name => {
                frame.fields.name = given.string()?;
                5
            }
            Self::Kind => {
                frame.fields.kind = given.int()? as i32;
                6
            }
            Self::KindString => {
                frame.fields.kind = super::path::kind_of(given.string()?, false)?;
                6
            }
            Self::KindDeprecatedString => {
                frame.fields.kind = super::path::kind_of(given.string()?, true)?;
                6
            }
            Self::StartNano => {
                frame.fields.start = given.int()? as u64;
                7
            }
            Self::Start => {
                frame.fields.start = given.time()?;
                7
            }
            Self::EndNano => {
                frame.fields.end = given.int()? as u64;
                8
            }
            Self::End => {
                frame.fields.end = given.time()?;
                8
            }
            Self::Dropped => {
                frame.fields.dropped_attributes = given.int()? as u32;
                10
            }
            Self::DroppedEvents => {
                frame.fields.dropped_events = given.int()? as u32;
                12
            }
            Self::DroppedLinks => {
                frame.fields.dropped_links = given.int()? as u32;
                14
            }
            Self::Status => match given {
                Given::Status(status) => {
                    frame.fields.status = status;
                    15
                }
                other => return Err(other.unexpected("status")),
            },
            Self::StatusCode => {
                frame.fields.status.code = given.int()? as i32;
                15
            }
            Self::StatusMessage => {
                frame.fields.status.message = given.string()?;
                15
            }
            Self::Flags => {
                let value = given.int()?;
                frame.fields.flags =
                    u32::try_from(value).map_err(|_| EvalError::Static("flags are out of range for 32 bits"))?;
                16
            }
            Self::Events | Self::Links => {
                let number = if self == Self::Events { EVENTS } else { LINKS };
                match (self, given) {
                    (_, Given::Nil) => frame.put_repeated(number, &[]),
                    (Self::Events, Given::Events(fields)) | (Self::Links, Given::Links(fields)) => {
                        frame.put_repeated(number, fields);
                    }
                    (_, other) => return Err(other.unexpected("span events or links")),
                }
                return Ok(());
            }
            _ => return Err(EvalError::Static("this cannot be changed")),
        };
        frame.touch(Level::Span, number);
        Ok(())
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

/// Puts a value in the place of an attribute that has a slot, or removes it.
pub(crate) fn remove_slot(frame: &mut Frame<'_>, level: Level, slot: Slot) {
    if frame.slot(level, slot).is_some() {
        frame.put_slot(level, slot, None);
    }
}
