//! Queries within limits.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use futures_util::StreamExt;
use spanmill_store::{Answer, Cluster, Description, QueryOptions, Store};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use crate::error::QueryError;
use crate::guard;
use crate::limits::Limits;
use crate::parameter::Parameters;
use crate::rows::Rows;

/// Answers queries within limits. Cloning shares it.
#[derive(Clone)]
pub struct QueryService {
    inner: Arc<Inner>,
    most_rows: u64,
    cluster: Option<Arc<dyn Cluster>>,
    /// For whom queries are asked.
    tenant: Option<Arc<str>>,
}

struct Inner {
    store: Store,
    limits: Limits,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    threads: Threads,
}

/// Threads of queries only, so that those who receive spans never wait for one. None where the caller's must do.
struct Threads(Option<Runtime>);

/// A query and what it may take.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The SQL.
    pub sql: String,
    /// Values of its parameters.
    pub parameters: Parameters,
    /// Only rows of this tenant exist.
    pub tenant: Option<String>,
    /// Fewer rows than the limit.
    pub max_rows: Option<u64>,
    /// Less time than the limit.
    pub timeout: Option<Duration>,
}

/// A query that runs.
#[derive(Clone)]
struct Work {
    store: Store,
    sql: String,
    options: QueryOptions,
    /// It goes where the work is: a query that was given up counts until it has stopped.
    _permit: Arc<OwnedSemaphorePermit>,
}

/// Bytes of a thread's stack. What plans and drops trees of expressions calls itself for each level, in frames of tens of KiB without
/// optimisation. Only what was used takes memory.
const STACK: usize = 64 << 20;

/// Stands for times that no clock reaches.
const FOREVER: Duration = Duration::from_secs(365 * 86_400);

/// One who waits, until dropped.
struct Waiting<'a>(&'a AtomicUsize);

/// What a query's task sends to who reads it; nothing is the end.
type Batches = mpsc::Sender<Result<Option<RecordBatch>, QueryError>>;

// === impl QueryService ===

impl QueryService {
    /// Answers from this store.
    pub fn new(store: Store, limits: Limits) -> Self {
        let threads = Builder::new_multi_thread()
            .worker_threads(limits.concurrent.max(1))
            .thread_name("query")
            .thread_stack_size(STACK)
            .enable_all()
            .build()
            .inspect_err(|error| tracing::warn!(%error, "queries have no threads of their own"));
        let permits = Arc::new(Semaphore::new(limits.concurrent.max(1)));
        let most_rows = limits.rows;
        let inner = Inner { store, limits, permits, waiting: AtomicUsize::new(0), threads: Threads(threads.ok()) };
        Self { inner: Arc::new(inner), most_rows, cluster: None, tenant: None }
    }

    /// The same service for those who act for a tenant: see [`Store::confined`].
    pub fn confined(&self, tenant: Option<Arc<str>>) -> Self {
        Self { tenant: self.tenant.clone().or(tenant), ..self.clone() }
    }

    fn store(&self) -> Store {
        self.inner.store.confined(self.tenant.clone())
    }

    /// The same service, with answers of more or fewer rows: for clients that take them as fast as they can.
    pub fn with_most_rows(mut self, rows: u64) -> Self {
        self.most_rows = rows;
        self
    }

    /// The same service, whose queries others help to answer.
    pub fn with_cluster(mut self, cluster: Arc<dyn Cluster>) -> Self {
        self.cluster = Some(cluster);
        self
    }

    /// The limits of all queries.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Refuses SQL that is too large to be planned in time, or read by others before that.
    pub fn check(&self, sql: &str) -> Result<(), QueryError> {
        guard::check(sql, self.inner.limits.text)
    }

    /// Begins to answer a query. To drop the rows cancels it.
    pub async fn run(&self, request: Request) -> Result<Rows, QueryError> {
        let Limits { time, .. } = self.inner.limits;
        self.check(&request.sql)?;
        let permit = self.permit().await?;
        let time = request.timeout.map_or(time, |wanted| wanted.min(time));
        let most_rows = request.max_rows.map_or(self.most_rows, |wanted| wanted.min(self.most_rows));
        let now = Instant::now();
        let deadline = now.checked_add(time).unwrap_or(now + FOREVER);

        let (planned, schema) = oneshot::channel();
        let (sender, batches) = mpsc::channel(2);
        let (sql, options) = request.into_options();
        let work = Work {
            store: self.store(),
            sql,
            options: QueryOptions { cluster: self.cluster.clone(), ..options },
            _permit: Arc::new(permit),
        };
        // Whoever reads slowly, or not at all, holds a place until the time is up, and no longer. The clock is that of the threads: the
        // caller's may stop while they compute, and to look at it then is a panic.
        let task = self.inner.threads.handle().spawn(async move {
            let _ = timeout_at(deadline, answer(work, planned, sender)).await;
        });
        // From here on, to give up stops the task at its next pause.
        let mut rows = Rows::new(batches, task.abort_handle(), most_rows, deadline, time);
        match timeout_at(deadline, schema).await {
            Err(_) => Err(QueryError::Time(time)),
            Ok(Err(_)) if Instant::now() >= deadline => Err(QueryError::Time(time)),
            Ok(Err(_)) => Err(QueryError::Store("the query ended without an answer".to_owned())),
            Ok(Ok(Err(error))) => Err(error),
            Ok(Ok(Ok(schema))) => {
                rows.set_schema(schema);
                Ok(rows)
            }
        }
    }

    /// What a query takes and gives, without answering it.
    pub async fn describe(&self, request: Request) -> Result<Description, QueryError> {
        let Limits { time, .. } = self.inner.limits;
        self.check(&request.sql)?;
        let permit = self.permit().await?;
        let store = self.store();
        let plan = on_its_own_thread(self.inner.threads.handle(), async move {
            let _permit = permit;
            let (sql, options) = request.into_options();
            store.describe(&sql, &options).await
        });
        timeout(time, plan).await.unwrap_or(Err(QueryError::Time(time)))
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, QueryError> {
        let permits = Arc::clone(&self.inner.permits);
        if let Ok(permit) = Arc::clone(&permits).try_acquire_owned() {
            return Ok(permit);
        }
        let waiting = Waiting::new(&self.inner.waiting);
        if waiting.others() >= self.inner.limits.waiting {
            return Err(QueryError::Busy);
        }
        match timeout(self.inner.limits.wait, permits.acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(QueryError::Busy),
        }
    }
}

/// Plans a query and sends its rows. Where somebody who helped is lost before there was any, it is tried once more with those who are left;
/// later, rows would come twice.
async fn answer(work: Work, planned: oneshot::Sender<Result<SchemaRef, QueryError>>, batches: Batches) {
    let helped = work.options.cluster.clone().filter(|cluster| cluster.is_there());
    let losses = helped.as_ref().map(|cluster| cluster.losses());
    let mut begun = work.begin().await;
    let failed = begun.as_ref().err().map(ToString::to_string);
    if let (Some(cluster), Some(error)) = (helped, failed)
        && !cluster.is_final(&error)
    {
        cluster.look().await;
        if losses != Some(cluster.losses()) {
            begun = work.begin().await;
        }
    }
    let (answer, first) = match begun {
        Ok(begun) => begun,
        Err(error) => return drop(planned.send(Err(error))),
    };
    if planned.send(Ok(answer.schema)).is_err() {
        return;
    }
    let mut rows = answer.rows;
    let mut next = first.map(Ok);
    while let Some(batch) = next {
        let failed = batch.is_err();
        if batches.send(batch.map(Some)).await.is_err() || failed {
            return;
        }
        next = rows.next().await.map(|batch| batch.map_err(QueryError::from));
    }
    drop(batches.send(Ok(None)).await);
}

/// Planning computes for long without a pause: it has a thread of its own, that nobody waits for when time is up.
async fn on_its_own_thread<T: Send + 'static>(
    threads: Handle,
    planning: impl Future<Output = Result<T, DataFusionError>> + Send + 'static,
) -> Result<T, QueryError> {
    let handle = threads.clone();
    match threads.spawn_blocking(move || handle.block_on(planning)).await {
        Ok(plan) => plan.map_err(QueryError::from),
        Err(error) => Err(QueryError::Store(format!("the query could not be planned: {error}"))),
    }
}

// === impl Work ===

impl Work {
    /// Plans the query and waits for its first rows, if it has any.
    async fn begin(&self) -> Result<(Answer, Option<RecordBatch>), QueryError> {
        let work = self.clone();
        let plan = async move { work.store.query(&work.sql, &work.options).await };
        let mut answer = on_its_own_thread(Handle::current(), plan).await?;
        let first = answer.rows.next().await.transpose()?;
        Ok((answer, first))
    }
}

impl fmt::Debug for QueryService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryService").field("limits", &self.inner.limits).finish_non_exhaustive()
    }
}

// === impl Request ===

impl Request {
    /// A query without parameters, within the limits of all.
    pub fn of(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), ..Self::default() }
    }

    fn into_options(self) -> (String, QueryOptions) {
        let (positional, named) = match self.parameters {
            Parameters::Positional(values) => (values, Vec::new()),
            Parameters::Named(values) => (Vec::new(), values),
        };
        (self.sql, QueryOptions { positional, named, tenant: self.tenant, cluster: None })
    }
}

// === impl Threads ===

impl Threads {
    fn handle(&self) -> Handle {
        self.0.as_ref().map_or_else(Handle::current, |runtime| runtime.handle().clone())
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // A runtime must not be waited for where others run.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

// === impl Waiting ===

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }

    fn others(&self) -> usize {
        self.0.load(Ordering::Relaxed).saturating_sub(1)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
