//! Rows of `spans`.

use arrow::array::RecordBatch;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};

use super::DecodeError;
use super::columns::Values;
use super::group::{SpanOrigin, present};
use super::json::{Attributes, key_value};
use super::parts::{Ids, SpanParts};
use crate::schema::{Origin, SPANS, billionths};

/// A batch of `spans`, with all its columns.
#[derive(Debug)]
pub(super) struct SpanRows<'a> {
    columns: Vec<(Origin, Values<'a>)>,
    trace_id: Values<'a>,
    span_id: Values<'a>,
    resource: Values<'a>,
    scope_name: Values<'a>,
    scope_version: Values<'a>,
    scope: Values<'a>,
}

// === impl SpanRows ===

impl<'a> SpanRows<'a> {
    pub(super) fn new(batch: &'a RecordBatch) -> Result<Self, DecodeError> {
        let columns = SPANS.iter().map(|column| Ok((column.origin, Values::of(batch, column.column.name)?)));
        Ok(Self {
            columns: columns.collect::<Result<_, DecodeError>>()?,
            trace_id: Values::of(batch, "trace_id")?,
            span_id: Values::of(batch, "span_id")?,
            resource: Values::of(batch, "resource")?,
            scope_name: Values::of(batch, "scope_name")?,
            scope_version: Values::of(batch, "scope_version")?,
            scope: Values::of(batch, "scope")?,
        })
    }

    pub(super) fn ids(&self, row: usize) -> Ids<'a> {
        (self.trace_id.text(row).unwrap_or_default(), self.span_id.text(row).unwrap_or_default())
    }

    pub(super) fn origin(&self, row: usize) -> SpanOrigin<'a> {
        SpanOrigin {
            resource: self.resource.text(row),
            scope_name: self.scope_name.text(row),
            scope_version: self.scope_version.text(row),
            scope: self.scope.text(row),
        }
    }

    pub(super) fn span(&self, row: usize, parts: SpanParts) -> Result<Span, DecodeError> {
        let mut span = Span::default();
        let mut status = Status::default();
        let mut duration = 0;
        let mut others = Vec::new();
        let mut rounded = Vec::new();
        for &(origin, values) in &self.columns {
            match origin {
                Origin::TraceId => span.trace_id = values.id(row),
                Origin::SpanId => span.span_id = values.id(row),
                Origin::ParentSpanId => span.parent_span_id = values.id(row),
                Origin::StartNanos => span.start_time_unix_nano = values.int(row).unwrap_or_default() as u64,
                Origin::Duration => duration = values.int(row).unwrap_or_default() as u64,
                Origin::Name => span.name = values.word(row),
                Origin::SpanKind => span.kind = kind(values.text(row)),
                Origin::Status => status.code = code(values.text(row)),
                Origin::StatusMessage => status.message = values.word(row),
                Origin::TraceState => span.trace_state = values.word(row),
                Origin::Flags => span.flags = values.count(row),
                Origin::DroppedAttributes => span.dropped_attributes_count = values.count(row),
                Origin::DroppedEvents => span.dropped_events_count = values.count(row),
                Origin::DroppedLinks => span.dropped_links_count = values.count(row),
                Origin::Moved(key) => {
                    span.attributes.extend(moved(values, row).map(|value| key_value(key.into(), any(value))))
                }
                Origin::Seconds(key) | Origin::Amount(key) => {
                    rounded.extend(values.int(row).map(|billionths| (key, billionths)));
                }
                Origin::Attributes => others = Attributes::read(values.text(row))?.attributes,
                // Of these the value stands elsewhere as well.
                Origin::StartTime | Origin::Events | Origin::Links | Origin::ScopeName | Origin::ScopeVersion => {}
                Origin::Resource(_) | Origin::Copied(_) | Origin::ResourceAttributes | Origin::ScopeAttributes => {}
            }
        }
        span.end_time_unix_nano = span.start_time_unix_nano.wrapping_add(duration);
        span.status = present(status);
        // What is no whole number of billionths stands among the others as it came.
        rounded.retain(|(key, whole)| !others.iter().any(|other| is_exact(other, key, *whole)));
        let doubles = rounded.into_iter().map(|(key, whole)| (key, any_value::Value::DoubleValue(whole as f64 / 1e9)));
        span.attributes.extend(doubles.map(|(key, value)| key_value(key.into(), any(value))));
        span.attributes.append(&mut others);
        (span.events, span.links) = parts.into_parts(&mut span.attributes);
        Ok(span)
    }
}

/// Whether an attribute is the one that was rounded to so many billionths.
fn is_exact(attribute: &KeyValue, key: &str, whole: i64) -> bool {
    let number = match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::DoubleValue(number)) => *number,
        _ => return false,
    };
    attribute.key == key && billionths(number) == Some((whole, false))
}

fn any(value: any_value::Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

fn moved(values: Values<'_>, row: usize) -> Option<any_value::Value> {
    let text = values.text(row).map(|text| any_value::Value::StringValue(text.to_owned()));
    let int = || values.int(row).map(any_value::Value::IntValue);
    let flag = || values.flag(row).map(any_value::Value::BoolValue);
    text.or_else(int).or_else(flag)
}

fn kind(name: Option<&str>) -> i32 {
    match name {
        Some("internal") => 1,
        Some("server") => 2,
        Some("client") => 3,
        Some("producer") => 4,
        Some("consumer") => 5,
        _ => 0,
    }
}

fn code(name: Option<&str>) -> i32 {
    match name {
        Some("ok") => 1,
        Some("error") => 2,
        _ => 0,
    }
}
