//! Pieces of an hour to one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

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
