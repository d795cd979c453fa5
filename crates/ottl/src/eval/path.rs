//! Reading what a path names.

use std::borrow::Cow;

use spanmill_otlp::{Slot, ValueRef};

use super::client::{ClientMap, ENTRIES};
use super::expr::{Env, Key};
use super::frame::Frame;
use super::index::{index_value, map_key};
use super::level::Level;
use super::log::LogField;
use super::metric::MetricField;
use super::number::Number;
use super::point_field::PointField;
use super::val::{MapVal, Time, Val};
use super::{EvalError, convert};

/// A compiled path.
#[derive(Debug)]
pub(crate) enum Path {
    /// All attributes.
    Attributes(Level),
    /// One attribute by a known key, or something inside it.
    Attribute {
        level: Level,
        slot: Slot,
        rest: Box<[Key]>,
    },
    /// One attribute by a key that is computed, or something inside it.
    Computed {
        level: Level,
        key: Key,
        rest: Box<[Key]>,
    },
    /// A field of its own.
    Field(Field),
    /// One entry of the trace state; none where the key is no string.
    TraceState(Option<Box<str>>),
    /// A map of headers, or something inside it.
    Client {
        map: ClientMap,
        keys: Box<[Key]>,
    },
    /// The body of a log record, or something inside it.
    Body(Box<[Key]>),
    Log(LogField),
    Metric(MetricField),
    Point(PointField),
}

/// A field that is no attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    ResourceDropped,
    ResourceSchemaUrl,
    ScopeName,
    ScopeVersion,
    ScopeDropped,
    ScopeSchemaUrl,
    TraceId,
    TraceIdString,
    SpanId,
    SpanIdString,
    ParentSpanId,
    ParentSpanIdString,
    TraceState,
    Name,
    Kind,
    KindString,
    KindDeprecatedString,
    StartNano,
    EndNano,
    Start,
    End,
    Dropped,
    Events,
    DroppedEvents,
    Links,
    DroppedLinks,
    Status,
    StatusCode,
    StatusMessage,
    Flags,
    EventNano,
    EventTime,
    EventName,
    EventDropped,
    EventIndex,
    /// Where the request came from.
    ClientAddress,
}

// === impl Path ===

impl Path {
    #[inline]
    pub(crate) fn get<'e>(&'e self, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        match self {
            Self::Attribute { level, slot, rest } => match env.frame.slot(*level, *slot) {
                None => Ok(Val::Nil),
                Some(value) if rest.is_empty() => Ok(Val::of(value)),
                Some(value) => index_value(value, rest, env),
            },
            Self::Field(field) => field.get(env),
            Self::Attributes(level) => Ok(Val::Map(attributes(*level, env))),
            Self::Computed { level, key, rest } => {
                let key = map_key(key, env)?;
                let message = &env.frame.table(*level).message;
                let found: Option<ValueRef<'e>> = message
                    .attributes(level.attributes())
                    .find(|found| found.key == key.as_ref())
                    .map(|found| found.value);
                match found {
                    None => Ok(Val::Nil),
                    Some(value) => index_value(value, rest, env),
                }
            }
            Self::TraceState(None) => Err(EvalError::Static("trace_state can only be indexed by a string")),
            Self::TraceState(Some(key)) => Ok(trace_state(env.frame.fields.trace_state, key.as_bytes())),
            Self::Client { map, keys } => client(*map, keys, env),
            Self::Body(keys) => body(env.frame.body(), keys, env),
            Self::Log(field) => Ok(field.get(env)),
            Self::Metric(field) => Ok(field.get(env)),
            Self::Point(field) => Ok(field.get(env)),
        }
    }
}

/// Unlike what is inside an attribute, a body that is neither a map nor a list must not be indexed.
fn body<'e>(body: ValueRef<'e>, keys: &'e [Key], env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
    if keys.is_empty() { Ok(Val::of(body)) } else { index_value(body, keys, env) }
}

/// Names of headers are of any case, those of attributes are not.
fn client<'e>(map: ClientMap, keys: &'e [Key], env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
    let message = env.frame.client().map(|client| client.map(map));
    let Some((key, rest)) = keys.split_first() else {
        return Ok(Val::Map(
            message.map_or(MapVal::Encoded(Cow::Borrowed(&[])), |found| MapVal::Attributes(found, ENTRIES)),
        ));
    };
    let name = map_key(key, env)?;
    let is_named = |key: &[u8]| if map == ClientMap::Auth { key == &*name } else { key.eq_ignore_ascii_case(&name) };
    let found = message.and_then(|message| message.attributes(ENTRIES).find(|found| is_named(found.key)));
    found.map_or(Ok(Val::Nil), |found| index_value(found.value, rest, env))
}

fn attributes<'e>(level: Level, env: &'e Env<'e>) -> MapVal<'e> {
    MapVal::Attributes(&env.frame.table(level).message, level.attributes())
}

// === impl Field ===

impl Field {
    /// The field where it is an integer that computations start from.
    #[inline]
    pub(super) fn number(self, frame: &Frame<'_>) -> Option<Number> {
        Some(Number::Int(match self {
            Self::StartNano => frame.fields.start as i64,
            Self::EndNano => frame.fields.end as i64,
            Self::Kind => i64::from(frame.fields.kind),
            Self::StatusCode => i64::from(frame.fields.status.code),
            _ => return None,
        }))
    }

    #[inline]
    fn get<'e>(self, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        let frame = env.frame;
        let span = &frame.fields;
        let bytes = |bytes: &'e [u8]| Val::Str(Cow::Borrowed(bytes));
        let count = |count: u32| Val::Int(i64::from(count));
        Ok(match self {
            Self::Name => bytes(span.name),
            Self::Kind => Val::Int(i64::from(span.kind)),
            Self::KindString => Val::text(kind(span.kind, KINDS)),
            Self::KindDeprecatedString => Val::text(kind(span.kind, DEPRECATED_KINDS)),
            Self::TraceId => Val::TraceId(id(span.trace_id)),
            Self::TraceIdString => Val::string(convert::hex(&id::<16>(span.trace_id))),
            Self::SpanId => Val::SpanId(id(span.span_id)),
            Self::SpanIdString => Val::string(convert::hex(&id::<8>(span.span_id))),
            Self::ParentSpanId => Val::SpanId(id(span.parent_span_id)),
            Self::ParentSpanIdString => Val::string(convert::hex(&id::<8>(span.parent_span_id))),
            Self::TraceState => bytes(span.trace_state),
            Self::StartNano => Val::Int(span.start as i64),
            Self::EndNano => Val::Int(span.end as i64),
            Self::Start => Val::Time(Time::from_nanos(span.start as i64)),
            Self::End => Val::Time(Time::from_nanos(span.end as i64)),
            Self::Dropped => count(span.dropped_attributes),
            Self::Events => Val::Events(&frame.span.message),
            Self::DroppedEvents => count(span.dropped_events),
            Self::Links => Val::Links(&frame.span.message),
            Self::DroppedLinks => count(span.dropped_links),
            Self::Status => Val::Status(span.status),
            Self::StatusCode => Val::Int(i64::from(span.status.code)),
            Self::StatusMessage => bytes(span.status.message),
            Self::Flags => count(span.flags),
            Self::ResourceDropped => count(frame.resource_fields.dropped_attributes),
            Self::ResourceSchemaUrl => bytes(frame.resource_fields.schema_url),
            Self::ScopeName => bytes(frame.scope_fields.name),
            Self::ScopeVersion => bytes(frame.scope_fields.version),
            Self::ScopeDropped => count(frame.scope_fields.dropped_attributes),
            Self::ScopeSchemaUrl => bytes(frame.scope_fields.schema_url),
            Self::EventNano => Val::Int(frame.event_fields.time as i64),
            Self::EventTime => Val::Time(Time::from_nanos(frame.event_fields.time as i64)),
            Self::EventName => bytes(frame.event_fields.name),
            Self::EventDropped => count(frame.event_fields.dropped_attributes),
            Self::EventIndex => match frame.event_index {
                Some(index) => Val::Int(index),
                None => return Err(EvalError::Static("the index of an event is not known here")),
            },
            Self::ClientAddress => {
                frame.client().and_then(|client| client.address).map_or(Val::Nil, |address| bytes(address.as_bytes()))
            }
        })
    }
}

pub(super) fn id<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().unwrap_or([0; N])
}

const KINDS: &[&str] = &["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"];
const DEPRECATED_KINDS: &[&str] = &[
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];

/// Unknown kinds have no word.
fn kind(kind: i32, words: &'static [&'static str]) -> &'static str {
    usize::try_from(kind).ok().and_then(|kind| words.get(kind)).copied().unwrap_or("")
}

/// The kind of that name.
pub(crate) fn kind_of(name: &[u8], deprecated: bool) -> Result<i32, EvalError> {
    let words = if deprecated { DEPRECATED_KINDS } else { KINDS };
    let found = words.iter().position(|word| word.as_bytes() == name);
    found.and_then(|kind| i32::try_from(kind).ok()).ok_or_else(|| EvalError::parse("kind of span", name))
}

/// The value of a key of a W3C trace state: empty where it is missing, nil where the state is not well-formed.
fn trace_state<'e>(state: &'e [u8], key: &[u8]) -> Val<'e> {
    match members(state) {
        Some(members) => {
            let found = members.iter().find(|(name, _)| *name == key);
            Val::Str(Cow::Borrowed(found.map_or(&[], |(_, value)| *value)))
        }
        None => Val::Nil,
    }
}

/// A W3C trace state with a member set, which comes first then; none where either is not well-formed.
pub(crate) fn trace_state_with(state: &[u8], key: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let mut all = members(state)?;
    let known = all.len();
    all.retain(|(name, _)| *name != key);
    if !is_member(key, value) || (all.len() == known && known >= MAX_MEMBERS) {
        return None;
    }
    all.insert(0, (key, value));
    let texts: Vec<Vec<u8>> = all.iter().map(|(name, value)| [name, &b"="[..], value].concat()).collect();
    Some(texts.join(&b','))
}

/// Most members of a trace state.
const MAX_MEMBERS: usize = 32;

fn is_member(name: &[u8], value: &[u8]) -> bool {
    let value_ok = !value.is_empty()
        && value.len() <= 256
        && value.iter().all(|byte| (0x20..=0x7e).contains(byte) && !matches!(byte, b',' | b'='));
    let name_ok = name.iter().all(|byte| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'*' | b'/' | b'@')
    }) && matches!(name.first(), Some(b'a'..=b'z' | b'0'..=b'9'))
        && name.len() <= 256;
    value_ok && name_ok
}

/// The members of a trace state, where it is well-formed.
fn members(state: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let mut found: Vec<(&[u8], &[u8])> = Vec::new();
    for member in state.split(|byte| *byte == b',') {
        let member = member.trim_ascii();
        if member.is_empty() {
            continue;
        }
        let equals = member.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (member.get(..equals).unwrap_or(&[]), member.get(equals + 1..).unwrap_or(&[]));
        if !is_member(name, value) || found.len() >= MAX_MEMBERS {
            return None;
        }
        found.push((name, value));
    }
    Some(found)
}
