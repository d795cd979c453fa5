//! Pieces of an hour to one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::RecordBatch;
use bytes::Bytes;
use futures_util::TryStreamExt;
use jiff::Timestamp;
use parquet::arrow::ArrowWriter;

use super::dedup::Dedup;
use super::{Upkeep, lease, merge};
use crate::batches::FILLED;
use crate::file::{encode, properties, time_range};
use crate::manifest::{FileStats, HOUR, Part, Piece};
use crate::rollup::roll_up;
use crate::schema::Table;
use crate::seal::EncodeError;
use crate::store::{Store, StoreError};

/// Pieces are put together up to this size in bytes.
const LARGEST: u64 = 256 << 20;

/// Spans that are counted together for `usage_1m`.
const ROLL_UP: usize = 64 << 10;

pub(super) async fn run(store: &Store, now: Timestamp, done: &mut Upkeep) -> Result<(), StoreError> {
    let after = i64::try_from(store.options().compact_after.as_micros()).unwrap_or(i64::MAX);
    let state = store.manifest().state();
    let mut hours: BTreeMap<i64, Vec<Piece>> = BTreeMap::new();
    for piece in state.pieces() {
        let end = (piece.hour + 1).saturating_mul(HOUR);
        if end.saturating_add(after) <= now.as_microsecond() {
            hours.entry(piece.hour).or_default().push(Piece::clone(piece));
        }
    }
    for (hour, pieces) in hours {
        for group in groups(pieces) {
            let Some(held) = lease::take(store.place(), hour, now).await? else { break };
            let result = compact(store, hour, group, done).await;
            held.release(store.place()).await?;
            result?;
        }
    }
    Ok(())
}

/// Which pieces of an hour become one: as many as fit into the largest size. One alone stays as it is.
fn groups(mut pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    pieces.sort_by_key(Piece::bytes);
    let mut groups: Vec<(u64, Vec<Piece>)> = Vec::new();
    for piece in pieces {
        match groups.last_mut() {
            Some((size, group)) if *size + piece.bytes() <= LARGEST => {
                *size += piece.bytes();
                group.push(piece);
            }
            _ => groups.push((piece.bytes(), vec![piece])),
        }
    }
    groups.into_iter().map(|(_, group)| group).filter(|group| group.len() > 1).collect()
}

async fn compact(store: &Store, hour: i64, pieces: Vec<Piece>, done: &mut Upkeep) -> Result<(), StoreError> {
    let mut piece = Piece::new(hour);
    piece.replaces = pieces.iter().map(|piece| piece.id.clone()).collect();
    for table in FILLED {
        let Some(stream) = merge::merged(store, table, &pieces)? else { continue };
        let rows = pieces.iter().filter_map(|piece| piece.tables.get(&table)).map(|file| file.rows).sum();
        let mut writer = Output::new(table, rows, store.options().compression_level)?;
        let mut stream = std::pin::pin!(stream);
        while let Some(batch) = stream.try_next().await? {
            writer.write(batch)?;
        }
        let finished = writer.finish()?;
        done.duplicates += finished.dropped;
        for (table, bytes, stats) in finished.files {
            store.place().put(&piece.path(table), bytes).await?;
            piece.tables.insert(table, stats);
        }
    }
    store.manifest().commit(Part { adds: vec![Arc::new(piece)], ..Part::default() }, || ()).await?;
    done.compacted += pieces.len() as u64;
    let due = Instant::now() + store.options().grace;
    for piece in pieces {
        store.dead().add(due, piece);
    }
    Ok(())
}

/// A file that is being written.
struct Output {
    table: Table,
    writer: ArrowWriter<Vec<u8>>,
    dedup: Dedup,
    level: i32,
    rows: u64,
    range: Option<(i64, i64)>,
    /// Spans that are not counted yet.
    waiting: Vec<RecordBatch>,
    usage: Vec<RecordBatch>,
}

/// What an [`Output`] made.
struct Finished {
    files: Vec<(Table, Bytes, FileStats)>,
    dropped: u64,
}

// === impl Output ===

impl Output {
    fn new(table: Table, rows: u64, level: i32) -> Result<Self, EncodeError> {
        let writer = ArrowWriter::try_new(Vec::new(), table.schema(), Some(properties(table, rows, level)?))?;
        let dedup = Dedup::new(table);
        Ok(Self { table, writer, dedup, level, rows: 0, range: None, waiting: Vec::new(), usage: Vec::new() })
    }

    fn write(&mut self, batch: RecordBatch) -> Result<(), EncodeError> {
        let batch = self.dedup.filter(batch)?;
        let Some((first, last)) = time_range(self.table, &batch) else { return Ok(()) };
        self.range = Some(self.range.map_or((first, last), |(min, max)| (min.min(first), max.max(last))));
        self.rows += batch.num_rows() as u64;
        self.writer.write(&batch)?;
        if self.table == Table::Spans {
            self.waiting.push(batch);
            if self.waiting.iter().map(RecordBatch::num_rows).sum::<usize>() >= ROLL_UP {
                self.count_usage()?;
            }
        }
        Ok(())
    }

    fn count_usage(&mut self) -> Result<(), EncodeError> {
        let usage = roll_up(&std::mem::take(&mut self.waiting))?;
        if usage.num_rows() > 0 {
            self.usage.push(usage);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Finished, EncodeError> {
        self.count_usage()?;
        let bytes = Bytes::from(self.writer.into_inner()?);
        let (min_us, max_us) = self.range.unwrap_or_default();
        let stats = FileStats { bytes: bytes.len() as u64, rows: self.rows, min_us, max_us };
        let mut files = vec![(self.table, bytes, stats)];
        if !self.usage.is_empty() {
            let rows = arrow::compute::concat_batches(&Table::Usage.schema(), &self.usage)?;
            let usage = encode(Table::Usage, &rows, self.level)?;
            files.push((Table::Usage, usage.bytes, usage.stats));
        }
        Ok(Finished { files, dropped: self.dedup.dropped })
    }
}
