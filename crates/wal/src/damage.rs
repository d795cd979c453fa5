//! A segment in which a reader met damage: what that costs.

use crate::scan;
use crate::segments::Segment;
use crate::shared::{Request, Shared};
use crate::window::Spot;

/// A segment in which a reader met damage.
#[derive(Debug)]
pub(crate) struct Damage {
    /// As it was set aside; finished.
    pub(crate) segment: Segment,
    /// The first bad record.
    pub(crate) bad: Spot,
}

// === impl Damage ===

impl Damage {
    /// Counts what is lost, and tells of it.
    pub(crate) fn count(&self, shared: &Shared) {
        let Self { segment, bad } = self;
        let end = segment.end.unwrap_or(bad.seq);
        let surveyed = shared.files.open(&segment.path);
        match surveyed.and_then(|file| scan::survey(&*file, segment.header.salt, *bad, end)) {
            Ok((last, lost)) => {
                lost.tell(&segment.path, Some(bad.offset), &shared.counters);
                if let Some(segment) = shared.segments().get_mut(segment.header.first) {
                    segment.end = Some(last);
                }
            }
            Err(error) => {
                let (path, offset) = (segment.path.display(), bad.offset);
                tracing::error!(%path, offset, %error, "a segment is damaged and was set aside; what is lost could not be counted");
            }
        }
        // Nothing may be left of it that a reader would commit.
        shared.request(Request::Collect);
    }
}
