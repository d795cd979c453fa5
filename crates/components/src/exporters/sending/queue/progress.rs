//! Which requests of a log are done with, though they end in any order.

use std::collections::VecDeque;

use spanmill_wal::Seq;

/// What was taken from a log, and how far everything is done.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Taken, in the order of their numbers, and whether they are done; the first one is not.
    taken: VecDeque<(Seq, bool)>,
    reached: Option<Seq>,
}

// === impl Progress ===

impl Progress {
    /// Requests are taken in the order of their numbers.
    pub(super) fn take(&mut self, seq: Seq) {
        self.taken.push_back((seq, false));
    }

    pub(super) fn done(&mut self, seqs: &[Seq]) {
        for seq in seqs {
            let found = self.taken.binary_search_by_key(seq, |(taken, _)| *taken);
            if let Some((_, is_done)) = found.ok().and_then(|at| self.taken.get_mut(at)) {
                *is_done = true;
            }
        }
        while let Some((seq, true)) = self.taken.front() {
            self.reached = Some(*seq);
            self.taken.pop_front();
        }
    }

    /// The last request such that it and all before it are done; none where there is no such yet.
    pub(super) fn reached(&self) -> Option<Seq> {
        self.reached
    }

    /// How many were taken from the first that is not done on.
    pub(super) fn ahead(&self) -> usize {
        self.taken.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: requests whose numbers have a gap are taken one by one, and end in another order.
    /// Guarantees: it reaches as far as everything is done, and no further.
    #[test]
    fn reaches_what_is_done() {
        let mut progress = Progress::default();
        let seen = |progress: &Progress| (progress.reached().map(Seq::get), progress.ahead());
        for seq in [5, 6, 7, 80] {
            progress.take(Seq::new(seq));
        }
        assert_eq!(seen(&progress), (None, 4));
        for (done, expected) in [(80, (None, 4)), (6, (None, 4)), (5, (Some(6), 2)), (7, (Some(80), 0))] {
            progress.done(&[Seq::new(done)]);
            assert_eq!(seen(&progress), expected);
        }
    }
}
