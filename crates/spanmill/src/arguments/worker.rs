//! Options of `query-worker`.

use clap::Args;
use spanmill_config::{ByteSize, Duration};
use spanmill_tls::{ClientTls, ServerTls};

use super::StoreAddress;

/// Options of `query-worker`.
#[derive(Debug, Args)]
pub(crate) struct QueryWorker {
    #[command(flatten)]
    pub(crate) store: StoreAddress,
    /// Host and port to listen on
    #[arg(long, value_name = "HOST:PORT", default_value = "localhost:4330")]
    pub(crate) listen: String,
    /// What whoever asks has to show; without it and --tls-client-ca everybody who reaches the port may read the store
    #[arg(long, value_name = "SECRET", env = "SPANMILL_WORKER_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    #[command(flatten)]
    pub(crate) tls: WorkerTls,
    /// Memory of all queries together
    #[arg(long, value_name = "SIZE", default_value = "512MiB")]
    pub(crate) memory: ByteSize,
    /// Time of a part of a query; longer than queries may last where they are asked
    #[arg(long, value_name = "DURATION", default_value = "35s", value_parser = super::duration)]
    pub(crate) time_limit: std::time::Duration,
}

/// TLS of a worker: to those who ask it, and to other workers that it asks.
#[derive(Debug, Args)]
pub(crate) struct WorkerTls {
    /// Certificate chain (PEM) that is presented to whoever asks, and to other workers; turns TLS on
    #[arg(id = "cert", long = "tls-cert", value_name = "FILE", requires = "key")]
    cert: Option<String>,
    /// Key (PEM) of the certificate
    #[arg(id = "key", long = "tls-key", value_name = "FILE", requires = "cert")]
    key: Option<String>,
    /// Authorities (PEM) of those who ask, who must then present a certificate
    #[arg(id = "client_ca", long = "tls-client-ca", value_name = "FILE", requires = "cert")]
    client_ca: Option<String>,
    /// Authorities (PEM) of other workers, instead of the system's
    #[arg(id = "ca", long = "tls-ca", value_name = "FILE", requires = "cert")]
    ca: Option<String>,
    /// The name in other workers' certificates, where it is not their address
    #[arg(id = "server_name", long = "tls-server-name", value_name = "NAME", requires = "cert")]
    server_name: Option<String>,
    /// The least version: 1.2 or 1.3
    #[arg(id = "min_version", long = "tls-min-version", value_name = "VERSION", default_value = "1.2", value_parser = ["1.2", "1.3"])]
    min_version: String,
    /// How often the files are looked at again; 0s is never
    #[arg(id = "reload", long = "tls-reload", value_name = "DURATION", default_value = "1m")]
    reload: Duration,
}

// === impl WorkerTls ===

impl WorkerTls {
    /// What is presented to those who ask; nothing without a certificate.
    pub(crate) fn server(&self) -> Option<ServerTls> {
        Some(ServerTls {
            cert_file: self.cert.clone()?,
            key_file: self.key.clone()?,
            client_ca_file: self.client_ca.clone().unwrap_or_default(),
            client_ca_file_reload: self.reload.positive().is_some(),
            min_version: self.min_version.clone(),
            reload_interval: self.reload,
            ..ServerTls::default()
        })
    }

    /// Whom this worker believes to be another, and what it presents to it.
    pub(crate) fn client(&self) -> Option<ClientTls> {
        Some(ClientTls {
            cert_file: self.cert.clone()?,
            key_file: self.key.clone()?,
            ca_file: self.ca.clone().unwrap_or_default(),
            server_name_override: self.server_name.clone().unwrap_or_default(),
            min_version: self.min_version.clone(),
            reload_interval: self.reload,
            ..ClientTls::default()
        })
    }
}

pub(super) const WORKER_EXAMPLES: &str = "\
Examples:
  spanmill query-worker --store ./spans
  SPANMILL_WORKER_TOKEN=secret spanmill query-worker --store s3://bucket/spans --listen 0.0.0.0:4330 \\
    --tls-cert worker.pem --tls-key worker.key --tls-ca ca.pem --tls-client-ca ca.pem

It helps a spanmill whose exporter spanstore names it under query::workers::endpoints. SIGINT and SIGTERM stop it, once what runs is done.";
