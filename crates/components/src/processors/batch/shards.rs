use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus::IntGauge;
use spanmill_pipeline::{Batch, ComponentError, ConsumeError};

use super::super::background::Background;
use crate::partition::Partition;

/// One worker for each combination of client metadata, made when its first request comes.
pub(super) struct Shards {
    keys: Vec<String>,
    /// So many at most; 0: any number.
    limit: usize,
    make: Make,
    /// None once the processor was stopped.
    workers: Mutex<Option<HashMap<Partition, Arc<Background<Batch>>>>>,
    cardinality: IntGauge,
}

type Make = Box<dyn Fn(&Partition) -> Background<Batch> + Send + Sync>;

// === impl Shards ===

impl Shards {
    pub(super) fn new(keys: Vec<String>, limit: usize, cardinality: IntGauge, make: Make) -> Self {
        Self { keys, limit, make, workers: Mutex::new(Some(HashMap::new())), cardinality }
    }

    /// Hands a request to the worker of the client whose request it is.
    pub(super) async fn send(&self, batch: Batch) -> Result<(), ConsumeError> {
        let partition = Partition::current(&self.keys);
        let worker = self.worker(partition)?;
        worker.send(batch).await
    }

    fn worker(&self, partition: Partition) -> Result<Arc<Background<Batch>>, ConsumeError> {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(workers) = &mut *workers else {
            return Err(ConsumeError::retryable("the batch processor is stopping"));
        };
        if let Some(worker) = workers.get(&partition) {
            return Ok(Arc::clone(worker));
        }
        if self.limit != 0 && workers.len() >= self.limit {
            return Err(ConsumeError::permanent("too many batcher metadata-value combinations"));
        }
        let worker = Arc::new((self.make)(&partition));
        worker.start();
        workers.insert(partition, Arc::clone(&worker));
        self.cardinality.set(i64::try_from(workers.len()).unwrap_or(i64::MAX));
        Ok(worker)
    }

    /// Waits until all of them have sent what they hold.
    pub(super) async fn shutdown(&self) -> Result<(), ComponentError> {
        let workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        let mut result = Ok(());
        for worker in futures_util::future::join_all(workers.values().map(|worker| worker.shutdown())).await {
            result = result.and(worker);
        }
        result
    }
}
