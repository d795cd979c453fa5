//! What the process does, operation by operation: a few recent ones of each name, by how long they took. Noted only once somebody watches.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Recent operations.
#[derive(Debug, Default)]
pub struct Operations {
    watched: AtomicBool,
    names: Mutex<BTreeMap<Arc<str>, Samples>>,
}

/// An operation under way. It counts as running until it is dropped.
#[derive(Debug)]
pub struct Running {
    operations: Arc<Operations>,
    name: Arc<str>,
    began: Instant,
}

/// An operation that ended.
#[derive(Debug, Clone)]
pub struct Operation {
    /// When.
    pub ended: Instant,
    /// How long it took.
    pub took: Duration,
    /// What went wrong.
    pub error: Option<String>,
}

/// How many operations of a name there are to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The name.
    pub name: Arc<str>,
    /// Those under way.
    pub running: usize,
    /// Samples by time: see [`Operations::BOUNDS`].
    pub by_time: [usize; 9],
    /// Samples of those that went wrong.
    pub errors: usize,
}

#[derive(Debug, Default)]
struct Samples {
    running: usize,
    by_time: [VecDeque<Operation>; 9],
    errors: VecDeque<Operation>,
}

/// Samples kept of each sort.
const KEPT: usize = 10;
/// Least time between two samples of a sort: a burst must not push everything else out.
const APART: Duration = Duration::from_secs(1);
/// Names that are kept; there are as many as components.
const NAMES: usize = 1000;

// === impl Operations ===

impl Operations {
    /// The least time of each sort.
    pub const BOUNDS: [Duration; 9] = [
        Duration::ZERO,
        Duration::from_micros(10),
        Duration::from_micros(100),
        Duration::from_millis(1),
        Duration::from_millis(10),
        Duration::from_millis(100),
        Duration::from_secs(1),
        Duration::from_secs(10),
        Duration::from_secs(100),
    ];

    /// From now on operations are noted.
    pub fn watch(&self) {
        self.watched.store(true, Ordering::Relaxed);
    }

    /// Begins an operation; none where nobody watches.
    #[inline]
    pub fn begin(self: &Arc<Self>, name: &Arc<str>) -> Option<Running> {
        self.watched.load(Ordering::Relaxed).then(|| self.start(name))
    }

    fn start(self: &Arc<Self>, name: &Arc<str>) -> Running {
        self.with(name, |samples| samples.running += 1);
        Running { operations: Arc::clone(self), name: Arc::clone(name), began: Instant::now() }
    }

    /// All names, in order.
    pub fn summaries(&self) -> Vec<Summary> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let summary = |(name, samples): (&Arc<str>, &Samples)| Summary {
            name: Arc::clone(name),
            running: samples.running,
            by_time: samples.by_time.each_ref().map(VecDeque::len),
            errors: samples.errors.len(),
        };
        names.iter().map(summary).collect()
    }

    /// The samples of a name: of a sort by time, or, without one, those that went wrong.
    pub fn samples(&self, name: &str, by_time: Option<usize>) -> Vec<Operation> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(samples) = names.get(name) else { return Vec::new() };
        let kept = by_time.map_or(Some(&samples.errors), |sort| samples.by_time.get(sort));
        kept.into_iter().flatten().cloned().collect()
    }

    fn with(&self, name: &Arc<str>, change: impl FnOnce(&mut Samples)) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(samples) = names.get_mut(name) {
            change(samples);
        } else if names.len() < NAMES {
            change(names.entry(Arc::clone(name)).or_default());
        }
    }
}

// === impl Running ===

impl Running {
    /// Ends the operation.
    pub fn end(self, error: Option<String>) {
        let ended = Instant::now();
        let operation = Operation { ended, took: ended.duration_since(self.began), error };
        self.operations.with(&self.name, |samples| samples.add(operation));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.operations.with(&self.name, |samples| samples.running = samples.running.saturating_sub(1));
    }
}

// === impl Samples ===

impl Samples {
    fn add(&mut self, operation: Operation) {
        let sort = Operations::BOUNDS.iter().rposition(|bound| operation.took >= *bound).unwrap_or(0);
        let kept = if operation.error.is_some() { Some(&mut self.errors) } else { self.by_time.get_mut(sort) };
        let Some(kept) = kept else { return };
        if kept.back().is_some_and(|last| operation.ended.duration_since(last.ended) < APART) {
            return;
        }
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(operation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: operations before and after somebody watches: one under way, a good one, two bad ones at once, one given up.
    /// Guarantees: those before are not noted; each is where it belongs; of a burst one is kept; what is given up runs no more.
    #[test]
    fn notes() {
        let operations = Arc::new(Operations::default());
        let name: Arc<str> = "receiver/otlp/TraceDataReceived".into();
        assert!(operations.begin(&name).is_none());
        operations.watch();
        let running = operations.begin(&name).unwrap();
        operations.begin(&name).unwrap().end(None);
        for _ in 0..2 {
            operations.begin(&name).unwrap().end(Some("refused".to_owned()));
        }
        drop(operations.begin(&name));
        let [summary] = operations.summaries().try_into().unwrap();
        assert_eq!((summary.running, summary.by_time.iter().sum::<usize>(), summary.errors), (1, 1, 1));
        assert_eq!(operations.samples(&name, None)[0].error.as_deref(), Some("refused"));
        let sort = summary.by_time.iter().position(|count| *count == 1).unwrap();
        assert!(operations.samples(&name, Some(sort))[0].took >= Operations::BOUNDS[sort]);
        assert!(operations.samples("other", None).is_empty() && operations.samples(&name, Some(9)).is_empty());
        drop(running);
        assert_eq!(operations.summaries()[0].running, 0);
    }

    /// Scenario: slow operations, one each second.
    /// Guarantees: the last ten are kept, under their time.
    #[test]
    fn the_last_are_kept() {
        let mut samples = Samples::default();
        let began = Instant::now();
        for second in 0..30 {
            let took = Duration::from_millis(500);
            samples.add(Operation { ended: began + Duration::from_secs(second), took, error: None });
        }
        let kept: Vec<Instant> = samples.by_time[5].iter().map(|operation| operation.ended).collect();
        assert_eq!(kept.len(), KEPT);
        assert_eq!(kept[0], began + Duration::from_secs(20));
    }
}
