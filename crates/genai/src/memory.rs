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

/// A usage, packed: the ring is as long as entries are small.
#[derive(Debug, Clone, Copy)]
struct Entry {
    trace: u64,
    span: u64,
    parent: u64,
    response: u64,
    start: u64,
    end: u64,
    /// The count, or -1 where there is none; and in the lowest bit whether the span is one call of a model.
    input_and_model: i64,
    /// The count, or -1 where there is none.
    output: i64,
    /// Lower halves of the numbers of the entries before in the same chains; zero where there is none.
    older_in_trace: u32,
    older_by_response: u32,
}

/// Eight heads of chains that share a cache line: in the lower bits those of the number of the newest entry, above them a
/// tag of the hash; zero is none. A look-up that finds nothing touches this line alone.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(32))]
struct Set([u32; 8]);

/// Heads of chains by hash. Half as large as one with whole numbers in it: what a look-up waits for is main memory.
#[derive(Debug)]
struct Heads {
    sets: Vec<Set>,
    /// Bits of a head that hold the number. They tell twice as many entries apart as there are, so that one that gave way is
    /// known by its age.
    number: u32,
}

/// The memory. Numbers of entries count from one and never repeat.
#[derive(Debug)]
pub(crate) struct Memory {
    entries: Vec<Entry>,
    capacity: usize,
    written: u64,
    by_trace: Heads,
    by_response: Heads,
    evicted: u64,
}

/// Chains are followed this far, so that a trace of a million spans costs no more than others.
const FAR: usize = 256;

/// More entries would leave too few bits for the tags of heads.
const MOST_ENTRIES: usize = 1 << 22;

// === impl Memory ===

impl Memory {
    /// A memory that takes about so many bytes when full.
    pub(crate) fn new(bytes: usize) -> Self {
        // Of the heads, half are taken when the ring is full.
        let each = size_of::<Entry>() + 2 * size_of::<u32>() * 2;
        let capacity = (bytes / each).clamp(8, MOST_ENTRIES);
        Self {
            // Pages that nothing was written to yet take no memory; growing bit by bit would leave holes behind.
            entries: Vec::with_capacity(capacity),
            capacity,
            written: 0,
            by_trace: Heads::new(capacity),
            by_response: Heads::new(capacity),
            evicted: 0,
        }
    }

    /// How many entries gave way so far.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    pub(crate) fn remember(&mut self, usage: Usage) {
        let number = self.written + 1;
        let older_in_trace = self.by_trace.replace(usage.trace, number, self.capacity);
        let older_by_response =
            if usage.response == 0 { 0 } else { self.by_response.replace(usage.response, number, self.capacity) };
        let entry = Entry::new(&usage, older_in_trace, older_by_response);
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
        let sum = hashes
            .fold(0, |sum, (trace, response)| sum ^ self.by_trace.touch(trace) ^ self.by_response.touch(response));
        std::hint::black_box(sum);
    }

    /// Whether anything may be remembered of the trace or the response.
    #[inline]
    pub(crate) fn may_know(&self, trace: u64, response: u64) -> bool {
        self.by_trace.newest(trace, self.written) != 0
            || response != 0 && self.by_response.newest(response, self.written) != 0
    }

    /// Owners of the trace, the newest first.
    pub(crate) fn of_trace(&self, trace: u64) -> impl Iterator<Item = Usage> {
        let head = self.by_trace.newest(trace, self.written);
        self.chain(head, |entry| entry.older_in_trace).filter(move |usage| usage.trace == trace)
    }

    /// Owners with that hash of a response id, the newest first.
    pub(crate) fn of_response(&self, response: u64) -> impl Iterator<Item = Usage> {
        let head = if response == 0 { 0 } else { self.by_response.newest(response, self.written) };
        self.chain(head, |entry| entry.older_by_response).filter(move |usage| usage.response == response)
    }

    fn chain(&self, head: u64, older: fn(&Entry) -> u32) -> impl Iterator<Item = Usage> {
        let mut next = head;
        std::iter::from_fn(move || {
            let number = next;
            let entry = self.entry(number)?;
            next = match older(entry) {
                0 => 0,
                half => number.saturating_sub(u64::from((number as u32).wrapping_sub(half))),
            };
            Some(entry.usage())
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

// === impl Entry ===

impl Entry {
    fn new(usage: &Usage, older_in_trace: u32, older_by_response: u32) -> Self {
        // Counts are not negative, and none comes near the bit that the shift takes.
        let count = |count: Option<i64>| count.map_or(-1, |count| count.clamp(0, i64::MAX >> 1));
        Self {
            trace: usage.trace,
            span: usage.span,
            parent: usage.parent,
            response: usage.response,
            start: usage.start,
            end: usage.end,
            input_and_model: count(usage.input) << 1 | i64::from(usage.model),
            output: count(usage.output),
            older_in_trace,
            older_by_response,
        }
    }

    fn usage(&self) -> Usage {
        let count = |count: i64| (count >= 0).then_some(count);
        Usage {
            trace: self.trace,
            span: self.span,
            parent: self.parent,
            response: self.response,
            start: self.start,
            end: self.end,
            input: count(self.input_and_model >> 1),
            output: count(self.output),
            model: self.input_and_model & 1 == 1,
        }
    }
}

// === impl Heads ===

impl Heads {
    fn new(capacity: usize) -> Self {
        let number = (capacity * 2).next_power_of_two() as u32 - 1;
        Self { sets: vec![Set::default(); (capacity / 4).next_power_of_two()], number }
    }

    /// The newest entry with that hash; zero where there is none.
    #[inline]
    fn newest(&self, hash: u64, written: u64) -> u64 {
        let (at, tag) = self.place(hash);
        let Some(Set(heads)) = self.sets.get(at) else { return 0 };
        let found = find(heads, |head| (head & !self.number == tag) & (head != 0));
        found.map_or(0, |head| written.saturating_sub(u64::from(self.age(head, written))))
    }

    /// Puts a new entry at the head of its chain and gives the lower half of the number of the one before. Where a set is full,
    /// the chain that was written to the longest ago is forgotten: the newest stands first.
    #[inline]
    fn replace(&mut self, hash: u64, number: u64, capacity: usize) -> u32 {
        let (at, tag) = self.place(hash);
        let Some(Set(heads)) = self.sets.get_mut(at) else { return 0 };
        let new = tag | number as u32 & self.number;
        let known = find(heads, |head| (head & !self.number == tag) & (head != 0));
        if let Some(known) = known
            && let Some(place) = heads.iter().position(|head| *head == known)
        {
            heads.copy_within(..place, 1);
            if let Some(first) = heads.first_mut() {
                *first = new;
            }
            let before = (number as u32).wrapping_sub(known) & self.number;
            return if before as usize <= capacity { (number as u32).wrapping_sub(before) } else { 0 };
        }
        let [a, b, c, d, e, f, g, _] = *heads;
        *heads = [new, a, b, c, d, e, f, g];
        0
    }

    #[inline]
    fn touch(&self, hash: u64) -> u32 {
        self.sets.get(self.place(hash).0).map_or(0, |Set([first, ..])| *first)
    }

    /// How many entries were written after the one that a head names.
    fn age(&self, head: u32, written: u64) -> u32 {
        (written as u32).wrapping_sub(head) & self.number
    }

    /// The set of a hash, and its tag in the bits above the number.
    #[inline]
    fn place(&self, hash: u64) -> (usize, u32) {
        let mixed = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed >> 12) as usize & (self.sets.len() - 1), (mixed >> 32) as u32 & !self.number)
    }
}

/// The head that is wanted. Mostly there is none, which is found out without a branch for each of them.
#[inline]
fn find(heads: &[u32; 8], is_wanted: impl Fn(u32) -> bool) -> Option<u32> {
    let any = heads.iter().fold(false, |any, head| any | is_wanted(*head));
    if any { heads.iter().copied().find(|head| is_wanted(*head)) } else { None }
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

    /// Scenario: usages with and without counts, of models and of others.
    /// Guarantees: they come back as they were.
    #[test]
    fn nothing_is_lost_in_packing() {
        let mut memory = Memory::new(1 << 16);
        for (number, input) in [None, Some(0), Some(1), Some(1 << 40)].into_iter().enumerate() {
            for (output, model) in [(None, true), (Some(0), false), (Some(7), true)] {
                let known = Usage { input, output, model, parent: 3, start: 5, end: 8, ..usage(number as u64 + 1, 2) };
                memory.remember(known);
                assert_eq!(memory.of_trace(known.trace).next(), Some(known));
            }
        }
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
