//! Pieces: rows of one hour, a file a table.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use crate::schema::Table;

/// What names a piece, and its files.
pub(crate) type PieceId = String;

/// Rows of one hour, a file a table. It is there as a whole or not at all.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Piece {
    pub(crate) id: PieceId,
    /// Hours since 1970.
    pub(crate) hour: i64,
    pub(crate) tables: BTreeMap<Table, FileStats>,
    /// Pieces whose rows it holds instead of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) replaces: Vec<PieceId>,
}

/// What is known of a file without opening it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileStats {
    pub(crate) bytes: u64,
    pub(crate) rows: u64,
    /// First and last time, in microseconds since 1970.
    pub(crate) min_us: i64,
    pub(crate) max_us: i64,
}

/// Microseconds an hour.
pub(crate) const HOUR: i64 = 3_600_000_000;

/// The hour since 1970 of a time in microseconds.
pub(crate) fn hour_of(micros: i64) -> i64 {
    micros.div_euclid(HOUR)
}

// === impl Piece ===

impl Piece {
    /// A piece of that hour without files, with a new name that sorts by the time it was made.
    pub(crate) fn new(hour: i64) -> Self {
        Self { id: uuid::Uuid::now_v7().simple().to_string(), hour, tables: BTreeMap::new(), replaces: Vec::new() }
    }

    /// Where its rows of a table are.
    pub(crate) fn path(&self, table: Table) -> Path {
        let start = Timestamp::from_second(self.hour.saturating_mul(3_600)).unwrap_or(Timestamp::UNIX_EPOCH);
        let start = start.to_zoned(TimeZone::UTC);
        let (date, hour) = (start.date(), start.hour());
        // Named as Hive does, for other engines that read the folder.
        Path::from(format!("{}/date={date}/hour={hour:02}/{}.parquet", table.name(), self.id))
    }

    /// Size of all files in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.tables.values().map(|file| file.bytes).sum()
    }
}
