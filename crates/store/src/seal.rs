//! Rows in memory to pieces: cut by hour, sorted by time, encoded.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::error::ArrowError;

use crate::batches::{Batches, FILLED};
use crate::bloom::Bloom;
use crate::file::{EncodeError, Encoded, Output};
use crate::gather::Gather;
use crate::manifest::{Piece, hour_of};
use crate::schema::Table;

/// A piece and its files, not written yet.
#[derive(Debug)]
pub(crate) struct NewPiece {
    pub(crate) piece: Piece,
    pub(crate) files: Vec<(Table, Encoded)>,
    pub(crate) blooms: Vec<(Table, Bloom)>,
}

/// A row that waits to be written.
#[derive(Debug, Clone, Copy)]
struct Entry {
    time: i64,
    /// The number of its batch, and of the row in it.
    place: (usize, usize),
}

/// Which times are believed. Rows of other times stand in the hour they arrived in, so that one wrong clock does not make thousands of pieces; their times
/// stay as they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// First and last hour that are believed.
    pub(crate) hours: (i64, i64),
    /// The hour of arrival.
    pub(crate) now: i64,
}

/// Rows that are encoded at a time: what is copied for that stays small.
const CHUNK: usize = 16 << 10;

/// Level of zstd at most. These files are put together soon, and compressed as well as was asked for then.
const LEVEL: i32 = 1;

/// Makes pieces of rows.
pub(crate) fn pieces(batches: &Batches, window: Window, level: i32) -> Result<Vec<NewPiece>, EncodeError> {
    let mut pieces: Vec<NewPiece> = Vec::new();
    for table in FILLED {
        let batches = batches.get(table);
        if batches.is_empty() {
            continue;
        }
        let order = by_time(table, batches)?;
        let rows = Gather::new(table.schema(), batches, CHUNK);
        for run in order.chunk_by(|one, next| window.hour(one.time) == window.hour(next.time)) {
            let Some(first) = run.first() else { continue };
            let hour = window.hour(first.time);
            let mut output = Output::new(table, run.len() as u64, level.min(LEVEL))?;
            for chunk in run.chunks(CHUNK) {
                let places: Vec<(usize, usize)> = chunk.iter().map(|entry| entry.place).collect();
                output.write(rows.rows(&places)?)?;
            }
            // A piece has one file a table; rows of wrong times come first and last and may need another one of the same hour.
            let free = |piece: &NewPiece| piece.piece.hour == hour && !piece.piece.tables.contains_key(&table);
            let at = match pieces.iter().position(free) {
                Some(at) => at,
                None => {
                    pieces.push(NewPiece { piece: Piece::new(hour), files: Vec::new(), blooms: Vec::new() });
                    pieces.len() - 1
                }
            };
            if let Some(piece) = pieces.get_mut(at) {
                piece.add(output)?;
            }
        }
    }
    Ok(pieces)
}

// === impl NewPiece ===

impl NewPiece {
    fn add(&mut self, output: Output) -> Result<(), EncodeError> {
        for (table, file) in output.finish()? {
            if table != Table::Usage {
                self.blooms.push((table, Bloom::of(&file.bytes)?));
            }
            self.piece.tables.insert(table, file.stats);
            self.files.push((table, file));
        }
        Ok(())
    }
}

// === impl Window ===

impl Window {
    /// The hour that a time belongs to.
    fn hour(&self, micros: i64) -> i64 {
        let hour = hour_of(micros);
        if (self.hours.0..=self.hours.1).contains(&hour) { hour } else { self.now }
    }
}

/// All rows by time.
fn by_time(table: Table, batches: &[RecordBatch]) -> Result<Vec<Entry>, EncodeError> {
    let mut rows: Vec<Entry> = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    for (at, batch) in batches.iter().enumerate() {
        let times = batch.column_by_name(table.time_column());
        let Some(times) = times.and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>()) else {
            return Err(ArrowError::SchemaError(format!("{} has no times", table.name())).into());
        };
        rows.extend(times.values().iter().enumerate().map(|(row, time)| Entry { time: *time, place: (at, row) }));
    }
    // Mostly they are sorted already, or in a few runs that are: a stable sort looks for those.
    rows.sort_by_key(|entry| entry.time);
    Ok(rows)
}
