//! Usage that passed recently, so that spans of one call that arrive in different requests, or in different traces, have
//! one owner. A ring of fixed size with two chained indexes; the oldest entry gives way, and nothing is allocated once
//! the ring is full.

/// What is remembered of a span that owns usage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) trace: u64,
    pub(crate) span: u64,
    pub(crate) parent: u64,
    /// Hash of the response id; zero where there is none.
    pub(crate) response: u64,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) input: Option<i64>,
    pub(crate) output: Option<i64>,
    /// Whether the span is one call of a model.
    pub(crate) model: bool,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    usage: Usage,
    older_in_trace: u64,
    older_by_response: u64,
}

/// Eight heads of chains that share one cache line: in the upper bits a tag of the hash, in the lower ones the number of
/// the newest entry. A lookup that finds nothing touches this line alone.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Set([u64; 8]);

/// The memory. Numbers of entries count from one and never repeat; zero is none.
#[derive(Debug)]
pub(crate) struct Memory {
    entries: Vec<Entry>,
    capacity: usize,
    written: u64,
    by_trace: Vec<Set>,
    by_response: Vec<Set>,
    evicted: u64,
}

/// Chains are followed this far, so that a trace of a million spans costs no more than others.
const FAR: usize = 256;

/// Bits of a head that hold the number.
const NUMBER_BITS: u32 = 40;
const NUMBER: u64 = (1 << NUMBER_BITS) - 1;

// === impl Memory ===

impl Memory {
    /// A memory that takes about so many bytes when full.
    pub(crate) fn new(bytes: usize) -> Self {
        let each = size_of::<Entry>() + 2 * size_of::<u64>() * 2;
        let capacity = (bytes / each).max(8);
        let sets = (capacity / 4).next_power_of_two();
        Self {
            entries: Vec::new(),
            capacity,
            written: 0,
            by_trace: vec![Set::default(); sets],
            by_response: vec![Set::default(); sets],
            evicted: 0,
        }
    }

    /// How many entries gave way so far.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    pub(crate) fn remember(&mut self, usage: Usage) {
        let number = self.written + 1;
        let oldest = number.saturating_sub(self.capacity as u64);
        let older_in_trace = swap_head(&mut self.by_trace, usage.trace, number, oldest);
        let older_by_response =
            if usage.response == 0 { 0 } else { swap_head(&mut self.by_response, usage.response, number, oldest) };
        let entry = Entry { usage, older_in_trace, older_by_response };
        let at = (self.written % self.capacity as u64) as usize;
        match self.entries.get_mut(at) {
            Some(old) => {
                *old = entry;
                self.evicted += 1;
            }
            None => self.entries.push(entry),
        }
        self.written = number;
    }

    /// Touches what looking these traces and responses up will need. One after the other, each look-up would wait for
    /// main memory; touched together, they wait at once.
    pub(crate) fn warm(&self, hashes: impl Iterator<Item = (u64, u64)>) {
        let touch = |sets: &[Set], hash| sets.get(place(hash, sets.len()).0).map_or(0, |Set([first, ..])| *first);
        let sum = hashes
            .fold(0, |sum, (trace, response)| sum ^ touch(&self.by_trace, trace) ^ touch(&self.by_response, response));
        std::hint::black_box(sum);
    }

    /// Owners of the trace, the newest first.
    pub(crate) fn of_trace(&self, trace: u64) -> impl Iterator<Item = &Usage> {
        let head = head(&self.by_trace, trace);
        self.chain(head, |entry| entry.older_in_trace).filter(move |usage| usage.trace == trace)
    }

    /// Owners with that hash of a response id, the newest first.
    pub(crate) fn of_response(&self, response: u64) -> impl Iterator<Item = &Usage> {
        let head = if response == 0 { 0 } else { head(&self.by_response, response) };
        self.chain(head, |entry| entry.older_by_response).filter(move |usage| usage.response == response)
    }

    fn chain(&self, head: u64, older: fn(&Entry) -> u64) -> impl Iterator<Item = &Usage> {
        let mut next = head;
        std::iter::from_fn(move || {
            let entry = self.entry(next)?;
            next = older(entry);
            Some(&entry.usage)
        })
        .take(FAR)
    }

    /// An entry, unless it gave way.
    fn entry(&self, number: u64) -> Option<&Entry> {
        if number == 0 || self.written - number >= self.capacity as u64 {
            return None;
        }
        self.entries.get(((number - 1) % self.capacity as u64) as usize)
    }
}

/// The newest entry with that hash; zero where there is none.
#[inline]
fn head(sets: &[Set], hash: u64) -> u64 {
    let (at, tag) = place(hash, sets.len());
    let Some(Set(heads)) = sets.get(at) else { return 0 };
    heads.iter().find(|head| **head & !NUMBER == tag && **head & NUMBER != 0).map_or(0, |head| head & NUMBER)
}

/// Puts a new entry at the head of its chain and gives the old head. Where a set is full, the chain that was written to
/// the longest ago is forgotten.
fn swap_head(sets: &mut [Set], hash: u64, number: u64, oldest: u64) -> u64 {
    let (at, tag) = place(hash, sets.len());
    let Some(Set(heads)) = sets.get_mut(at) else { return 0 };
    let new = tag | number & NUMBER;
    if let Some(head) = heads.iter_mut().find(|head| **head & !NUMBER == tag && **head & NUMBER > oldest) {
        return std::mem::replace(head, new) & NUMBER;
    }
    if let Some(head) = heads.iter_mut().min_by_key(|head| **head & NUMBER) {
        *head = new;
    }
    0
}

/// The set of a hash, and its tag in the bits above the number.
#[inline]
fn place(hash: u64, sets: usize) -> (usize, u64) {
    let mixed = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed >> 12) as usize & (sets - 1), mixed & !NUMBER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(trace: u64, span: u64) -> Usage {
        Usage { trace, span, response: trace + 1_000_000, ..Usage::default() }
    }

    /// Scenario: far more traces than there is room for.
    /// Guarantees: the newest are found, by trace and by response, the oldest gave way and are counted, and memory stays bounded.
    #[test]
    fn the_oldest_gives_way() {
        let mut memory = Memory::new(1 << 20);
        let room = memory.capacity as u64;
        for trace in 1..=room * 3 {
            memory.remember(usage(trace, trace));
        }
        assert_eq!(memory.entries.len() as u64, room);
        assert_eq!(memory.evicted(), room * 2);
        for trace in room * 3 - 100..=room * 3 {
            assert_eq!(memory.of_trace(trace).map(|known| known.span).collect::<Vec<_>>(), [trace]);
            assert_eq!(memory.of_response(trace + 1_000_000).count(), 1);
        }
        assert_eq!(memory.of_trace(1).count(), 0);
    }

    /// Scenario: one trace with very many spans, until the ring has turned several times.
    /// Guarantees: look-ups end, the newest comes first, and no span of another trace is given.
    #[test]
    fn one_long_trace() {
        let mut memory = Memory::new(1 << 16);
        for span in 0..10_000 {
            memory.remember(usage(7, span));
        }
        let spans: Vec<u64> = memory.of_trace(7).map(|known| known.span).collect();
        assert_eq!(spans.first(), Some(&9_999));
        assert!(spans.len() <= FAR && spans.is_sorted_by(|newer, older| newer > older));
        assert_eq!(memory.of_trace(8).count(), 0);
        assert_eq!(memory.of_response(0).count(), 0);
    }
}
