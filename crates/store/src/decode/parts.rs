//! What hangs on spans: events, links and large attributes.

use std::collections::{BTreeMap, HashMap, HashSet};

use arrow::array::RecordBatch;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};

use super::columns::Values;
use super::json::{Attributes, key_value, value};
use super::{DecodeError, SpanTables};

/// Trace and span, in hex.
pub(super) type Ids<'a> = (&'a str, &'a str);

/// What hangs on one span, by index, so that what was stored twice is there once.
#[derive(Debug, Default)]
pub(super) struct SpanParts {
    events: BTreeMap<i64, Event>,
    links: BTreeMap<i64, Link>,
    content: BTreeMap<i64, KeyValue>,
}

/// What hangs on the spans of a query.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    by_span: HashMap<Ids<'a>, SpanParts>,
    taken: HashSet<Ids<'a>>,
}

// === impl Parts ===

impl<'a> Parts<'a> {
    pub(super) fn read(tables: SpanTables<'a>) -> Result<Self, DecodeError> {
        let mut parts = Self::default();
        parts.put_each(tables.events, event, |parts, index, event| {
            parts.events.entry(index).or_insert(event);
        })?;
        parts.put_each(tables.links, link, |parts, index, link| {
            parts.links.entry(index).or_insert(link);
        })?;
        parts.put_each(tables.content, content, |parts, index, content| {
            parts.content.entry(index).or_insert(content);
        })?;
        Ok(parts)
    }

    /// What hangs on a span, the first time that is asked.
    pub(super) fn take(&mut self, ids: Ids<'a>) -> Option<SpanParts> {
        // Spans without an id are not told apart.
        if !ids.1.is_empty() && !self.taken.insert(ids) {
            return None;
        }
        Some(self.by_span.remove(&ids).unwrap_or_default())
    }

    fn put_each<T>(
        &mut self,
        batches: &'a [RecordBatch],
        mut reader: impl FnMut(&'a RecordBatch) -> Result<Reader<'a, T>, DecodeError>,
        put: impl Fn(&mut SpanParts, i64, T),
    ) -> Result<(), DecodeError> {
        for batch in batches {
            let read = reader(batch)?;
            let ids = [Values::of(batch, "trace_id")?, Values::of(batch, "span_id")?];
            let index = Values::of(batch, "index")?;
            for row in 0..batch.num_rows() {
                let [trace, span] = ids.map(|ids| ids.text(row).unwrap_or_default());
                let index = index.int(row).unwrap_or_default();
                put(self.by_span.entry((trace, span)).or_default(), index, read(row)?);
            }
        }
        Ok(())
    }
}

// === impl SpanParts ===

impl SpanParts {
    /// Events and links in order; the large attributes are added to the others.
    pub(super) fn into_parts(self, attributes: &mut Vec<KeyValue>) -> (Vec<Event>, Vec<Link>) {
        attributes.extend(self.content.into_values());
        (self.events.into_values().collect(), self.links.into_values().collect())
    }
}

type Reader<'a, T> = Box<dyn Fn(usize) -> Result<T, DecodeError> + 'a>;

fn event(batch: &RecordBatch) -> Result<Reader<'_, Event>, DecodeError> {
    let time = Values::of(batch, "time_unix_nano")?;
    let name = Values::of(batch, "name")?;
    let attributes = Values::of(batch, "attributes")?;
    let dropped = Values::of(batch, "dropped_attributes")?;
    Ok(Box::new(move |row| {
        Ok(Event {
            time_unix_nano: time.int(row).unwrap_or_default() as u64,
            name: name.word(row),
            attributes: Attributes::read(attributes.text(row))?.attributes,
            dropped_attributes_count: dropped.count(row),
        })
    }))
}

fn link(batch: &RecordBatch) -> Result<Reader<'_, Link>, DecodeError> {
    let ids = [Values::of(batch, "linked_trace_id")?, Values::of(batch, "linked_span_id")?];
    let state = Values::of(batch, "trace_state")?;
    let flags = Values::of(batch, "flags")?;
    let attributes = Values::of(batch, "attributes")?;
    let dropped = Values::of(batch, "dropped_attributes")?;
    Ok(Box::new(move |row| {
        let [trace_id, span_id] = ids.map(|ids| ids.id(row));
        Ok(Link {
            trace_id,
            span_id,
            trace_state: state.word(row),
            attributes: Attributes::read(attributes.text(row))?.attributes,
            dropped_attributes_count: dropped.count(row),
            flags: flags.count(row),
        })
    }))
}

fn content(batch: &RecordBatch) -> Result<Reader<'_, KeyValue>, DecodeError> {
    let key = Values::of(batch, "key")?;
    let kind = Values::of(batch, "type")?;
    let text = Values::of(batch, "value")?;
    Ok(Box::new(move |row| {
        let value = match kind.text(row) {
            Some("json") => value(text.text(row).unwrap_or("null"))?,
            _ => AnyValue { value: Some(any_value::Value::StringValue(text.word(row))) },
        };
        Ok(key_value(key.word(row), value))
    }))
}
