//! Series by their keys.

use ahash::RandomState;
use indexmap::IndexMap;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use tokio::time::Instant;

use crate::connectors::metrics::{Exemplars, Histogram};

/// The series of one or two metrics of a resource.
#[derive(Debug, Default)]
pub(super) struct Table {
    series: IndexMap<Box<[u8]>, Series, RandomState>,
    /// About how much memory they take.
    bytes: usize,
}

/// What is counted under one set of attributes.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) attributes: Vec<KeyValue>,
    /// When it was first counted, in nanoseconds since 1970.
    pub(super) start: u64,
    pub(super) last_seen: Instant,
    pub(super) count: u64,
    /// Whether it was never sent: a cumulative sum begins with a zero, so that its first step is seen.
    pub(super) is_first: bool,
    pub(super) exemplars: Exemplars,
    pub(super) histogram: Option<Histogram>,
    pub(super) histogram_exemplars: Exemplars,
}

/// The moment of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) unix_nano: u64,
    pub(super) instant: Instant,
}

/// The key of the series that takes what is beyond a limit, and its only attribute.
const OVERFLOW: &str = "otel.metric.overflow";

// === impl Table ===

impl Table {
    /// The series of a key. `limit` is how many there may be; a new one beyond it is counted as the series of all that overflows, and
    /// then the answer is true.
    #[inline]
    pub(super) fn series(
        &mut self,
        key: &[u8],
        limit: usize,
        moment: Moment,
        attributes: impl FnOnce() -> Vec<KeyValue>,
        histogram: impl FnOnce() -> Option<Histogram>,
    ) -> (Option<&mut Series>, bool) {
        if let Some(at) = self.series.get_index_of(key) {
            let series = self.series.get_index_mut(at).map(|(_, series)| {
                series.last_seen = moment.instant;
                series
            });
            return (series, false);
        }
        let overflows = self.series.len() >= limit;
        let (key, attributes) = if overflows {
            if let Some(at) = self.series.get_index_of(OVERFLOW.as_bytes()) {
                return (self.series.get_index_mut(at).map(|(_, series)| series), true);
            }
            (OVERFLOW.as_bytes(), vec![overflow_attribute()])
        } else {
            (key, attributes())
        };
        let series = Series {
            attributes,
            start: moment.unix_nano,
            last_seen: moment.instant,
            count: 0,
            is_first: true,
            exemplars: Exemplars::default(),
            histogram: histogram(),
            histogram_exemplars: Exemplars::default(),
        };
        self.bytes += bytes(key);
        let at = self.series.insert_full(key.into(), series).0;
        (self.series.get_index_mut(at).map(|(_, series)| series), overflows)
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &Series)> {
        self.series.iter().map(|(key, series)| (&**key, series))
    }

    /// Notes that all have been sent once.
    pub(super) fn sent(&mut self) {
        for series in self.series.values_mut() {
            series.is_first = false;
            series.exemplars.clear();
            series.histogram_exemplars.clear();
        }
    }

    /// Forgets all but what is to be kept.
    pub(super) fn expire(&mut self, keep: impl Fn(&Series) -> bool) {
        self.series.retain(|_, series| keep(series));
        self.bytes = self.series.keys().map(|key| bytes(key)).sum();
    }
}

/// About what a series takes: its key, the same as attributes, and its numbers.
fn bytes(key: &[u8]) -> usize {
    1024 + 2 * key.len()
}

fn overflow_attribute() -> KeyValue {
    let value = AnyValue { value: Some(Value::BoolValue(true)) };
    KeyValue { key: OVERFLOW.to_owned(), value: Some(value), ..KeyValue::default() }
}
