//! Segments that go: consumed, too old, or damaged.

use std::time::Duration;

use crate::damage::Damage;
use crate::record::Seq;
use crate::segment;
use crate::window::Spot;
use crate::writer::{Waiting, Writer};

// === impl Writer ===

impl Writer {
    /// Removes the segments that every cursor has passed.
    pub(crate) fn collect(&mut self) {
        let mut gone = Vec::new();
        {
            let cursors = self.shared.cursors();
            let Some(slowest) = cursors.values().map(|cursor| cursor.next()).min() else { return };
            let mut segments = self.shared.segments();
            while let Some(segment) = segments.take_oldest(|_, end| end <= slowest) {
                gone.push(segment);
            }
        }
        // What was set aside is kept for inspection.
        gone.retain(|segment| !segment.damaged);
        self.reserve.recycle(&self.shared, gone);
    }

    /// Removes the segments that are too old, and counts what was not committed.
    pub(crate) fn expire(&mut self) {
        let Some(max_age) = self.shared.limits.max_age else { return };
        let now = self.shared.clock.now();
        let is_old = |newest: Duration| newest.saturating_add(max_age) < now;
        if !self.active.is_empty() && is_old(self.timing.newest) && self.failure.is_none() {
            // When the log is full its older segments go first, and this one the next time.
            let _ = self.change_segment(0, &mut Waiting::default());
        }
        let mut gone = Vec::new();
        {
            let cursors = self.shared.cursors();
            let mut segments = self.shared.segments();
            while let Some(segment) = segments.take_oldest(|segment, _| is_old(segment.newest)) {
                let end = segment.end.unwrap_or(segment.header.first);
                cursors.values().for_each(|cursor| cursor.expire(segment.header.first, end));
                self.shared.recent.forget(end);
                gone.push(segment);
            }
        }
        if !gone.is_empty() {
            tracing::warn!(segments = gone.len(), "segments were dropped because of their age");
        }
        gone.retain(|segment| !segment.damaged);
        self.reserve.remove(gone);
        self.collect();
    }

    /// Sets a segment aside in which a reader found damage; tells whether it is, and finished.
    pub(crate) fn quarantine(&mut self, first: Seq, bad: Spot) -> bool {
        // Somebody else may have told of it, or it is gone.
        if self.shared.segments().get(first).is_none_or(|segment| segment.damaged) {
            return true;
        }
        if self.active.header.first == first && !self.leave_damaged(first) {
            return false;
        }
        let set_aside = segment::set_aside(&*self.shared.files, &self.shared.dir, first);
        let segment = self.shared.segments().get_mut(first).map(|segment| {
            match set_aside {
                Ok(path) => segment.path = path,
                Err(error) => tracing::warn!(%error, "a damaged segment could not be set aside"),
            }
            segment.damaged = true;
            segment.clone()
        });
        self.shared.counters.quarantined_segments.add(1);
        if let Some(segment) = segment {
            self.reserve.count(Damage { segment, bad }, &self.shared);
        }
        true
    }

    /// Begins another segment although the log may be full: the damaged one does not count any more.
    fn leave_damaged(&mut self, first: Seq) -> bool {
        self.shared.segments().mark(first, true);
        let changed = self.change_segment(0, &mut Waiting::default());
        self.shared.segments().mark(first, false);
        changed.is_ok()
    }
}
