//! Pieces that are too old, or too much.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::Upkeep;
use crate::manifest::{HOUR, Part, Piece};
use crate::schema::Table;
use crate::store::{Store, StoreError};

pub(super) async fn run(store: &Store, now: Timestamp, done: &mut Upkeep) -> Result<(), StoreError> {
    let options = store.options();
    let pieces: Vec<Piece> = store.manifest().state().pieces().map(|piece| Piece::clone(piece)).collect();
    let expired = expired(pieces, now.as_microsecond(), options.max_age, options.max_bytes);
    if expired.is_empty() {
        return Ok(());
    }
    let part = Part { removes: expired.iter().map(|piece| piece.id.clone()).collect(), ..Part::default() };
    store.manifest().commit(part, || ()).await?;
    for piece in expired {
        done.expired += 1;
        done.expired_spans += piece.tables.get(&Table::Spans).map_or(0, |file| file.rows);
        store.dead().add(Instant::now() + options.grace, piece);
    }
    Ok(())
}

/// The pieces to remove: hours that ended too long ago, then the oldest ones until the rest is small enough.
fn expired(mut pieces: Vec<Piece>, now_us: i64, max_age: Option<Duration>, max_bytes: Option<u64>) -> Vec<Piece> {
    pieces.sort_by(|a, b| (a.hour, &a.id).cmp(&(b.hour, &b.id)));
    let age = max_age.map(|age| i64::try_from(age.as_micros()).unwrap_or(i64::MAX));
    let too_old =
        |piece: &Piece| age.is_some_and(|age| (piece.hour + 1).saturating_mul(HOUR) < now_us.saturating_sub(age));
    let mut total: u64 = pieces.iter().map(Piece::bytes).sum();
    let mut expired = Vec::new();
    for piece in pieces {
        if too_old(&piece) || max_bytes.is_some_and(|most| total > most) {
            total = total.saturating_sub(piece.bytes());
            expired.push(piece);
        }
    }
    expired
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::FileStats;

    /// Scenario: pieces of ten hours, of 100 bytes each.
    /// Guarantees: what ended before the age goes, and the oldest of the rest until it is small enough.
    #[test]
    fn oldest_go_first() {
        let pieces = || {
            (0..10).map(|hour| {
                let mut piece = Piece::new(hour);
                piece.tables.insert(Table::Spans, FileStats { bytes: 100, ..FileStats::default() });
                piece
            })
        };
        let hours = |age: Option<u64>, bytes| -> Vec<i64> {
            let age = age.map(|hours| Duration::from_secs(hours * 3_600));
            expired(pieces().collect(), 10 * HOUR, age, bytes).iter().map(|piece| piece.hour).collect()
        };
        assert_eq!(hours(None, None), [0_i64; 0]);
        assert_eq!(hours(Some(7), None), [0, 1]);
        assert_eq!(hours(None, Some(750)), [0, 1, 2]);
        assert_eq!(hours(Some(7), Some(750)), [0, 1, 2]);
    }
}
