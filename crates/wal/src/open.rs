//! Finds out what an earlier process left.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::cursor::{self, Cursor};
use crate::error::{Failure, OpenError};
use crate::files::{File, Files, Lock};
use crate::frame;
use crate::record::Seq;
use crate::scan::{self, Lost, Rest, Scan};
use crate::segment::{self, Header, Kind, Spare};
use crate::segments::{Segment, Segments};
use crate::slots;
use crate::stats::Counters;

/// What an earlier process left.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) lock: Box<dyn Lock>,
    /// All of them finished, but the last one if it may be written on.
    pub(crate) segments: Segments,
    pub(crate) cursors: BTreeMap<String, Arc<Cursor>>,
    pub(crate) spare: Option<Spare>,
    pub(crate) counters: Counters,
    /// The last segment may be written on, from this place.
    pub(crate) active: Option<(Arc<dyn File>, Segment, u64)>,
    /// Where the last segment ends.
    pub(crate) follows: Seq,
    /// A number that was never given, nor was any above.
    pub(crate) next: Seq,
}

/// Opens a directory.
#[derive(Debug)]
struct Opening<'a> {
    files: &'a dyn Files,
    dir: &'a Path,
    counters: Counters,
}

/// A segment file as it was found.
#[derive(Debug)]
struct Found {
    kind: Kind,
    first: Seq,
    file: Arc<dyn File>,
    bytes: u64,
    header: Option<Header>,
}

/// The file by which a process keeps others out.
pub(crate) const LOCK: &str = "lock";

/// After a power loss a segment whose records were acknowledged early does not tell which numbers were given: this many are
/// left out.
const RELAXED_GAP: u64 = 1 << 32;

/// Reads a directory, and mends what a crash left. `strict` if records are to be durable before they are acknowledged.
pub(crate) fn open(files: &dyn Files, dir: &Path, strict: bool) -> Result<Left, OpenError> {
    files.create_dir(dir).map_err(Failure::of("create", dir))?;
    let lock_path = dir.join(LOCK);
    let lock = files.lock(&lock_path).map_err(Failure::of("lock", &lock_path))?;
    let lock = lock.ok_or_else(|| OpenError::Locked(dir.into()))?;
    let opening = Opening { files, dir, counters: Counters::default() };
    Ok(opening.read(lock, strict)?)
}

// === impl Opening ===

impl Opening<'_> {
    fn read(self, lock: Box<dyn Lock>, strict: bool) -> Result<Left, Failure> {
        let names = self.files.list(self.dir).map_err(Failure::of("list", self.dir))?;
        let mut kinds = Vec::new();
        let mut cursors = BTreeMap::new();
        let mut spare = None;
        for name in &names {
            match Kind::of(name) {
                Some(Kind::Temporary) => self.remove(name)?,
                Some(Kind::Spare) => spare = segment::found(self.files, self.dir).ok(),
                Some(kind) => kinds.push(kind),
                None => cursors.extend(cursor::name_of(name).map(|cursor| (cursor, name))),
            }
        }
        let positions = cursors
            .into_iter()
            .map(|(name, file)| Ok((name, slots::load(self.files, &self.dir.join(file))?)))
            .collect::<Result<Vec<_>, Failure>>()?;
        // A cursor may know of records that a power loss took.
        let ahead = positions.iter().filter_map(|(_, loaded)| loaded.next).max().unwrap_or(Seq::FIRST);
        let found = self.segments(kinds)?;
        let mut segments = Segments::default();
        let (active, follows, next) = self.chain(&found, &mut segments, strict, ahead)?;
        let oldest = if segments.len() == 0 { next } else { segments.oldest() };
        let cursors = positions.into_iter().map(|(name, loaded)| {
            let cursor = Cursor::found(self.files, self.dir, &name, loaded, oldest);
            (name, Arc::new(cursor))
        });
        let cursors = cursors.collect();
        // The name of the last segment may be younger than the last sync: a process that was killed leaves it like that.
        self.files.sync_dir(self.dir).map_err(Failure::of("sync", self.dir))?;
        Ok(Left { lock, segments, cursors, spare, counters: self.counters, active, follows, next })
    }

    fn remove(&self, name: &str) -> Result<(), Failure> {
        let path = self.dir.join(name);
        self.files.remove(&path).map_err(Failure::of("remove", &path))
    }

    fn segments(&self, kinds: Vec<Kind>) -> Result<Vec<Found>, Failure> {
        let mut found = Vec::with_capacity(kinds.len());
        for kind in kinds {
            let (Kind::Segment(first) | Kind::Quarantined(first)) = kind else { continue };
            let path = kind.path(self.dir);
            let file = match kind {
                Kind::Segment(_) => self.files.edit(&path),
                _ => self.files.open(&path),
            };
            let file = file.map_err(Failure::of("open", &path))?;
            let bytes = file.len().map_err(Failure::of("read", &path))?;
            let header = Header::read(&*file).map_err(Failure::of("read", &path))?;
            found.push(Found { kind, first, file, bytes, header: header.filter(|header| header.first == first) });
        }
        // Of two of one number, the one that was set aside comes first.
        found.sort_by_key(|found| (found.first, matches!(found.kind, Kind::Segment(_))));
        Ok(found)
    }

    /// Puts the segments in order, and looks into the last one and into those that were set aside.
    #[allow(clippy::type_complexity, reason = "the parts are named where they are used")]
    fn chain(
        &self,
        found: &[Found],
        segments: &mut Segments,
        strict: bool,
        ahead: Seq,
    ) -> Result<(Option<(Arc<dyn File>, Segment, u64)>, Seq, Seq), Failure> {
        let mut next = ahead;
        let mut follows = Seq::FIRST;
        let mut active = None;
        let last = found.iter().rposition(|found| matches!(found.kind, Kind::Segment(_)) && found.header.is_some());
        for (place, current) in found.iter().enumerate() {
            active = None;
            let after = found.get(place + 1);
            let path = current.kind.path(self.dir);
            let Some(header) = current.header else {
                // What it held is not known: its numbers are not given again.
                // The next one knows where its numbers ended.
                let records = after
                    .and_then(|after| after.header)
                    .map_or(0, |after| after.follows.get().saturating_sub(current.first.get()));
                let path = self.quarantine(current, Lost { records, bytes: current.bytes })?;
                next = next.max(unreached(current.first, current.bytes));
                follows = current.first;
                let header = Header::new(current.first, current.first, std::time::Duration::ZERO, false);
                segments.push(Segment::finished(header, path, current.bytes, current.first, true));
                continue;
            };
            let sealed = after.map(|after| after.header.map_or(after.first, |header| header.follows));
            let is_set_aside = matches!(current.kind, Kind::Quarantined(_));
            if let Some(end) = sealed.filter(|_| is_set_aside || Some(place) != last) {
                follows = end;
                next = next.max(end);
                let mut segment = Segment::finished(header, path, current.bytes, end, is_set_aside);
                segment.newest = after.and_then(|after| after.header).map_or(header.created, |after| after.created);
                segments.push(segment);
                continue;
            }
            let scan = scan::scan(&*current.file, &header).map_err(Failure::of("read", &path))?;
            next = next.max(scan.next);
            follows = if scan.next == header.first { header.follows } else { scan.next };
            let mut segment = Segment::finished(header, path, current.bytes, scan.next, is_set_aside);
            segment.newest = after.and_then(|after| after.header).map_or(header.created, |after| after.created);
            let damage = scan.damage();
            if damage.is_some() || !matches!(scan.rest, Rest::Clean | Rest::Old) {
                let behind = current.bytes.saturating_sub(scan.end);
                next = next.max(unreached(scan.next, behind));
            }
            if is_set_aside {
                segments.push(segment);
                continue;
            }
            if let Some(lost) = damage {
                segment.path = self.quarantine(current, lost)?;
                segment.damaged = true;
                segments.push(segment);
                continue;
            }
            if header.relaxed && after.is_none() {
                next = next.max(Seq::new(scan.next.get().saturating_add(RELAXED_GAP)));
            }
            let is_clean = scan.rest == Rest::Clean && scan.next == next;
            if after.is_none() && strict && !header.relaxed && is_clean {
                // A process that was killed may have written what was not durable yet.
                current.file.sync().map_err(Failure::of("sync", &segment.path))?;
                segment.end = None;
                active = Some((Arc::clone(&current.file), segment.clone(), scan.end));
                segments.push(segment);
                continue;
            }
            self.finish(current, &scan, segment, segments)?;
        }
        Ok((active, follows, next))
    }

    /// Cuts what is not used off a segment that will not be written on.
    fn finish(
        &self,
        current: &Found,
        scan: &Scan,
        mut segment: Segment,
        segments: &mut Segments,
    ) -> Result<(), Failure> {
        if let Rest::Torn { until } = scan.rest {
            let lost = until.saturating_sub(scan.end);
            tracing::warn!(path = %segment.path.display(), offset = scan.end, bytes = lost, "a torn end was cut off");
            self.counters.lost_bytes.add(lost);
        }
        if scan.next == segment.header.first {
            // The next one may have the same number.
            return self.files.remove(&segment.path).map_err(Failure::of("remove", &segment.path));
        }
        current.file.truncate(scan.end).map_err(Failure::of("cut", &segment.path))?;
        current.file.sync().map_err(Failure::of("sync", &segment.path))?;
        segment.bytes = scan.end;
        segments.push(segment);
        Ok(())
    }

    fn quarantine(&self, current: &Found, lost: Lost) -> Result<std::path::PathBuf, Failure> {
        if matches!(current.kind, Kind::Quarantined(_)) {
            return Ok(current.kind.path(self.dir));
        }
        let path = segment::set_aside(self.files, self.dir, current.first)?;
        self.counters.quarantined_segments.add(1);
        lost.tell(&path, None, &self.counters);
        Ok(path)
    }
}

/// A number that no record in so many bytes can have, if they begin with this one.
fn unreached(first: Seq, bytes: u64) -> Seq {
    Seq::new(first.get().saturating_add(bytes / frame::size(0)).saturating_add(1))
}
