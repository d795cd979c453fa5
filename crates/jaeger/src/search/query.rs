//! A search, and what it finds.

use arrow::array::AsArray;
use arrow::datatypes::TimestampMicrosecondType;
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use opentelemetry_proto::tonic::common::v1::AnyValue as OtlpValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as OtlpKind;
use prost_types::{Duration, Timestamp};
use spanmill_store::Store;
use thiserror::Error;

use super::condition::Condition;
use super::matching;
use super::plan;
use crate::proto::{AnyValue, TraceQueryParameters, any_value};

/// A search: one span of a trace has all of this.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Search {
    /// Of this service.
    pub service: Option<String>,
    /// With this name.
    pub operation: Option<String>,
    /// With all of these tags.
    pub tags: Vec<Tag>,
    /// Starts no earlier, in microseconds since 1970.
    pub start_min_us: Option<i64>,
    /// Starts no later, in microseconds since 1970.
    pub start_max_us: Option<i64>,
    /// Takes at least so long, in nanoseconds.
    pub duration_min_ns: Option<i64>,
    /// Takes at most so long, in nanoseconds.
    pub duration_max_ns: Option<i64>,
    /// So many traces at most, the newest; zero for a hundred.
    pub limit: usize,
}

/// A tag that is searched for.
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    /// The attribute, or what Jaeger shows as one.
    pub key: String,
    /// What its value must be.
    pub condition: Condition,
}

/// A search that failed.
#[derive(Debug, Error)]
pub enum SearchError {
    /// The store could not be asked.
    #[error(transparent)]
    Query(#[from] DataFusionError),
    /// Each tag makes the query one deeper.
    #[error("{0} tags are searched for, and {MOST_TAGS} can be")]
    Tags(usize),
}

/// A trace that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) trace_id: String,
    /// First and last start of a span that was searched for, in microseconds.
    pub(crate) first_us: i64,
    pub(crate) last_us: i64,
}

const DEFAULT_LIMIT: usize = 100;
const LARGEST_LIMIT: usize = 10_000;
const MOST_TAGS: usize = 64;

// === impl Search ===

impl Search {
    /// The traces that have such a span, the newest first.
    pub(crate) async fn find(&self, store: &Store) -> Result<Vec<Found>, SearchError> {
        if self.tags.len() > MOST_TAGS {
            return Err(SearchError::Tags(self.tags.len()));
        }
        let mut found = Vec::new();
        for batch in plan::run(self, store).await? {
            let [ids, last, first] = batch.columns() else { continue };
            let [last, first] = [last, first].map(|times| times.as_primitive::<TimestampMicrosecondType>());
            let rows = ids.as_string_view().iter().zip(last).zip(first).map(|((id, last), first)| Found {
                trace_id: id.unwrap_or_default().to_owned(),
                first_us: first.unwrap_or_default(),
                last_us: last.unwrap_or_default(),
            });
            found.extend(rows);
        }
        Ok(found)
    }

    /// How many traces are wanted.
    pub(super) fn limit(&self) -> usize {
        if self.limit == 0 { DEFAULT_LIMIT } else { self.limit.min(LARGEST_LIMIT) }
    }
}

impl From<TraceQueryParameters> for Search {
    fn from(query: TraceQueryParameters) -> Self {
        let text = |text: String| Some(text).filter(|text| !text.is_empty());
        let tags = query.attributes.into_iter().map(|pair| {
            let condition = match pair.value.and_then(|value| value.value) {
                Some(any_value::Value::StringValue(typed)) => Condition::parse(&typed),
                value => Condition::Equal(matching::text(&otlp(AnyValue { value })).into_owned()),
            };
            Tag { key: pair.key, condition }
        });
        Self {
            service: text(query.service_name),
            operation: text(query.operation_name),
            tags: tags.collect(),
            start_min_us: query.start_time_min.as_ref().and_then(micros),
            start_max_us: query.start_time_max.as_ref().and_then(micros),
            duration_min_ns: query.duration_min.as_ref().and_then(nanos),
            duration_max_ns: query.duration_max.as_ref().and_then(nanos),
            limit: usize::try_from(query.search_depth).unwrap_or_default(),
        }
    }
}

/// Jaeger's copy of the type is the same message.
fn otlp(value: AnyValue) -> OtlpValue {
    let value = value.value.and_then(|value| match value {
        any_value::Value::StringValue(text) => Some(OtlpKind::StringValue(text)),
        any_value::Value::BoolValue(flag) => Some(OtlpKind::BoolValue(flag)),
        any_value::Value::IntValue(number) => Some(OtlpKind::IntValue(number)),
        any_value::Value::DoubleValue(number) => Some(OtlpKind::DoubleValue(number)),
        any_value::Value::BytesValue(bytes) => Some(OtlpKind::BytesValue(bytes)),
        any_value::Value::ArrayValue(_) | any_value::Value::KvlistValue(_) => None,
    });
    OtlpValue { value }
}

/// Microseconds since 1970; none before, which is how a time that was not given arrives.
pub(crate) fn micros(time: &Timestamp) -> Option<i64> {
    let micros = time.seconds.checked_mul(1_000_000)?.checked_add(i64::from(time.nanos) / 1_000)?;
    (micros > 0).then_some(micros)
}

/// The other way.
pub(crate) fn timestamp(micros: i64) -> Timestamp {
    Timestamp { seconds: micros.div_euclid(1_000_000), nanos: micros.rem_euclid(1_000_000) as i32 * 1_000 }
}

/// A value of the columns of time.
pub(crate) fn time(micros: i64) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into()))
}

fn nanos(duration: &Duration) -> Option<i64> {
    let nanos = duration.seconds.checked_mul(1_000_000_000)?.checked_add(i64::from(duration.nanos))?;
    (nanos > 0).then_some(nanos)
}
