//! Which requests of a log are done with, though they end in any order.

use std::collections::VecDeque;

use spanmill_wal::Seq;

/// What was taken from a log, and how far everything is done.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// In the order of their numbers; the first one is not done.
    taken: VecDeque<Taken>,
    /// How many of those are done, and their bytes.
    done: usize,
    done_bytes: u64,
    reached: Option<Seq>,
    last: Option<Seq>,
}

#[derive(Debug)]
struct Taken {
    seq: Seq,
    bytes: u32,
    is_done: bool,
}

// === impl Progress ===

impl Progress {
    /// Requests are taken in the order of their numbers.
    pub(super) fn take(&mut self, seq: Seq, bytes: usize) {
        self.last = Some(seq);
        self.taken.push_back(Taken { seq, bytes: u32::try_from(bytes).unwrap_or(u32::MAX), is_done: false });
    }

    pub(super) fn done(&mut self, seqs: &[Seq]) {
        for seq in seqs {
            let found = self.taken.binary_search_by_key(seq, |taken| taken.seq);
            if let Some(taken) = found.ok().and_then(|at| self.taken.get_mut(at)).filter(|taken| !taken.is_done) {
                taken.is_done = true;
                self.done += 1;
                self.done_bytes += u64::from(taken.bytes);
            }
        }
        while let Some(Taken { seq, bytes, .. }) = self.taken.pop_front_if(|taken| taken.is_done) {
            self.reached = Some(seq);
            self.done -= 1;
            self.done_bytes -= u64::from(bytes);
        }
    }

    /// The last request such that it and all before it are done; none where there is no such yet.
    pub(super) fn reached(&self) -> Option<Seq> {
        self.reached
    }

    /// The oldest one that is not done.
    pub(super) fn oldest(&self) -> Option<Seq> {
        self.taken.front().map(|taken| taken.seq)
    }

    /// The last one that was taken.
    pub(super) fn last(&self) -> Option<Seq> {
        self.last
    }

    pub(super) fn is_all_done(&self) -> bool {
        self.taken.is_empty()
    }

    /// How many were taken and are not done.
    pub(super) fn waiting(&self) -> usize {
        self.taken.len() - self.done
    }

    /// How many are done beyond the oldest one that is not.
    pub(super) fn done_ahead(&self) -> usize {
        self.done
    }

    /// And what they take.
    pub(super) fn done_bytes_ahead(&self) -> u64 {
        self.done_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: requests whose numbers have a gap are taken one by one, and end in another order, one of them twice.
    /// Guarantees: it reaches as far as everything is done, and no further; what is done beyond that is counted.
    #[test]
    fn reaches_what_is_done() {
        let mut progress = Progress::default();
        let seen = |progress: &Progress| {
            let done = (progress.done_ahead(), progress.done_bytes_ahead());
            (progress.reached().map(Seq::get), progress.oldest().map(Seq::get), progress.waiting(), done)
        };
        for seq in [5, 6, 7, 80] {
            progress.take(Seq::new(seq), 10);
        }
        assert_eq!(seen(&progress), (None, Some(5), 4, (0, 0)));
        for (done, expected) in [
            (80, (None, Some(5), 3, (1, 10))),
            (80, (None, Some(5), 3, (1, 10))),
            (6, (None, Some(5), 2, (2, 20))),
            (5, (Some(6), Some(7), 1, (1, 10))),
            (7, (Some(80), None, 0, (0, 0))),
        ] {
            progress.done(&[Seq::new(done)]);
            assert_eq!(seen(&progress), expected);
        }
        assert!(progress.is_all_done());
    }
}
