//! Rows that were delivered twice.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher, RandomState};

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int32Type;
use arrow::error::ArrowError;

use crate::schema::Table;

/// Keeps the first row of each key.
#[derive(Debug)]
pub(super) struct Dedup {
    key: &'static [&'static str],
    hashers: [RandomState; 2],
    /// 128 bits of each key: two different ones of ten million are the same once in 10^24 hours.
    seen: HashSet<u128>,
    pub(super) dropped: u64,
}

// === impl Dedup ===

impl Dedup {
    pub(super) fn new(table: Table) -> Self {
        Self { key: table.key(), hashers: [RandomState::new(), RandomState::new()], seen: HashSet::new(), dropped: 0 }
    }

    /// The rows whose keys were not seen before.
    pub(super) fn filter(&mut self, rows: RecordBatch) -> Result<RecordBatch, ArrowError> {
        let mut hashes: Vec<_> =
            (0..rows.num_rows()).map(|_| self.hashers.each_ref().map(BuildHasher::build_hasher)).collect();
        for name in self.key {
            let Some(column) = rows.column_by_name(name) else { continue };
            let texts = column.as_string_view_opt();
            let numbers = column.as_primitive_opt::<Int32Type>();
            for (row, hashers) in hashes.iter_mut().enumerate() {
                for hasher in hashers {
                    match (texts, numbers) {
                        (Some(texts), _) => hasher.write(texts.value(row).as_bytes()),
                        (_, Some(numbers)) => hasher.write_i32(numbers.value(row)),
                        _ => {}
                    }
                    hasher.write_u8(0xff);
                }
            }
        }
        let is_new: BooleanArray = hashes
            .iter()
            .map(|[high, low]| Some(self.seen.insert(u128::from(high.finish()) << 64 | u128::from(low.finish()))))
            .collect();
        let dropped = rows.num_rows() - is_new.true_count();
        if dropped == 0 {
            return Ok(rows);
        }
        self.dropped += dropped as u64;
        debug_assert_eq!(is_new.null_count(), 0);
        filter_record_batch(&rows, &is_new)
    }
}
