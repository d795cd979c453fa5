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

/// The memory. Numbers of entries count from one and never repeat; zero is none.
#[derive(Debug)]
pub(crate) struct Memory {
    entries: Vec<Entry>,
    capacity: usize,
    written: u64,
    by_trace: Vec<u64>,
    by_response: Vec<u64>,
    evicted: u64,
}

/// Chains are followed this far, so that a trace of a million spans costs no more than others.
const FAR: usize = 256;

// === impl Memory ===

impl Memory {
    /// A memory that takes about so many bytes when full.
    pub(crate) fn new(bytes: usize) -> Self {
        let each = size_of::<Entry>() + 4 * size_of::<u64>();
        let capacity = (bytes / each).max(1);
        let heads = capacity.next_power_of_two();
        Self {
            entries: Vec::new(),
            capacity,
            written: 0,
            by_trace: vec![0; heads],
            by_response: vec![0; heads],
            evicted: 0,
        }
    }

    /// How many entries gave way so far.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    pub(crate) fn remember(&mut self, usage: Usage) {
        let number = self.written + 1;
        let older_in_trace = self.swap_head(usage.trace, false, number);
        let older_by_response = if usage.response == 0 { 0 } else { self.swap_head(usage.response, true, number) };
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

    /// Owners of the trace, the newest first.
    pub(crate) fn of_trace(&self, trace: u64) -> impl Iterator<Item = &Usage> {
        let head = self.head(&self.by_trace, trace);
        self.chain(head, |entry| entry.older_in_trace).filter(move |usage| usage.trace == trace)
    }

    /// Owners with that hash of a response id, the newest first.
    pub(crate) fn of_response(&self, response: u64) -> impl Iterator<Item = &Usage> {
        let head = if response == 0 { 0 } else { self.head(&self.by_response, response) };
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

    fn head(&self, heads: &[u64], hash: u64) -> u64 {
        heads.get(bucket(hash, heads.len())).copied().unwrap_or(0)
    }

    fn swap_head(&mut self, hash: u64, by_response: bool, number: u64) -> u64 {
        let heads = if by_response { &mut self.by_response } else { &mut self.by_trace };
        let at = bucket(hash, heads.len());
        heads.get_mut(at).map_or(0, |head| std::mem::replace(head, number))
    }
}

fn bucket(hash: u64, buckets: usize) -> usize {
    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) as usize & (buckets - 1)
}
