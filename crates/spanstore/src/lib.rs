//! `spanstore`: keeps a columnar copy of spans that answers SQL.
//!
//! A batch is acknowledged once it is in the log (crate `spanmill-wal`). One task reads the log in order, puts spans into the store's
//! memory, and has files written; what is in files is committed together with the number of the last record, so that a process that is killed at
//! any moment goes on without losing or doubling a span.

mod access;
mod config;
mod feed;
mod listeners;
mod log;
mod metrics;
mod record;
#[cfg(test)]
mod tests;
mod users;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use spanmill_config::ConfigError;
use spanmill_pipeline::{
    Batch, Client, Code, Component, ComponentError, ConsumeError, Consumer, Context, ExporterFactory, Host, Kind, Node,
    Signal, Stability,
};
use spanmill_store::{Owner, Store};
use spanmill_wal::{AppendError, Wal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use self::feed::{Feed, Replay, gauge};
use self::log::Log;
use self::metrics::Metrics;

pub use self::config::{
    AcceptConfig, CompactionConfig, Config, FsyncConfig, HotConfig, ListenConfig, QueryConfig, RetentionConfig,
    TenantsConfig, WalConfig,
};

/// Makes `spanstore` exporters.
pub const FACTORY: ExporterFactory = ExporterFactory {
    kind: Kind { name: "spanstore", aliases: &[], stability: Stability::Alpha, signals: &[Signal::Traces] },
    create,
};

struct SpanStore {
    id: String,
    config: Config,
    metrics: Metrics,
    running: Mutex<Option<Running>>,
}

/// What runs between start and shutdown.
struct Running {
    store: Store,
    wal: Option<Wal>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// A full log or memory is asked again after this.
const RETRY: Duration = Duration::from_secs(1);

fn create(context: Context<'_>) -> Result<Arc<dyn Node>, ConfigError> {
    Ok(Arc::new(SpanStore {
        id: context.id.to_string(),
        config: Config::read(context.section)?,
        metrics: Metrics::new(&context),
        running: Mutex::default(),
    }))
}

// === impl SpanStore ===

impl SpanStore {
    async fn store(&self, batch: &Batch) -> Result<(), ConsumeError> {
        let Batch::Traces(traces) = batch else {
            return Err(ConsumeError::permanent("spanstore keeps spans alone"));
        };
        let (store, wal) = {
            let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            let running = running.as_ref().ok_or_else(|| ConsumeError::retryable("the store is not open"))?;
            (running.store.clone(), running.wal.clone())
        };
        let owner = self.owner();
        match wal {
            Some(wal) => {
                let (kind, payload) = record::write(&owner, batch.encode());
                wal.append(kind, payload).await.map(|_| ()).map_err(refusal)
            }
            None if store.hot_bytes() >= self.most_bytes() => {
                Err(ConsumeError::retryable("files are not written as fast as spans come").with_retry_after(RETRY))
            }
            None => {
                store.add_as(traces, &owner, None);
                Ok(())
            }
        }
    }

    /// Whose spans are those of the request that is being consumed.
    fn owner(&self) -> Owner {
        match Client::current(|client| client.tenant.clone()) {
            None if self.config.tenants() == TenantsConfig::Attributes => Owner::Attributes,
            tenant => Owner::Known(tenant),
        }
    }

    /// Memory that may be taken while files are written.
    fn most_bytes(&self) -> usize {
        usize::try_from(self.config.hot.max_bytes.bytes()).unwrap_or(usize::MAX).saturating_mul(2)
    }

    async fn open(&self, host: &Host) -> Result<Running, String> {
        let stop = CancellationToken::new();
        let options = self.config.store_options();
        let mut tasks = Vec::new();
        let (store, wal) = match self.config.wal_directory() {
            Some(directory) => {
                let opened = Log::open(&directory, self.config.wal_options()).await;
                let Log { wal, reader, writer } = opened.map_err(|error| error.to_string())?;
                let store = Store::open(options, &writer).await.map_err(|error| error.to_string())?;
                let most_bytes = self.most_bytes();
                let until = wal.next_seq();
                let replay = (reader.committer().next() < until)
                    .then(|| Replay { until, guard: host.replaying(format!("\"{}\" exporter", self.id)) });
                let feed = Feed { store: store.clone(), reader, metrics: self.metrics.clone(), most_bytes, replay };
                let (host, id, token) = (host.clone(), self.id.clone(), stop.clone());
                tasks.push(tokio::spawn(async move {
                    if let Err(problem) = feed.run(token).await {
                        host.fatal(format!("{id}: {problem}"));
                    }
                }));
                (store, Some(wal))
            }
            None => {
                let writer = uuid::Uuid::now_v7().simple().to_string();
                let store = Store::open(options, &writer).await.map_err(|error| error.to_string())?;
                tasks.push(tokio::spawn(seal_regularly(store.clone(), self.metrics.clone(), stop.clone())));
                (store, None)
            }
        };
        let interval = self.config.compaction.interval.to_std();
        tasks.push(tokio::spawn(upkeep(store.clone(), wal.clone(), self.metrics.clone(), interval, stop.clone())));
        let listening = listeners::start(&self.config, host, &store, &stop, &mut tasks).await;
        let running = Running { store, wal, stop, tasks };
        match listening {
            Ok(()) => Ok(running),
            Err(problem) => {
                // The log must be free for the next start.
                if let Err(error) = running.stop().await {
                    error!(%error, "stopping what had started");
                }
                Err(problem)
            }
        }
    }
}

#[async_trait]
impl Component for SpanStore {
    /// The log and the store's manifest have one writer.
    fn is_exclusive(&self) -> bool {
        true
    }

    async fn start(&self, host: &Host) -> Result<(), ComponentError> {
        let running = self.open(host).await;
        let running = running.map_err(|problem| ComponentError::Other(format!("{}: {problem}", self.id)))?;
        info!(exporter = self.id, path = self.config.path, "the span store is open");
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        match running {
            Some(running) => running.stop().await,
            None => Ok(()),
        }
    }
}

// === impl Running ===

impl Running {
    async fn stop(self) -> Result<(), ComponentError> {
        let Self { wal, stop, tasks, .. } = self;
        stop.cancel();
        for task in tasks {
            task.await.map_err(|error| ComponentError::Other(error.to_string()))?;
        }
        match wal {
            Some(wal) => wal.close().await.map_err(|error| ComponentError::Other(error.to_string())),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Consumer for SpanStore {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let stored = self.store(&batch).await;
        let counter = if stored.is_ok() { &self.metrics.sent } else { &self.metrics.failed };
        counter.inc_by(batch.item_count() as u64);
        stored
    }
}

fn refusal(error: AppendError) -> ConsumeError {
    match error {
        AppendError::TooLarge { .. } => ConsumeError::permanent(error.to_string()).with_code(Code::ResourceExhausted),
        error => ConsumeError::retryable(error.to_string()).with_retry_after(RETRY),
    }
}

/// Without a log: files are written by size and age, and at the end.
async fn seal_regularly(store: Store, metrics: Metrics, stop: CancellationToken) {
    loop {
        let stopping = tokio::select! {
            () = stop.cancelled() => true,
            () = tokio::time::sleep(Duration::from_millis(200)) => false,
        };
        metrics.hot_bytes.set(gauge(store.hot_bytes()));
        if stopping || store.wants_seal() {
            match store.seal().await {
                Ok(sealed) => metrics.sealed(sealed),
                Err(problem) => {
                    metrics.failures.inc();
                    error!(%problem, "spans cannot be written to files; they stay in memory");
                }
            }
        }
        if stopping {
            return;
        }
    }
}

async fn upkeep(store: Store, wal: Option<Wal>, metrics: Metrics, every: Duration, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
        if let Some(wal) = &wal {
            metrics.log_bytes.set(i64::try_from(wal.stats().bytes_on_disk).unwrap_or(i64::MAX));
        }
        // It may take minutes; the next start finds and mends what it leaves.
        let round = tokio::select! {
            () = stop.cancelled() => return,
            round = store.upkeep() => round,
        };
        match round {
            Ok(done) => {
                if done.compacted > 0 {
                    // It took a lot, in small pieces all over the heaps, and will not for a while.
                    let _ = tokio::task::spawn_blocking(spanmill_allocator::give_back_freed_memory).await;
                }
                metrics.upkeep(done);
            }
            Err(problem) => {
                metrics.failures.inc();
                error!(%problem, "the span store cannot be kept in order");
            }
        }
    }
}
