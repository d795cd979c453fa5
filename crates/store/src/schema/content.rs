//! The columns of `content`.

use super::{Column, Kind};

pub(crate) const CONTENT: &[Column] = &[
    Column::required("trace_id", Kind::Id, "the trace"),
    Column::required("span_id", Kind::Id, "the span"),
    Column::required("index", Kind::Small, "which content of the span, from 0"),
    Column::required("start_time", Kind::Time, "start of the span"),
    Column::required("key", Kind::Word, "the attribute"),
    Column::required("type", Kind::Word, "text, or json for everything else"),
    Column::required("value", Kind::Json, "the text itself, or JSON"),
    Column::required("bytes", Kind::Int, "size of the value in bytes"),
    Column::new("tenant", Kind::Word, "`tenant.id` of the span or its resource"),
];
