//! Finds out what of a segment is good, what is damaged, and where it ends.

use std::io;
use std::path::Path;

use crate::files::File;
use crate::frame::{self, Parsed};
use crate::record::Seq;
use crate::segment::{HEADER_BYTES, Header};
use crate::stats::Counters;
use crate::window::{Found, SEARCH_BYTES, Spot, Window};

/// What a scan found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scan {
    /// The number after the last good record.
    pub(crate) next: Seq,
    /// Where that ends.
    pub(crate) end: u64,
    pub(crate) rest: Rest,
    /// What is damaged before that.
    between: Lost,
}

/// What stands behind the last good record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Zeros, or nothing.
    Clean,
    /// What an older segment left in the file.
    Old,
    /// The remains of a write that never came to an end, up to this place.
    Torn { until: u64 },
    /// Records that were acknowledged, up to this place: there was too much to search.
    Damage { until: u64 },
}

/// What damage costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    /// As far as their number is known.
    pub(crate) records: u64,
    pub(crate) bytes: u64,
}

/// Reads a whole segment. Memory does not depend on what it holds.
///
/// A bad record is damaged if one stands behind it that was written when all before it was durable; then those behind it are good as they were.
/// Without such a one it is the remains of a crash, and what is behind it was never acknowledged.
pub(crate) fn scan(file: &dyn File, header: &Header) -> io::Result<Scan> {
    let mut window = Window::new(file, header.salt, SEARCH_BYTES)?;
    let mut spot = window.follow(Spot { seq: header.first, offset: HEADER_BYTES })?;
    let until = window.last_non_zero(spot.offset)?;
    let mut between = Lost::default();
    // All before this was durable.
    let mut durable = 0;
    let rest = loop {
        if until <= spot.offset {
            break Rest::Clean;
        }
        if durable <= spot.offset {
            match window.search(spot, |frame| frame.flags & frame::SYNCED_BEFORE != 0)? {
                Found::Record(synced) => durable = synced.offset,
                Found::Nothing => break remains(&mut window, header, spot, until)?,
                Found::TooMuch => break Rest::Damage { until },
            }
        }
        let Found::Record(good) = window.search(spot, |_| true)? else { break Rest::Damage { until } };
        between.add(spot, good);
        spot = window.follow(good)?;
    };
    Ok(Scan { next: spot.seq, end: spot.offset, rest, between })
}

fn remains(window: &mut Window<'_>, header: &Header, spot: Spot, until: u64) -> io::Result<Rest> {
    Ok(match window.frame(spot.offset)? {
        _ if !header.reused => Rest::Torn { until },
        Parsed::Frame(frame) if frame.seq == spot.seq => Rest::Torn { until: until.min(spot.offset + frame.size()) },
        _ => Rest::Old,
    })
}

/// What is lost of a finished segment from a bad record on, and the number after the last good one. Its numbers end before `end`.
pub(crate) fn survey(file: &dyn File, salt: u32, bad: Spot, end: Seq) -> io::Result<(Seq, Lost)> {
    let mut window = Window::new(file, salt, SEARCH_BYTES)?;
    let (mut spot, mut lost) = (bad, Lost::default());
    while spot.seq < end {
        let Found::Record(good) = window.search(spot, |frame| frame.seq < end)? else {
            let until = window.last_non_zero(spot.offset)?;
            lost.add(spot, Spot { seq: end, offset: until });
            break;
        };
        lost.add(spot, good);
        spot = window.follow(good)?;
    }
    Ok((spot.seq, lost))
}

/// The first good record behind a bad one of a finished segment, whose numbers end before `end`, and what is left of the budget of searches.
pub(crate) fn behind(file: &dyn File, salt: u32, bad: Spot, end: Seq, budget: u64) -> io::Result<(Option<Spot>, u64)> {
    let mut window = Window::new(file, salt, budget)?;
    let found = match window.search(bad, |frame| frame.seq < end)? {
        Found::Record(good) => Some(good),
        Found::Nothing | Found::TooMuch => None,
    };
    Ok((found, window.budget))
}

// === impl Scan ===

impl Scan {
    /// What is lost, if there is damage.
    pub(crate) fn damage(&self) -> Option<Lost> {
        let mut lost = self.between;
        let is_damaged = lost != Lost::default() || matches!(self.rest, Rest::Damage { .. });
        if let Rest::Torn { until } | Rest::Damage { until } = self.rest {
            lost.bytes += until.saturating_sub(self.end);
        }
        is_damaged.then_some(lost)
    }
}

// === impl Lost ===

impl Lost {
    /// Counts what was lost of a segment that was set aside, and tells of it; where the damage begins is told if it is known.
    pub(crate) fn tell(self, path: &Path, offset: Option<u64>, counters: &Counters) {
        let Self { records, bytes } = self;
        let path = path.display();
        tracing::error!(%path, offset, records, bytes, "a segment is damaged and was set aside: what is damaged is lost, the rest is read");
        counters.lost_records.add(records);
        counters.lost_bytes.add(bytes);
    }

    /// What is between two places.
    fn add(&mut self, from: Spot, to: Spot) {
        self.records += to.seq.get().saturating_sub(from.seq.get());
        self.bytes += to.offset.saturating_sub(from.offset);
    }
}
