//! Pieces of an hour to one.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use jiff::Timestamp;

use super::dedup::Dedup;
use super::{Upkeep, lease, merge};
use crate::batches::FILLED;
use crate::file::{EncodeError, Output};
use crate::manifest::{HOUR, Part, Piece};
use crate::store::{Store, StoreError};

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
    for table in FILLED {
        let Some(stream) = merge::merged(store, table, &pieces)? else { continue };
        let rows = pieces.iter().filter_map(|piece| piece.tables.get(&table)).map(|file| file.rows).sum();
        let mut output = Output::new(table, rows, store.options().compression_level)?;
        let mut dedup = Dedup::new(table);
        let mut stream = std::pin::pin!(stream);
        while let Some(batch) = stream.try_next().await? {
            output.write(dedup.filter(batch).map_err(EncodeError::from)?)?;
        }
        done.duplicates += dedup.dropped;
        for (table, file) in output.finish()? {
            store.place().put(&piece.path(table), file.bytes).await?;
            piece.tables.insert(table, file.stats);
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
