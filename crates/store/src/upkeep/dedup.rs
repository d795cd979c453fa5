//! Rows that were delivered twice.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher, RandomState};

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Int32Type, TimestampMicrosecondType};
use arrow::error::ArrowError;

use crate::schema::Table;

/// Keeps the first row of each key and time, of rows in the order of their times. What was delivered twice has the same time both times; two spans of
/// one id and different times are two sides of a call, as Zipkin has them. So only the rows of one moment are remembered.
#[derive(Debug)]
pub(super) struct Dedup {
    table: Table,
    hashers: [RandomState; 2],
    /// The time of the last row, in microseconds.
    time: Option<i64>,
    /// 128 bits of each key of that time: two different ones of ten million are the same once in 10^24 times.
    seen: HashSet<u128>,
    pub(super) dropped: u64,
}

// === impl Dedup ===

impl Dedup {
    pub(super) fn new(table: Table) -> Self {
        let hashers = [RandomState::new(), RandomState::new()];
        Self { table, hashers, time: None, seen: HashSet::new(), dropped: 0 }
    }

    /// The rows whose keys were not seen before.
    pub(super) fn filter(&mut self, rows: RecordBatch) -> Result<RecordBatch, ArrowError> {
        let times = rows.column_by_name(self.table.time_column());
        let Some(times) = times.and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>()) else {
            return Err(ArrowError::SchemaError(format!("{} has no times", self.table.name())));
        };
        let times = times.values();
        let mut is_new = Vec::with_capacity(times.len());
        for (row, time) in times.iter().enumerate() {
            if self.time != Some(*time) {
                self.time = Some(*time);
                self.seen.clear();
                // Mostly no other row has the same time. The last one may be followed by one in the next batch.
                if times.get(row + 1).is_some_and(|next| next != time) {
                    is_new.push(true);
                    continue;
                }
            }
            is_new.push(self.seen.insert(self.hash(&rows, row)));
        }
        let kept = is_new.iter().filter(|is_new| **is_new).count();
        if kept == is_new.len() {
            return Ok(rows);
        }
        self.dropped += (is_new.len() - kept) as u64;
        filter_record_batch(&rows, &BooleanArray::from(is_new))
    }

    fn hash(&self, rows: &RecordBatch, row: usize) -> u128 {
        let mut hashers = self.hashers.each_ref().map(BuildHasher::build_hasher);
        for column in self.table.key().iter().filter_map(|name| rows.column_by_name(name)) {
            let text = column.as_string_view_opt().map(|texts| texts.value(row).as_bytes());
            let number = column.as_primitive_opt::<Int32Type>().map(|numbers| numbers.value(row));
            for hasher in &mut hashers {
                hasher.write(text.unwrap_or_default());
                hasher.write_i32(number.unwrap_or_default());
                hasher.write_u8(0xff);
            }
        }
        let [high, low] = hashers.map(|hasher| hasher.finish());
        u128::from(high) << 64 | u128::from(low)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringViewArray, TimestampMicrosecondArray, new_null_array};

    use super::*;

    /// Rows of `spans` with these times and ids.
    fn rows(rows: &[(i64, &str)]) -> RecordBatch {
        let schema = Table::Spans.schema();
        let columns = schema.fields().iter().map(|field| -> ArrayRef {
            match field.name().as_str() {
                "start_time" => {
                    let times = rows.iter().map(|(time, _)| *time).collect::<Vec<_>>();
                    Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC"))
                }
                "trace_id" | "span_id" => Arc::new(rows.iter().map(|(_, id)| Some(*id)).collect::<StringViewArray>()),
                _ => new_null_array(field.data_type(), rows.len()),
            }
        });
        let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
        let nullable = arrow::datatypes::Schema::new(fields.collect::<Vec<_>>());
        RecordBatch::try_new(Arc::new(nullable), columns.collect()).unwrap()
    }

    /// Scenario: rows that come again at once, after others of the same time, in the next batch; the same ids at another time.
    /// Guarantees: what came again at the same time goes, everything else stays.
    #[test]
    fn what_came_again_goes() {
        let mut dedup = Dedup::new(Table::Spans);
        let mut kept = |batch: &[(i64, &str)]| dedup.filter(rows(batch)).unwrap().num_rows();
        assert_eq!(kept(&[(1, "a"), (2, "a"), (2, "a"), (3, "b"), (3, "c"), (3, "b"), (4, "d")]), 5);
        assert_eq!(kept(&[(4, "d"), (4, "e"), (4, "d")]), 1);
        assert_eq!(kept(&[]), 0);
        assert_eq!(kept(&[(4, "e"), (5, "e"), (6, "e")]), 2);
        assert_eq!(dedup.dropped, 2 + 2 + 1);
    }
}
