//! When traces are decided on.

use std::collections::BTreeMap;

use indexmap::IndexSet;

use super::grouping::TraceId;

/// Traces by the tick at which they are decided on.
#[derive(Debug)]
pub(super) struct Schedule {
    ticks: BTreeMap<u64, IndexSet<TraceId, ahash::RandomState>>,
    next: u64,
    wait: u64,
}

// === impl Schedule ===

impl Schedule {
    /// Traces wait for so many whole ticks.
    pub(super) fn new(wait: u64) -> Self {
        Self { ticks: BTreeMap::new(), next: 0, wait: wait.max(1) }
    }

    /// Adds a trace; the tick says where it is.
    pub(super) fn add(&mut self, id: TraceId) -> u64 {
        let tick = self.next + self.wait;
        self.ticks.entry(tick).or_default().insert(id);
        tick
    }

    /// Moves a trace to a tick that is so many ticks away, where that is earlier. Says where it is then.
    pub(super) fn hasten(&mut self, id: TraceId, tick: u64, away: u64) -> u64 {
        let earlier = self.next.saturating_add(away);
        if earlier >= tick {
            return tick;
        }
        self.remove(&id, tick);
        self.ticks.entry(earlier).or_default().insert(id);
        earlier
    }

    pub(super) fn remove(&mut self, id: &TraceId, tick: u64) {
        if let Some(traces) = self.ticks.get_mut(&tick) {
            traces.swap_remove(id);
        }
    }

    /// The traces of the next tick.
    pub(super) fn tick(&mut self) -> impl Iterator<Item = TraceId> + use<> {
        let due = self.ticks.remove(&self.next).unwrap_or_default();
        self.next += 1;
        due.into_iter()
    }

    /// All traces, the next ones first.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = TraceId> + use<> {
        std::mem::take(&mut self.ticks).into_values().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: traces come in, one is hastened, one is removed, ticks go by.
    /// Guarantees: a trace is due after the wait, or earlier where it was hastened, never later.
    #[test]
    fn traces_become_due() {
        let id = |n| [n; 16];
        let mut schedule = Schedule::new(2);
        let (first, second) = (schedule.add(id(1)), schedule.add(id(2)));
        assert_eq!(schedule.tick().count(), 0);
        let third = schedule.add(id(3));
        assert_eq!(schedule.hasten(id(3), third, 9), third);
        assert_eq!(schedule.hasten(id(3), third, 0), 1);
        assert_eq!(schedule.tick().collect::<Vec<_>>(), [id(3)]);
        schedule.remove(&id(2), second);
        assert_eq!(first, second);
        schedule.add(id(4));
        assert_eq!(schedule.tick().collect::<Vec<_>>(), [id(1)]);
        schedule.add(id(5));
        assert_eq!(schedule.drain().collect::<Vec<_>>(), [id(4), id(5)]);
    }
}
