//! Setting fields that are no attributes.

use super::EvalError;
use super::frame::Frame;
use super::given::{Given, hex_id};
use super::level::{EVENTS, LINKS, Level};
use super::path::Field;

// === impl Field ===

impl Field {
    pub(super) fn set<'a>(self, frame: &mut Frame<'a>, given: Given<'a>) -> Result<(), EvalError> {
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
