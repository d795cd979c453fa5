//! The columns of `events`.

use super::{Column, Kind};

pub(crate) const EVENTS: &[Column] = &[
    Column::required("trace_id", Kind::Id, "the trace"),
    Column::required("span_id", Kind::Id, "the span"),
    Column::required("index", Kind::Small, "which event of the span, from 0"),
    Column::required("time", Kind::Time, "when it happened, in whole microseconds"),
    Column::required("time_unix_nano", Kind::Nanos, "when it happened, in nanoseconds since 1970"),
    Column::required("name", Kind::Word, "its name"),
    Column::new("service", Kind::Word, "`service.name` of the resource"),
    Column::new("attributes", Kind::Json, "its attributes, as JSON"),
    Column::new("dropped_attributes", Kind::Small, "dropped by the sender"),
    Column::new("tenant", Kind::Word, "`tenant.id` of the span or its resource"),
];
