//! Pieces of an hour to one.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::TryStreamExt;
use jiff::Timestamp;

use super::dedup::Dedup;
use super::{Upkeep, lease, merge};
use crate::batches::FILLED;
use crate::file::{EncodeError, Output};
use crate::manifest::{HOUR, Part, Piece};
use crate::schema::Table;
use crate::store::{Store, StoreError};
use crate::upload::Upload;

/// The files that are being written.
#[derive(Default)]
struct Uploads(BTreeMap<Table, Upload>);

/// Pieces are put together up to this size in bytes.
const LARGEST: u64 = 256 << 20;

/// So many pieces are put together at a time: of each some ten megabytes are in memory meanwhile.
const MOST: usize = 16;

/// At least one part in so many is new where an hour is put together again soon.
const WORTH: u64 = 4;

/// Hours that were put together a short while ago.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    hours: Mutex<HashMap<i64, Instant>>,
}

// === impl Recent ===

impl Recent {
    fn note(&self, hour: i64) {
        self.lock().insert(hour, Instant::now());
    }

    fn knows(&self, hour: i64) -> bool {
        self.lock().contains_key(&hour)
    }

    fn forget(&self, after: Duration) {
        self.lock().retain(|_, at| at.elapsed() < after);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Instant>> {
        self.hours.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
    store.recent().forget(store.options().compact_after);
    for (hour, pieces) in hours {
        for group in groups(pieces) {
            if !is_worth(&group) && store.recent().knows(hour) {
                continue;
            }
            let Some(held) = lease::take(store.place(), hour, now).await? else { break };
            let result = compact(store, hour, group, done).await;
            held.release(store.place()).await?;
            result?;
            store.recent().note(hour);
        }
    }
    Ok(())
}

/// Which pieces of an hour become one: as many as fit into the largest size and into memory, the smallest first. One alone stays as it is.
fn groups(mut pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    pieces.sort_by_key(Piece::bytes);
    let mut groups: Vec<(u64, Vec<Piece>)> = Vec::new();
    for piece in pieces {
        match groups.last_mut() {
            Some((size, group)) if *size + piece.bytes() <= LARGEST && group.len() < MOST => {
                *size += piece.bytes();
                group.push(piece);
            }
            _ => groups.push((piece.bytes(), vec![piece])),
        }
    }
    groups.into_iter().map(|(_, group)| group).filter(|group| group.len() > 1).collect()
}

/// Whether there is enough beside the largest piece to write all of it again. Otherwise an hour that was just put together waits: spans that come late would have
/// it written anew for each of them.
fn is_worth(group: &[Piece]) -> bool {
    let largest = group.iter().map(Piece::bytes).max().unwrap_or(0);
    let all: u64 = group.iter().map(Piece::bytes).sum();
    (all - largest).saturating_mul(WORTH) >= largest
}

async fn compact(store: &Store, hour: i64, pieces: Vec<Piece>, done: &mut Upkeep) -> Result<(), StoreError> {
    let mut piece = Piece::new(hour);
    piece.replaces = pieces.iter().map(|piece| piece.id.clone()).collect();
    let mut uploads = Uploads::default();
    let written = write(store, &pieces, &mut piece, &mut uploads, done).await;
    if let Err(error) = written {
        uploads.abort().await;
        return Err(error);
    }
    store.manifest().commit(Part { adds: vec![Arc::new(piece)], ..Part::default() }, || ()).await?;
    done.compacted += pieces.len() as u64;
    let due = Instant::now() + store.options().grace;
    for piece in pieces {
        store.dead().add(due, piece);
    }
    Ok(())
}

/// Writes all rows of some pieces into the files of another one.
async fn write(
    store: &Store,
    pieces: &[Piece],
    piece: &mut Piece,
    uploads: &mut Uploads,
    done: &mut Upkeep,
) -> Result<(), StoreError> {
    for table in FILLED {
        let Some(stream) = merge::merged(store, table, pieces)? else { continue };
        let rows = pieces.iter().filter_map(|piece| piece.tables.get(&table)).map(|file| file.rows).sum();
        let mut output = Output::new(table, rows, store.options().compression_level)?;
        let mut dedup = Dedup::new(table);
        let mut stream = std::pin::pin!(stream);
        while let Some(batch) = stream.try_next().await? {
            output.write(dedup.filter(batch).map_err(EncodeError::from)?)?;
            for (table, bytes) in output.take() {
                uploads.write(store, piece, table, bytes).await?;
            }
        }
        done.duplicates += dedup.dropped;
        for (table, file) in output.finish()? {
            uploads.write(store, piece, table, file.bytes).await?;
            uploads.finish(table).await?;
            piece.tables.insert(table, file.stats);
        }
    }
    Ok(())
}

// === impl Uploads ===

impl Uploads {
    async fn write(&mut self, store: &Store, piece: &Piece, table: Table, bytes: Bytes) -> Result<(), StoreError> {
        let upload = match self.0.entry(table) {
            Entry::Occupied(begun) => begun.into_mut(),
            Entry::Vacant(free) => free.insert(Upload::begin(store.place(), &piece.path(table)).await?),
        };
        Ok(upload.write(bytes).await?)
    }

    async fn finish(&mut self, table: Table) -> Result<(), StoreError> {
        match self.0.remove(&table) {
            Some(upload) => Ok(upload.finish().await?),
            None => Ok(()),
        }
    }

    async fn abort(self) {
        for (_, upload) in self.0 {
            upload.abort().await;
        }
    }
}
