//! The scheduler: cuts plans into stages, and hands those out.

use std::sync::Arc;

use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::{SchedulerConfig, TaskDistributionPolicy};
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use spanmill_store::Store;
use tokio::net::TcpListener;

use crate::LOST_AFTER;
use crate::error::BallistaStoreError;

/// For so many seconds after a query its stages are remembered, and what the last one left is kept.
const REMEMBERED: u64 = 300;

/// Runs a scheduler on a port, which executors reach under `name`. It never reads the store, and knows its functions.
pub async fn schedule(listener: TcpListener, name: String, store: Store) -> Result<(), BallistaStoreError> {
    let address =
        listener.local_addr().map_err(|source| BallistaStoreError::Io { what: "the port".to_owned(), source })?;
    let session = move |config: SessionConfig| {
        store.reading(SessionStateBuilder::new_with_default_features().with_config(config))
    };
    let config = SchedulerConfig {
        external_host: name,
        bind_port: address.port(),
        override_session_builder: Some(Arc::new(session)),
        // Files are read by all, and not by as few as have room.
        task_distribution: TaskDistributionPolicy::RoundRobin,
        executor_timeout_seconds: LOST_AFTER,
        expire_dead_executor_interval_seconds: LOST_AFTER / 3,
        no_executors_grace_period_seconds: LOST_AFTER,
        finished_job_data_clean_up_interval_seconds: REMEMBERED,
        finished_job_state_clean_up_interval_seconds: REMEMBERED,
        ..SchedulerConfig::default()
    };
    config.validate()?;
    let cluster = BallistaCluster::new_from_config(&config).await?;
    let scheduler = create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, Arc::new(config)).await?;
    Ok(start_grpc_service_with_listener(listener, scheduler).await?)
}
