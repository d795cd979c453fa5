//! Who is there to help.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use datafusion::error::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion_distributed::{
    ChannelResolver, DistributedExt, GetWorkerInfoRequest, SessionStateBuilderExt, WorkerResolver,
};
use futures_util::future::join_all;
use spanmill_store::Cluster;
use tokio::net::lookup_host;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use url::Url;

use crate::VERSION;
use crate::channels::Channels;

/// Who may be there to help, and how they are asked.
#[derive(Debug, Clone)]
pub struct WorkersOptions {
    /// Host and port of workers. A name that stands for several addresses stands for as many workers.
    pub endpoints: Vec<String>,
    /// What workers want to be shown.
    pub token: Option<String>,
    /// A worker's thread is given so many bytes of files to read, or more: queries that read less than that are answered alone.
    pub bytes_each: usize,
}

/// The workers. Cloning shares what is known of them.
#[derive(Clone)]
pub struct Fleet {
    options: Arc<WorkersOptions>,
    channels: Channels,
    /// The workers that answered when they were last asked, and which process each is.
    there: Arc<Mutex<BTreeMap<Url, String>>>,
    losses: Arc<AtomicU64>,
}

/// How often workers are asked whether they are there.
const EVERY: Duration = Duration::from_secs(2);

/// One that does not say so within this time is not.
const PATIENCE: Duration = Duration::from_secs(1);

// === impl Fleet ===

impl Fleet {
    /// Workers of which nothing is known yet.
    pub fn new(options: WorkersOptions) -> Result<Self> {
        let channels = Channels::new(options.token.as_deref())?;
        Ok(Self { options: Arc::new(options), channels, there: Arc::default(), losses: Arc::default() })
    }

    /// Keeps asking who is there, until `stop`.
    pub async fn watch(self, stop: CancellationToken) {
        loop {
            self.ask().await;
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(EVERY) => {}
            }
        }
    }

    /// How many are there.
    pub fn len(&self) -> usize {
        self.there.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether nobody is there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Asks who is there, and counts who is lost.
    async fn ask(&self) {
        let now: BTreeMap<Url, String> = join_all(self.addresses().await.into_iter().map(|url| self.ask_one(url)))
            .await
            .into_iter()
            .flatten()
            .collect();
        let before = {
            let mut there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *there, now.clone())
        };
        for (url, _) in before.iter().filter(|(url, process)| now.get(*url) != Some(*process)) {
            warn!(worker = %url, "a query worker is lost");
            self.losses.fetch_add(1, Ordering::Relaxed);
        }
        for (url, _) in now.iter().filter(|(url, process)| before.get(*url) != Some(*process)) {
            info!(worker = %url, "a query worker is there");
        }
    }

    /// The addresses that all names stand for now.
    async fn addresses(&self) -> Vec<Url> {
        let looked_up =
            join_all(self.options.endpoints.iter().map(|endpoint| timeout(PATIENCE, lookup_host(endpoint)))).await;
        let addresses = looked_up.into_iter().flatten().flatten().flatten();
        let mut urls: Vec<Url> =
            addresses.filter_map(|address| Url::parse(&format!("http://{address}")).ok()).collect();
        urls.sort();
        urls.dedup();
        urls
    }

    async fn ask_one(&self, url: Url) -> Option<(Url, String)> {
        let asked = timeout(PATIENCE, async {
            let mut worker = self.channels.get_worker_client_for_url(&url).await?;
            worker.get_worker_info(GetWorkerInfoRequest {}).await
        });
        let process = asked.await.ok()?.ok()?.version;
        if process.split('/').next() != Some(VERSION) {
            warn!(worker = %url, theirs = process, ours = VERSION, "a query worker is of another version, and is not asked");
            return None;
        }
        Some((url, process))
    }
}

#[async_trait]
impl Cluster for Fleet {
    fn is_there(&self) -> bool {
        !self.is_empty()
    }

    fn plan(&self, mut builder: SessionStateBuilder) -> Result<SessionStateBuilder> {
        // Plans for one thread have no place to cut them at.
        let execution = &mut builder.config().get_or_insert_default().options_mut().execution;
        execution.target_partitions = execution.target_partitions.max(2);
        builder
            .with_distributed_worker_resolver(self.clone())
            .with_distributed_channel_resolver(self.channels.clone())
            .with_distributed_planner()
            // Nobody reads them, and they cost a message a task.
            .with_distributed_metrics_collection(false)?
            .with_distributed_file_scan_config_bytes_per_partition(self.options.bytes_each.max(1))
    }

    async fn look(&self) {
        self.ask().await;
    }

    fn losses(&self) -> u64 {
        self.losses.load(Ordering::Relaxed)
    }
}

impl WorkerResolver for Fleet {
    fn get_urls(&self) -> Result<Vec<Url>> {
        Ok(self.there.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect())
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet").field("endpoints", &self.options.endpoints).finish_non_exhaustive()
    }
}
