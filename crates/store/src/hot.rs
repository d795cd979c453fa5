//! Rows that are in no file yet.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use spanmill_otlp::Traces;

use crate::batches::Batches;
use crate::encode::Encoder;
use crate::schema::Table;
use crate::store::Owner;

/// Rows that are in no file yet.
#[derive(Debug)]
pub(crate) struct Hot {
    encoder: Encoder,
    filled: Batches,
    /// What is being written to files, and still answers until they are part of the store.
    sealing: Arc<Batches>,
    filled_bytes: usize,
    sealing_bytes: usize,
    /// The last record of the log that is in here.
    through: Option<u64>,
    since: Option<Instant>,
}

/// Rows an encoder collects before they become a batch.
const BATCH: usize = 8192;

// === impl Hot ===

impl Hot {
    pub(crate) fn new(max_attribute: usize) -> Self {
        Self {
            encoder: Encoder::new(max_attribute),
            filled: Batches::default(),
            sealing: Arc::default(),
            filled_bytes: 0,
            sealing_bytes: 0,
            through: None,
            since: None,
        }
    }

    /// Adds the spans of a request; `record` is its number in the log, where there is one.
    pub(crate) fn add(&mut self, traces: &Traces, owner: &Owner, record: Option<u64>) {
        self.encoder.push(traces, owner);
        self.through = record.or(self.through);
        self.since.get_or_insert_with(Instant::now);
        if self.encoder.len() >= BATCH {
            self.fill();
        }
    }

    /// Size of what is not being written to files, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.filled_bytes + self.encoder.bytes()
    }

    /// Size of everything in bytes.
    pub(crate) fn all_bytes(&self) -> usize {
        self.bytes() + self.sealing_bytes
    }

    /// Since when something waits to be written to files.
    pub(crate) fn since(&self) -> Option<Instant> {
        self.since
    }

    /// All rows, for a query.
    pub(crate) fn snapshot(&mut self) -> Batches {
        self.fill();
        let mut all = Batches::clone(&self.sealing);
        all.append(self.filled.clone());
        all
    }

    /// Takes what is to be written to files, and the last record of the log that is in it or before. Until [`Hot::sealed`] it
    /// goes on to answer.
    pub(crate) fn start_sealing(&mut self) -> (Arc<Batches>, Option<u64>) {
        self.fill();
        // What could not be written the last time comes first.
        let mut all = Batches::clone(&self.sealing);
        all.append(std::mem::take(&mut self.filled));
        self.sealing = Arc::new(all);
        self.sealing_bytes += std::mem::take(&mut self.filled_bytes);
        self.since = None;
        (Arc::clone(&self.sealing), self.through)
    }

    /// What was taken is part of the store now.
    pub(crate) fn sealed(&mut self) {
        self.sealing = Arc::default();
        self.sealing_bytes = 0;
    }

    fn fill(&mut self) {
        if self.encoder.len() == 0 {
            return;
        }
        self.filled_bytes += self.encoder.bytes();
        for (table, batch) in self.encoder.finish().into_tables() {
            // Frequent queries would otherwise leave a batch for each of them.
            let batch = match self.filled.pop_small(table, BATCH / 2) {
                Some(last) => joined(last, batch),
                None => vec![batch],
            };
            for batch in batch {
                self.filled.push(table, batch);
            }
        }
    }
}

fn joined(first: RecordBatch, second: RecordBatch) -> Vec<RecordBatch> {
    match concat_batches(&first.schema(), [&first, &second]) {
        Ok(batch) => vec![batch],
        Err(_) => vec![first, second],
    }
}

impl Batches {
    fn pop_small(&mut self, table: Table, most: usize) -> Option<RecordBatch> {
        self.last(table).is_some_and(|batch| batch.num_rows() < most).then(|| self.pop(table)).flatten()
    }
}
