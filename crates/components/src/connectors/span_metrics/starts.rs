//! When series of delta metrics were sent last: there the next data points begin.

use std::collections::{BTreeMap, HashMap};

use ahash::RandomState;

/// Times by the keys of resource and series; beyond a limit those used longest ago are forgotten.
#[derive(Debug)]
pub(super) struct Starts {
    most: usize,
    uses: u64,
    times: HashMap<Box<[u8]>, (u64, u64), RandomState>,
    by_use: BTreeMap<u64, Box<[u8]>>,
}

// === impl Starts ===

impl Starts {
    pub(super) fn new(most: usize) -> Self {
        Self { most, uses: 0, times: HashMap::default(), by_use: BTreeMap::new() }
    }

    pub(super) fn get(&self, resource: &[u8], series: &[u8]) -> Option<u64> {
        self.times.get(joined(resource, series).as_slice()).map(|(time, _)| *time)
    }

    pub(super) fn set(&mut self, resource: &[u8], series: &[u8], time: u64) {
        self.uses += 1;
        let key: Box<[u8]> = joined(resource, series).into();
        self.by_use.insert(self.uses, key.clone());
        if let Some((_, before)) = self.times.insert(key, (time, self.uses)) {
            self.by_use.remove(&before);
        }
        if self.times.len() > self.most
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            self.times.remove(&oldest);
        }
    }
}

fn joined(resource: &[u8], series: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(resource.len() + series.len() + 8);
    key.extend_from_slice(&(resource.len() as u64).to_le_bytes());
    key.extend_from_slice(resource);
    key.extend_from_slice(series);
    key
}
