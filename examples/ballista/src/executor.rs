//! An executor: runs stages of plans.

use std::net::SocketAddr;
use std::sync::Arc;

use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::SessionConfig;
use spanmill_store::Store;

use crate::LOST_AFTER;
use crate::error::BallistaStoreError;

/// What an executor listens on and may take.
#[derive(Debug, Clone)]
pub struct ExecutorOptions {
    /// Host of the scheduler.
    pub scheduler: String,
    /// Its port.
    pub scheduler_port: u16,
    /// Where others fetch what its stages left. The scheduler hands stages out at the next port.
    pub listen: SocketAddr,
    /// Stages that run at once.
    pub threads: usize,
    /// Memory of all of them together, in bytes.
    pub memory: u64,
}

/// How long to wait for the scheduler at first, in seconds.
const PATIENCE: u16 = 30;

/// What queries left is swept up so many seconds after they ended, also where the scheduler does not say so.
const SWEPT_AFTER: u64 = 3_600;

/// Runs stages over the files of a store, and no others, until it is told to stop: by a signal, or by the scheduler. What stages leave is in a
/// folder among the system's temporary ones, which goes when this ends.
pub async fn execute(store: Store, options: ExecutorOptions) -> Result<(), BallistaStoreError> {
    let work = tempfile::tempdir()
        .map_err(|source| BallistaStoreError::Io { what: "a folder for what stages leave".to_owned(), source })?;
    let functions = store.reading(SessionStateBuilder::new_with_default_features())?;
    let runtime = move |config: &SessionConfig| {
        let state = store.reading(SessionStateBuilder::new_with_default_features().with_config(config.clone()))?;
        Ok(Arc::clone(state.runtime_env()))
    };
    let config = ExecutorProcessConfig {
        bind_host: options.listen.ip().to_string(),
        port: options.listen.port(),
        grpc_port: options.listen.port().saturating_add(1),
        scheduler_host: options.scheduler,
        scheduler_port: options.scheduler_port,
        scheduler_connect_timeout_seconds: PATIENCE,
        vcores: options.threads.max(1),
        memory_pool_size: Some(options.memory),
        work_dir: Some(work.path().display().to_string()),
        job_data_ttl_seconds: SWEPT_AFTER,
        job_data_clean_up_interval_seconds: SWEPT_AFTER / 60,
        executor_heartbeat_interval_seconds: LOST_AFTER / 3,
        override_function_registry: Some(Arc::new(BallistaFunctionRegistry::from(&functions))),
        override_runtime_producer: Some(Arc::new(runtime)),
        ..ExecutorProcessConfig::default()
    };
    Ok(start_executor_process(Arc::new(config)).await?)
}
