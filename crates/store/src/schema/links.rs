//! The columns of `links`.

use super::{Column, Kind};

pub(crate) const LINKS: &[Column] = &[
    Column::required("trace_id", Kind::Id, "the trace"),
    Column::required("span_id", Kind::Id, "the span"),
    Column::required("index", Kind::Small, "which link of the span, from 0"),
    Column::required("start_time", Kind::Time, "start of the span"),
    Column::required("linked_trace_id", Kind::Id, "the trace linked to"),
    Column::required("linked_span_id", Kind::Id, "the span linked to"),
    Column::new("trace_state", Kind::Word, "W3C trace state"),
    Column::new("flags", Kind::Small, "W3C trace flags, and OTLP's own"),
    Column::new("attributes", Kind::Json, "its attributes, as JSON"),
    Column::new("dropped_attributes", Kind::Small, "dropped by the sender"),
    Column::new("tenant", Kind::Word, "`tenant.id` of the span or its resource"),
];
