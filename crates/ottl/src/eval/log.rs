//! The fields of log records that are neither attributes nor the body.

use std::borrow::Cow;

use spanmill_otlp::ValueRef;

use super::expr::Env;
use super::frame::Frame;
use super::given::{Given, hex_id};
use super::path::id;
use super::val::{Time, Val};
use super::{EvalError, convert};

/// A field of a log record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogField {
    Time,
    Nano,
    Observed,
    ObservedNano,
    SeverityNumber,
    SeverityText,
    /// The body as text.
    BodyString,
    Dropped,
    Flags,
    TraceId,
    TraceIdString,
    SpanId,
    SpanIdString,
    EventName,
}

// === impl LogField ===

impl LogField {
    pub(crate) fn get<'e>(self, env: &'e Env<'e>) -> Val<'e> {
        let Some(record) = &env.frame.record else { return Val::Nil };
        let log = &record.log;
        match self {
            Self::Time => Val::Time(Time::from_nanos(log.time_unix_nano as i64)),
            Self::Nano => Val::Int(log.time_unix_nano as i64),
            Self::Observed => Val::Time(Time::from_nanos(log.observed_time_unix_nano as i64)),
            Self::ObservedNano => Val::Int(log.observed_time_unix_nano as i64),
            Self::SeverityNumber => Val::Int(i64::from(log.severity_number)),
            Self::SeverityText => Val::text(&log.severity_text),
            Self::BodyString => {
                let mut text = Vec::new();
                record.body.put_text(&mut text);
                Val::Str(Cow::Owned(text))
            }
            Self::Dropped => Val::Int(i64::from(log.dropped_attributes_count)),
            Self::Flags => Val::Int(i64::from(log.flags)),
            Self::TraceId => Val::TraceId(id(&log.trace_id)),
            Self::TraceIdString => Val::string(convert::hex(&id::<16>(&log.trace_id))),
            Self::SpanId => Val::SpanId(id(&log.span_id)),
            Self::SpanIdString => Val::string(convert::hex(&id::<8>(&log.span_id))),
            Self::EventName => Val::text(&log.event_name),
        }
    }

    pub(crate) fn set<'a>(self, frame: &mut Frame<'a>, given: Given<'a>) -> Result<(), EvalError> {
        if self == Self::BodyString {
            given.string()?;
            let Given::Value(text) = given else { return Ok(()) };
            frame.put_body(text);
            return Ok(());
        }
        let Some(record) = &mut frame.record else { return Ok(()) };
        let log = &mut record.log;
        match self {
            Self::Time => log.time_unix_nano = given.time()?,
            Self::Nano => log.time_unix_nano = given.int()? as u64,
            Self::Observed => log.observed_time_unix_nano = given.time()?,
            Self::ObservedNano => log.observed_time_unix_nano = given.int()? as u64,
            Self::SeverityNumber => log.severity_number = given.int()? as i32,
            Self::SeverityText => log.severity_text = given.text_value()?,
            Self::Dropped => log.dropped_attributes_count = given.int()? as u32,
            Self::Flags => log.flags = given.int()? as u32,
            Self::TraceId => log.trace_id = bytes(&given.trace_id()?),
            Self::TraceIdString => log.trace_id = bytes(&hex_id::<16>(given.string()?)?),
            Self::SpanId => log.span_id = bytes(&given.span_id()?),
            Self::SpanIdString => log.span_id = bytes(&hex_id::<8>(given.string()?)?),
            Self::EventName => log.event_name = given.text_value()?,
            Self::BodyString => {}
        }
        Ok(())
    }
}

/// An id of zeros is none.
fn bytes(id: &[u8]) -> Vec<u8> {
    if id.iter().all(|byte| *byte == 0) { Vec::new() } else { id.to_vec() }
}

// === impl Frame ===

impl<'a> Frame<'a> {
    /// The body of the log record; nothing where there is none.
    pub(crate) fn body(&self) -> ValueRef<'a> {
        self.record.as_ref().map_or(ValueRef::new(&[]), |record| record.body)
    }

    pub(crate) fn put_body(&mut self, body: ValueRef<'a>) {
        if let Some(record) = &mut self.record {
            (record.body, record.new_body) = (body, true);
        }
    }
}
