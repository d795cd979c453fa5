//! Options of `query-worker`.

use clap::Args;
use spanmill_config::ByteSize;

use super::StoreAddress;

/// Options of `query-worker`.
#[derive(Debug, Args)]
pub(crate) struct QueryWorker {
    #[command(flatten)]
    pub(crate) store: StoreAddress,
    /// Host and port to listen on
    #[arg(long, value_name = "HOST:PORT", default_value = "localhost:4330")]
    pub(crate) listen: String,
    /// What whoever asks has to show; without it everybody who reaches the port may read the store
    #[arg(long, value_name = "SECRET", env = "SPANMILL_WORKER_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Memory of all queries together
    #[arg(long, value_name = "SIZE", default_value = "512MiB")]
    pub(crate) memory: ByteSize,
}

pub(super) const WORKER_EXAMPLES: &str = "\
Examples:
  spanmill query-worker --store ./spans
  SPANMILL_WORKER_TOKEN=secret spanmill query-worker --store s3://bucket/spans --listen 0.0.0.0:4330

It helps a spanmill whose exporter spanstore names it under query::workers::endpoints. SIGINT and SIGTERM stop it, once what runs is done.";
