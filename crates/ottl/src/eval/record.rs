//! Log records and metrics, decoded. Their attributes lie in the frame's tables, as those of spans do; all else is read and set in the
//! decoded message.

use bumpalo::Bump;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value,
};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;
use spanmill_otlp::{self as otlp, Message, Patches, Payload, ValueRef, put_field};

use super::client::ClientInfo;
use super::fields::{ResourceFields, ScopeFields};
use super::frame::Frame;
use super::level::Level;
use super::point::{self, Point};
use super::slots::Slots;
use super::val::{elements, entries};

/// Memory for what frames of log records and metrics hold.
#[derive(Debug, Default)]
pub struct Arena(pub(crate) Bump);

/// The log record at hand, or the metric and its point.
#[derive(Debug, Clone)]
pub(crate) struct Record<'a> {
    pub(crate) log: LogRecord,
    /// The body of the log record.
    pub(crate) body: ValueRef<'a>,
    /// Whether that is no longer the record's own.
    pub(crate) new_body: bool,
    pub(crate) metric: Metric,
    /// The point that was taken out of the metric.
    pub(crate) point: Option<Point>,
    /// Its number.
    pub(crate) point_at: usize,
    /// Metrics that were made of the one at hand.
    pub(crate) made: Vec<Metric>,
}

// === impl Slots ===

impl Slots {
    /// A frame for log records and metrics that a client sent, where it is known.
    pub fn record_frame<'a>(&'a self, arena: &'a Arena, client: Option<&'a ClientInfo>) -> Frame<'a> {
        let mut frame = self.editing(&arena.0, Patches::default());
        if let Some(client) = client {
            frame.enter_client(client);
        }
        frame.record = Some(Box::default());
        frame
    }
}

// === impl Record ===

impl Default for Record<'_> {
    fn default() -> Self {
        Self {
            log: LogRecord::default(),
            body: ValueRef::new(&[]),
            new_body: false,
            metric: Metric::default(),
            point: None,
            point_at: 0,
            made: Vec::new(),
        }
    }
}

// === impl Frame ===

impl<'a> Frame<'a> {
    /// Moves to the resource of log records or metrics.
    pub fn read_resource(&mut self, resource: Option<&Resource>, schema_url: &str) {
        let attributes = resource.map_or(&[][..], |resource| &resource.attributes);
        self.read_attributes(Level::Resource, attributes);
        self.resource_fields = ResourceFields {
            dropped_attributes: resource.map_or(0, |resource| resource.dropped_attributes_count),
            schema_url: self.keep(schema_url.as_bytes()),
        };
    }

    /// Leaves a resource that was changed.
    pub(crate) fn write_resource(&mut self, resource: &mut Option<Resource>, schema_url: &mut String) {
        if self.finish(Level::Resource) {
            let resource = resource.get_or_insert_default();
            resource.attributes = self.attributes(Level::Resource);
            resource.dropped_attributes_count = self.resource_fields.dropped_attributes;
        }
        if self.takes_schema_url(Level::Resource) {
            *schema_url = text(self.resource_fields.schema_url);
        }
    }

    /// Moves to a scope of the resource.
    pub fn read_scope(&mut self, scope: Option<&InstrumentationScope>, schema_url: &str) {
        self.read_attributes(Level::Scope, scope.map_or(&[][..], |scope| &scope.attributes));
        let (name, version) = scope.map_or(("", ""), |scope| (&scope.name, &scope.version));
        self.scope_fields = ScopeFields {
            name: self.keep(name.as_bytes()),
            version: self.keep(version.as_bytes()),
            dropped_attributes: scope.map_or(0, |scope| scope.dropped_attributes_count),
            schema_url: self.keep(schema_url.as_bytes()),
        };
    }

    /// Leaves a scope that was changed.
    pub(crate) fn write_scope(&mut self, scope: &mut Option<InstrumentationScope>, schema_url: &mut String) {
        if self.finish(Level::Scope) {
            let attributes = self.attributes(Level::Scope);
            let ScopeFields { name, version, dropped_attributes, .. } = self.scope_fields;
            *scope = Some(InstrumentationScope {
                name: text(name),
                version: text(version),
                attributes,
                dropped_attributes_count: dropped_attributes,
            });
        }
        if self.takes_schema_url(Level::Scope) {
            *schema_url = text(self.scope_fields.schema_url);
        }
    }

    /// Moves to a log record of the scope, which is given back by [`Frame::leave_log`].
    pub fn enter_log(&mut self, log: LogRecord) {
        self.read_attributes(Level::Log, &log.attributes);
        let body = log.body.as_ref().map_or(&[][..], |body| self.keep(&body.encode_to_vec()));
        if let Some(record) = &mut self.record {
            (record.log, record.body, record.new_body) = (log, ValueRef::new(body), false);
        }
    }

    /// Leaves the log record, with what was changed of it.
    pub fn leave_log(&mut self) -> LogRecord {
        let attributes = self.changed_attributes(Level::Log);
        let Some(record) = &mut self.record else { return LogRecord::default() };
        let mut log = std::mem::take(&mut record.log);
        if let Some(attributes) = attributes {
            log.attributes = attributes;
        }
        if record.new_body {
            log.body = Some(any_value(record.body));
        }
        log
    }

    /// Moves to a metric of the scope, which is given back by [`Frame::leave_metric`].
    pub fn enter_metric(&mut self, metric: Metric) {
        self.read_attributes(Level::Metric, &metric.metadata);
        if let Some(record) = &mut self.record {
            record.metric = metric;
        }
    }

    /// Leaves the metric, with what was changed of it.
    pub fn leave_metric(&mut self) -> Metric {
        let metadata = self.changed_attributes(Level::Metric);
        let Some(record) = &mut self.record else { return Metric::default() };
        let mut metric = std::mem::take(&mut record.metric);
        if let Some(metadata) = metadata {
            metric.metadata = metadata;
        }
        metric
    }

    /// How many points the metric has.
    pub fn point_count(&self) -> usize {
        self.record.as_ref().and_then(|record| record.metric.data.as_ref()).map_or(0, point::count)
    }

    /// Whether the metric is of a kind that has points.
    pub fn has_points(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.metric.data.is_some())
    }

    /// Moves to a point of the metric, by its number; says whether there is one.
    pub fn enter_point(&mut self, at: usize) -> bool {
        let point =
            self.record.as_mut().and_then(|record| record.metric.data.as_mut()).and_then(|data| point::take(data, at));
        let Some(point) = point else { return false };
        self.read_attributes(Level::Point, point.attributes());
        if let Some(record) = &mut self.record {
            (record.point, record.point_at) = (Some(point), at);
        }
        true
    }

    /// Leaves the point, which goes back to its place.
    pub fn leave_point(&mut self, at: usize) {
        let attributes = self.changed_attributes(Level::Point);
        let Some(record) = &mut self.record else { return };
        let Some(mut point) = record.point.take() else { return };
        if let Some(attributes) = attributes {
            *point.attributes_mut() = attributes;
        }
        if let Some(data) = &mut record.metric.data {
            point::put(data, at, point);
        }
    }

    /// Removes the points that are not to stay, in the order that they were judged in.
    pub fn retain_points(&mut self, stays: &[bool]) {
        if let Some(data) = self.record.as_mut().and_then(|record| record.metric.data.as_mut()) {
            point::retain(data, stays);
        }
    }

    /// Changes the metric at hand as a whole, its metadata and the point at hand included.
    pub(crate) fn with_metric<T>(&mut self, change: impl FnOnce(&mut Metric, &mut Vec<Metric>) -> T) -> Option<T> {
        let at = self.record.as_ref().and_then(|record| record.point.as_ref().map(|_| record.point_at));
        if let Some(at) = at {
            self.leave_point(at);
        }
        let mut metric = self.leave_metric();
        let result = self.record.as_mut().map(|record| change(&mut metric, &mut record.made));
        self.enter_metric(metric);
        if let Some(at) = at {
            self.enter_point(at);
        }
        result
    }

    fn read_attributes(&mut self, level: Level, attributes: &[KeyValue]) {
        let mut scratch = self.take_scratch();
        for attribute in attributes {
            put_field(&mut scratch, level.attributes(), Payload::Bytes(&attribute.encode_to_vec()));
        }
        let stored = self.store(scratch);
        self.read_table(level, Message::standalone(stored));
    }

    /// The attributes of a level, where they were changed.
    fn changed_attributes(&mut self, level: Level) -> Option<Vec<KeyValue>> {
        self.finish(level).then(|| self.attributes(level))
    }

    /// The attributes of a level whose changes are in its message.
    pub(crate) fn attributes(&self, level: Level) -> Vec<KeyValue> {
        let found = self.table(level).message.attributes(level.attributes());
        found.map(|found| key_value(found.key, found.value)).collect()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn key_value(key: &[u8], value: ValueRef<'_>) -> KeyValue {
    KeyValue { key: text(key), value: Some(any_value(value)), ..KeyValue::default() }
}

/// A value, decoded. Text that is not UTF-8 is mended, since a decoded message cannot hold it.
fn any_value(value: ValueRef<'_>) -> AnyValue {
    let value = match value.get() {
        otlp::AnyValue::Empty => None,
        otlp::AnyValue::Text(bytes) => Some(Value::StringValue(text(bytes))),
        otlp::AnyValue::Bool(flag) => Some(Value::BoolValue(flag)),
        otlp::AnyValue::Int(number) => Some(Value::IntValue(number)),
        otlp::AnyValue::Double(number) => Some(Value::DoubleValue(number)),
        otlp::AnyValue::Bytes(bytes) => Some(Value::BytesValue(bytes.to_vec())),
        otlp::AnyValue::Array(body) => {
            Some(Value::ArrayValue(ArrayValue { values: elements(body).map(any_value).collect() }))
        }
        otlp::AnyValue::Map(body) => {
            let values = entries(body).map(|(key, value)| key_value(key, value)).collect();
            Some(Value::KvlistValue(KeyValueList { values }))
        }
    };
    AnyValue { value }
}
