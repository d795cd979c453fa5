//! Rows in memory to pieces: cut by hour, sorted by time, encoded.

use std::ops::Range;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{SortOptions, concat, concat_batches, interleave_record_batch, sort_to_indices};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::error::ArrowError;
use parquet::errors::ParquetError;
use thiserror::Error;

use crate::batches::{Batches, FILLED};
use crate::bloom::Bloom;
use crate::file::{Encoded, encode};
use crate::manifest::{Piece, hour_of};
use crate::rollup::roll_up;
use crate::schema::Table;

/// A piece and its files, not written yet.
#[derive(Debug)]
pub(crate) struct NewPiece {
    pub(crate) piece: Piece,
    pub(crate) files: Vec<(Table, Encoded)>,
    pub(crate) blooms: Vec<(Table, Bloom)>,
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

/// Rows could not be encoded.
#[derive(Debug, Error)]
pub(crate) enum EncodeError {
    #[error(transparent)]
    Arrow(#[from] ArrowError),
    #[error(transparent)]
    Parquet(#[from] ParquetError),
}

/// Makes pieces of rows.
pub(crate) fn pieces(batches: &Batches, window: Window, level: i32) -> Result<Vec<NewPiece>, EncodeError> {
    let mut pieces: Vec<NewPiece> = Vec::new();
    for table in FILLED {
        let batches = batches.get(table);
        if batches.is_empty() {
            continue;
        }
        let rows = sorted(table, batches)?;
        for (hour, range) in window.cut(table, &rows) {
            let rows = rows.slice(range.start, range.len());
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
                piece.add(table, &rows, level)?;
            }
        }
    }
    Ok(pieces)
}

// === impl NewPiece ===

impl NewPiece {
    fn add(&mut self, table: Table, rows: &RecordBatch, level: i32) -> Result<(), EncodeError> {
        self.add_file(table, encode(table, rows, level)?);
        self.blooms.push((table, Bloom::of(rows)));
        if table == Table::Spans {
            let usage = roll_up(std::slice::from_ref(rows))?;
            if usage.num_rows() > 0 {
                self.add_file(Table::Usage, encode(Table::Usage, &usage, level)?);
            }
        }
        Ok(())
    }

    fn add_file(&mut self, table: Table, file: Encoded) {
        self.piece.tables.insert(table, file.stats);
        self.files.push((table, file));
    }
}

// === impl Window ===

impl Window {
    /// Runs of rows of the same hour.
    fn cut(&self, table: Table, rows: &RecordBatch) -> Vec<(i64, Range<usize>)> {
        let Some(times) = rows.column_by_name(table.time_column()) else { return Vec::new() };
        let times = times.as_primitive::<TimestampMicrosecondType>();
        let mut runs: Vec<(i64, Range<usize>)> = Vec::new();
        for row in 0..times.len() {
            let hour = self.hour(times.value(row));
            match runs.last_mut() {
                Some((known, range)) if *known == hour => range.end = row + 1,
                _ => runs.push((hour, row..row + 1)),
            }
        }
        runs
    }

    fn hour(&self, micros: i64) -> i64 {
        let hour = hour_of(micros);
        if (self.hours.0..=self.hours.1).contains(&hour) { hour } else { self.now }
    }
}

/// All rows in one batch, by time.
fn sorted(table: Table, batches: &[RecordBatch]) -> Result<RecordBatch, ArrowError> {
    let times: Option<Vec<&dyn Array>> =
        batches.iter().map(|rows| rows.column_by_name(table.time_column()).map(AsRef::as_ref)).collect();
    let Some(times) = times else { return concat_batches(&table.schema(), batches) };
    let order = sort_to_indices(&concat(&times)?, Some(SortOptions::default()), None)?;
    let places: Vec<(usize, usize)> =
        batches.iter().enumerate().flat_map(|(at, rows)| (0..rows.num_rows()).map(move |row| (at, row))).collect();
    let order: Vec<(usize, usize)> =
        order.values().iter().filter_map(|place| places.get(*place as usize).copied()).collect();
    // Straight from where they are: putting all batches together first would copy every row twice.
    interleave_record_batch(&batches.iter().collect::<Vec<_>>(), &order)
}
