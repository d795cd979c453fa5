//! Who is there to help.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
use crate::channels::{Channels, PeerOptions};
use crate::limit;

/// Who may be there to help, and how they are asked.
#[derive(Debug, Clone)]
pub struct WorkersOptions {
    /// Host and port of workers. A name that stands for several addresses stands for as many workers.
    pub endpoints: Vec<String>,
    /// What workers want to be shown, and whom to believe to be one.
    pub peers: PeerOptions,
    /// A worker's thread is given so many bytes of files to read, or more: queries that read less than that are answered alone.
    pub bytes_each: usize,
}

/// The workers. Cloning shares what is known of them.
#[derive(Clone)]
pub struct Fleet {
    options: Arc<WorkersOptions>,
    channels: Channels,
    seen: Arc<Mutex<Seen>>,
    losses: Arc<AtomicU64>,
}

/// What was found when workers were last asked.
#[derive(Debug, Default)]
struct Seen {
    /// Those that can be asked to help, and which process each is.
    there: BTreeMap<Url, String>,
    /// Names and addresses that cannot, and why.
    problems: BTreeMap<String, String>,
}

/// How often workers are asked whether they are there.
const EVERY: Duration = Duration::from_secs(2);

/// One that does not say so within this time is not.
const PATIENCE: Duration = Duration::from_secs(1);

// === impl Fleet ===

impl Fleet {
    /// Workers of which nothing is known yet.
    pub fn new(options: WorkersOptions) -> Result<Self> {
        let channels = Channels::new(&options.peers)?;
        Ok(Self { options: Arc::new(options), channels, seen: Arc::default(), losses: Arc::default() })
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
        self.seen().there.len()
    }

    /// Whether nobody is there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks who is there, and counts who is lost. What changed is told in the log, once.
    async fn ask(&self) {
        let mut now = Seen::default();
        let addresses = self.addresses(&mut now.problems).await;
        for (url, answer) in join_all(addresses.into_iter().map(|url| self.ask_one(url))).await {
            match answer {
                Ok(process) => drop(now.there.insert(url, process)),
                Err(problem) => drop(now.problems.insert(url.to_string(), problem)),
            }
        }
        let mut seen = self.seen();
        for (url, _) in seen.there.iter().filter(|(url, process)| now.there.get(*url) != Some(*process)) {
            warn!(worker = %url, "a query worker is lost");
            self.losses.fetch_add(1, Ordering::Relaxed);
        }
        for (url, _) in now.there.iter().filter(|(url, process)| seen.there.get(*url) != Some(*process)) {
            info!(worker = %url, "a query worker is there");
        }
        for (name, problem) in now.problems.iter().filter(|(name, problem)| seen.problems.get(*name) != Some(*problem))
        {
            warn!(worker = name, problem, "a query worker cannot be asked");
        }
        *seen = now;
    }

    /// The addresses that all names stand for now.
    async fn addresses(&self, problems: &mut BTreeMap<String, String>) -> Vec<Url> {
        let (mut urls, scheme) = (Vec::new(), self.channels.scheme());
        let look_up = |endpoint| async move { (endpoint, timeout(PATIENCE, lookup_host(endpoint)).await) };
        for (endpoint, found) in join_all(self.options.endpoints.iter().map(look_up)).await {
            match found {
                Ok(Ok(addresses)) => {
                    let url = |address| Url::parse(&format!("{scheme}://{address}")).ok();
                    urls.extend(addresses.filter_map(url));
                }
                Ok(Err(error)) => drop(problems.insert(endpoint.clone(), error.to_string())),
                Err(_) => drop(problems.insert(endpoint.clone(), "its name is not resolved in time".to_owned())),
            }
        }
        urls.sort();
        urls.dedup();
        urls
    }

    /// Which process a worker is, or why it cannot be asked to help.
    async fn ask_one(&self, url: Url) -> (Url, Result<String, String>) {
        let asked = timeout(PATIENCE, async {
            let mut worker = self.channels.get_worker_client_for_url(&url).await?;
            worker.get_worker_info(GetWorkerInfoRequest {}).await
        });
        let answer = match asked.await {
            Err(_) => Err("it does not answer in time".to_owned()),
            Ok(Err(error)) => Err(error.strip_backtrace()),
            Ok(Ok(info)) => match info.version.split('/').next() {
                Some(VERSION) => Ok(info.version),
                theirs => Err(format!("it is of version {}, this is {VERSION}", theirs.unwrap_or_default())),
            },
        };
        (url, answer)
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

    /// A worker's time was up. That is known by its words: an error may have come through several workers, as text.
    fn is_final(&self, error: &str) -> bool {
        error.contains(limit::OPTION)
    }
}

impl WorkerResolver for Fleet {
    fn get_urls(&self) -> Result<Vec<Url>> {
        Ok(self.seen().there.keys().cloned().collect())
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet").field("endpoints", &self.options.endpoints).finish_non_exhaustive()
    }
}
