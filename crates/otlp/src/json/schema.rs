//! The messages of OTLP, as the JSON mapping needs them. Fields stand in the order in which the Go Collector writes
//! them. Source: opentelemetry-proto, `opentelemetry/proto/**/*.proto`.

use crate::opaque::Signal;

/// A message type.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) fields: &'static [Field],
    /// Whether values may nest in it without end, so that its depth has to be counted.
    pub(super) nests: bool,
}

/// A field of a message.
#[derive(Debug)]
pub(super) struct Field {
    /// Name in JSON; protobuf's own is the same in snake case.
    pub(super) name: &'static str,
    pub(super) number: u32,
    pub(super) kind: Kind,
    pub(super) label: Label,
}

/// Type of a field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    String,
    Bytes,
    /// Bytes of that length, in hexadecimal.
    Id(usize),
    Bool,
    Int32,
    Sint32,
    Uint32,
    Fixed32,
    Enum(&'static [&'static str]),
    Int64,
    Uint64,
    Fixed64,
    Sfixed64,
    Double,
    Message(&'static Message),
}

/// How often a field stands in its message, and when it is written as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    /// Once; left out where it has its default.
    Plain,
    /// Once; a message that is written even where it is missing.
    Always,
    /// Once; written where it is there, whatever its value.
    Optional,
    /// One of the alternatives of its message; only the last one counts.
    OneOf,
    /// Any number of times.
    Repeated,
}

use Kind::{Bool, Bytes, Double, Enum, Fixed32, Fixed64, Id, Int32, Int64, Sfixed64, Sint32, String, Uint32, Uint64};

// === impl Message ===

impl Message {
    /// The request of that signal.
    pub(super) fn request(signal: Signal) -> &'static Self {
        match signal {
            Signal::Traces => &TRACES,
            Signal::Metrics => &METRICS,
            Signal::Logs => &LOGS,
        }
    }
}

// === impl Field ===

impl Field {
    /// Whether `key` names this field: in lower camel case as the protocol says, or in snake case as the Go Collector
    /// accepts it too.
    pub(super) fn is_named(&self, key: &[u8]) -> bool {
        if self.name.as_bytes() == key {
            return true;
        }
        let mut rest = key.iter();
        for &letter in self.name.as_bytes() {
            if letter.is_ascii_uppercase() && rest.next() != Some(&b'_') {
                return false;
            }
            if rest.next() != Some(&letter.to_ascii_lowercase()) {
                return false;
            }
        }
        rest.as_slice().is_empty()
    }
}

// === impl Kind ===

impl Kind {
    /// Whether repeated fields of this type are packed into one length-delimited field.
    pub(super) fn is_packed(self) -> bool {
        !matches!(self, Self::String | Self::Bytes | Self::Id(_) | Self::Message(_))
    }

    /// Protobuf's wire type.
    pub(super) fn wire_type(self) -> u32 {
        match self {
            Self::Bool | Self::Int32 | Self::Sint32 | Self::Uint32 | Self::Enum(_) | Self::Int64 | Self::Uint64 => 0,
            Self::Fixed64 | Self::Sfixed64 | Self::Double => 1,
            Self::String | Self::Bytes | Self::Id(_) | Self::Message(_) => 2,
            Self::Fixed32 => 5,
        }
    }
}

const fn plain(name: &'static str, number: u32, kind: Kind) -> Field {
    Field { name, number, kind, label: Label::Plain }
}

const fn optional(name: &'static str, number: u32, kind: Kind) -> Field {
    Field { name, number, kind, label: Label::Optional }
}

const fn one_of(name: &'static str, number: u32, kind: Kind) -> Field {
    Field { name, number, kind, label: Label::OneOf }
}

const fn repeated(name: &'static str, number: u32, kind: Kind) -> Field {
    Field { name, number, kind, label: Label::Repeated }
}

const fn always(name: &'static str, number: u32, message: &'static Message) -> Field {
    Field { name, number, kind: Kind::Message(message), label: Label::Always }
}

const fn list(name: &'static str, number: u32, message: &'static Message) -> Field {
    Field { name, number, kind: Kind::Message(message), label: Label::Repeated }
}

const fn message(fields: &'static [Field]) -> Message {
    Message { fields, nests: false }
}

// Common.

static ANY_VALUE: Message = message(&[
    one_of("stringValue", 1, String),
    one_of("boolValue", 2, Bool),
    one_of("intValue", 3, Int64),
    one_of("doubleValue", 4, Double),
    one_of("arrayValue", 5, Kind::Message(&ARRAY_VALUE)),
    one_of("kvlistValue", 6, Kind::Message(&KEY_VALUE_LIST)),
    one_of("bytesValue", 7, Bytes),
    one_of("stringValueStrindex", 8, Int32),
]);
static ARRAY_VALUE: Message = Message { fields: &[list("values", 1, &ANY_VALUE)], nests: true };
static KEY_VALUE_LIST: Message = Message { fields: &[list("values", 1, &KEY_VALUE)], nests: true };
static KEY_VALUE: Message =
    message(&[plain("key", 1, String), always("value", 2, &ANY_VALUE), plain("keyStrindex", 3, Int32)]);
static SCOPE: Message = message(&[
    plain("name", 1, String),
    plain("version", 2, String),
    list("attributes", 3, &KEY_VALUE),
    plain("droppedAttributesCount", 4, Uint32),
]);
static RESOURCE: Message = message(&[
    list("attributes", 1, &KEY_VALUE),
    plain("droppedAttributesCount", 2, Uint32),
    list("entityRefs", 3, &ENTITY_REF),
]);
static ENTITY_REF: Message = message(&[
    plain("schemaUrl", 1, String),
    plain("type", 2, String),
    repeated("idKeys", 3, String),
    repeated("descriptionKeys", 4, String),
]);

// Traces.

static TRACES: Message = message(&[list("resourceSpans", 1, &RESOURCE_SPANS)]);
static RESOURCE_SPANS: Message =
    message(&[always("resource", 1, &RESOURCE), list("scopeSpans", 2, &SCOPE_SPANS), plain("schemaUrl", 3, String)]);
static SCOPE_SPANS: Message =
    message(&[always("scope", 1, &SCOPE), list("spans", 2, &SPAN), plain("schemaUrl", 3, String)]);
static SPAN: Message = message(&[
    plain("traceId", 1, Id(16)),
    plain("spanId", 2, Id(8)),
    plain("traceState", 3, String),
    plain("parentSpanId", 4, Id(8)),
    plain("flags", 16, Fixed32),
    plain("name", 5, String),
    plain("kind", 6, Enum(SPAN_KIND)),
    plain("startTimeUnixNano", 7, Fixed64),
    plain("endTimeUnixNano", 8, Fixed64),
    list("attributes", 9, &KEY_VALUE),
    plain("droppedAttributesCount", 10, Uint32),
    list("events", 11, &EVENT),
    plain("droppedEventsCount", 12, Uint32),
    list("links", 13, &LINK),
    plain("droppedLinksCount", 14, Uint32),
    always("status", 15, &STATUS),
]);
static EVENT: Message = message(&[
    plain("timeUnixNano", 1, Fixed64),
    plain("name", 2, String),
    list("attributes", 3, &KEY_VALUE),
    plain("droppedAttributesCount", 4, Uint32),
]);
static LINK: Message = message(&[
    plain("traceId", 1, Id(16)),
    plain("spanId", 2, Id(8)),
    plain("traceState", 3, String),
    list("attributes", 4, &KEY_VALUE),
    plain("droppedAttributesCount", 5, Uint32),
    plain("flags", 6, Fixed32),
]);
static STATUS: Message = message(&[plain("message", 2, String), plain("code", 3, Enum(STATUS_CODE))]);

// Logs.

static LOGS: Message = message(&[list("resourceLogs", 1, &RESOURCE_LOGS)]);
static RESOURCE_LOGS: Message =
    message(&[always("resource", 1, &RESOURCE), list("scopeLogs", 2, &SCOPE_LOGS), plain("schemaUrl", 3, String)]);
static SCOPE_LOGS: Message =
    message(&[always("scope", 1, &SCOPE), list("logRecords", 2, &LOG_RECORD), plain("schemaUrl", 3, String)]);
static LOG_RECORD: Message = message(&[
    plain("timeUnixNano", 1, Fixed64),
    plain("observedTimeUnixNano", 11, Fixed64),
    plain("severityNumber", 2, Enum(SEVERITY_NUMBER)),
    plain("severityText", 3, String),
    always("body", 5, &ANY_VALUE),
    list("attributes", 6, &KEY_VALUE),
    plain("droppedAttributesCount", 7, Uint32),
    plain("flags", 8, Fixed32),
    plain("traceId", 9, Id(16)),
    plain("spanId", 10, Id(8)),
    plain("eventName", 12, String),
]);

// Metrics.

static METRICS: Message = message(&[list("resourceMetrics", 1, &RESOURCE_METRICS)]);
static RESOURCE_METRICS: Message = message(&[
    always("resource", 1, &RESOURCE),
    list("scopeMetrics", 2, &SCOPE_METRICS),
    plain("schemaUrl", 3, String),
]);
static SCOPE_METRICS: Message =
    message(&[always("scope", 1, &SCOPE), list("metrics", 2, &METRIC), plain("schemaUrl", 3, String)]);
static METRIC: Message = message(&[
    plain("name", 1, String),
    plain("description", 2, String),
    plain("unit", 3, String),
    one_of("gauge", 5, Kind::Message(&GAUGE)),
    one_of("sum", 7, Kind::Message(&SUM)),
    one_of("histogram", 9, Kind::Message(&HISTOGRAM)),
    one_of("exponentialHistogram", 10, Kind::Message(&EXPONENTIAL_HISTOGRAM)),
    one_of("summary", 11, Kind::Message(&SUMMARY)),
    list("metadata", 12, &KEY_VALUE),
]);
static GAUGE: Message = message(&[list("dataPoints", 1, &NUMBER_POINT)]);
static SUM: Message = message(&[
    list("dataPoints", 1, &NUMBER_POINT),
    plain("aggregationTemporality", 2, Enum(TEMPORALITY)),
    plain("isMonotonic", 3, Bool),
]);
static HISTOGRAM: Message =
    message(&[list("dataPoints", 1, &HISTOGRAM_POINT), plain("aggregationTemporality", 2, Enum(TEMPORALITY))]);
static EXPONENTIAL_HISTOGRAM: Message =
    message(&[list("dataPoints", 1, &EXPONENTIAL_POINT), plain("aggregationTemporality", 2, Enum(TEMPORALITY))]);
static SUMMARY: Message = message(&[list("dataPoints", 1, &SUMMARY_POINT)]);
static NUMBER_POINT: Message = message(&[
    list("attributes", 7, &KEY_VALUE),
    plain("startTimeUnixNano", 2, Fixed64),
    plain("timeUnixNano", 3, Fixed64),
    one_of("asDouble", 4, Double),
    one_of("asInt", 6, Sfixed64),
    list("exemplars", 5, &EXEMPLAR),
    plain("flags", 8, Uint32),
]);
static HISTOGRAM_POINT: Message = message(&[
    list("attributes", 9, &KEY_VALUE),
    plain("startTimeUnixNano", 2, Fixed64),
    plain("timeUnixNano", 3, Fixed64),
    plain("count", 4, Fixed64),
    optional("sum", 5, Double),
    repeated("bucketCounts", 6, Fixed64),
    repeated("explicitBounds", 7, Double),
    list("exemplars", 8, &EXEMPLAR),
    plain("flags", 10, Uint32),
    optional("min", 11, Double),
    optional("max", 12, Double),
]);
static EXPONENTIAL_POINT: Message = message(&[
    list("attributes", 1, &KEY_VALUE),
    plain("startTimeUnixNano", 2, Fixed64),
    plain("timeUnixNano", 3, Fixed64),
    plain("count", 4, Fixed64),
    optional("sum", 5, Double),
    plain("scale", 6, Sint32),
    plain("zeroCount", 7, Fixed64),
    always("positive", 8, &BUCKETS),
    always("negative", 9, &BUCKETS),
    plain("flags", 10, Uint32),
    list("exemplars", 11, &EXEMPLAR),
    optional("min", 12, Double),
    optional("max", 13, Double),
    plain("zeroThreshold", 14, Double),
]);
static BUCKETS: Message = message(&[plain("offset", 1, Sint32), repeated("bucketCounts", 2, Uint64)]);
static SUMMARY_POINT: Message = message(&[
    list("attributes", 7, &KEY_VALUE),
    plain("startTimeUnixNano", 2, Fixed64),
    plain("timeUnixNano", 3, Fixed64),
    plain("count", 4, Fixed64),
    plain("sum", 5, Double),
    list("quantileValues", 6, &QUANTILE),
    plain("flags", 8, Uint32),
]);
static QUANTILE: Message = message(&[plain("quantile", 1, Double), plain("value", 2, Double)]);
static EXEMPLAR: Message = message(&[
    list("filteredAttributes", 7, &KEY_VALUE),
    plain("timeUnixNano", 2, Fixed64),
    one_of("asDouble", 3, Double),
    one_of("asInt", 6, Sfixed64),
    plain("traceId", 5, Id(16)),
    plain("spanId", 4, Id(8)),
]);

// Names of enumerations, by number.

const SPAN_KIND: &[&str] = &[
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];
const STATUS_CODE: &[&str] = &["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];
const TEMPORALITY: &[&str] =
    &["AGGREGATION_TEMPORALITY_UNSPECIFIED", "AGGREGATION_TEMPORALITY_DELTA", "AGGREGATION_TEMPORALITY_CUMULATIVE"];
const SEVERITY_NUMBER: &[&str] = &[
    "SEVERITY_NUMBER_UNSPECIFIED",
    "SEVERITY_NUMBER_TRACE",
    "SEVERITY_NUMBER_TRACE2",
    "SEVERITY_NUMBER_TRACE3",
    "SEVERITY_NUMBER_TRACE4",
    "SEVERITY_NUMBER_DEBUG",
    "SEVERITY_NUMBER_DEBUG2",
    "SEVERITY_NUMBER_DEBUG3",
    "SEVERITY_NUMBER_DEBUG4",
    "SEVERITY_NUMBER_INFO",
    "SEVERITY_NUMBER_INFO2",
    "SEVERITY_NUMBER_INFO3",
    "SEVERITY_NUMBER_INFO4",
    "SEVERITY_NUMBER_WARN",
    "SEVERITY_NUMBER_WARN2",
    "SEVERITY_NUMBER_WARN3",
    "SEVERITY_NUMBER_WARN4",
    "SEVERITY_NUMBER_ERROR",
    "SEVERITY_NUMBER_ERROR2",
    "SEVERITY_NUMBER_ERROR3",
    "SEVERITY_NUMBER_ERROR4",
    "SEVERITY_NUMBER_FATAL",
    "SEVERITY_NUMBER_FATAL2",
    "SEVERITY_NUMBER_FATAL3",
    "SEVERITY_NUMBER_FATAL4",
];
