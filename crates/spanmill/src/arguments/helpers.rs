//! Query workers that help `query`.

use std::path::PathBuf;

use clap::Args;
use spanmill_config::{ByteSize, Endpoint, Secret};
use spanmill_tls::ClientTls;
use spanmill_workers::{PeerOptions, WorkersOptions};

/// Query workers that help a command, and how they are asked.
#[derive(Debug, Args)]
pub(crate) struct Helpers {
    /// A query worker of the same store, which --store names, that helps; a name may stand for several; may be repeated
    #[arg(id = "worker", long = "worker", value_name = "HOST:PORT", value_parser = endpoint)]
    workers: Vec<Endpoint>,
    /// A file with what workers want to be shown; without it SPANMILL_WORKER_TOKEN has it
    #[arg(long = "worker-token-file", value_name = "FILE", requires = "worker")]
    pub(crate) token_file: Option<PathBuf>,
    #[command(flatten)]
    tls: HelpersTls,
    /// A worker's thread is given so many bytes of files to read, or more: what reads less is answered alone
    #[arg(long = "worker-bytes-each", value_name = "SIZE", default_value = "16MiB", requires = "worker")]
    bytes_each: ByteSize,
}

/// TLS to workers.
#[derive(Debug, Args)]
struct HelpersTls {
    /// TLS to workers, whose certificates authorities of the system have signed; on with each of the next options as well
    #[arg(long = "worker-tls", requires = "worker")]
    on: bool,
    /// Authorities (PEM) of workers, instead of the system's
    #[arg(long = "worker-tls-ca", value_name = "FILE", requires = "worker")]
    ca: Option<String>,
    /// Certificate chain (PEM) that is presented to workers
    #[arg(long = "worker-tls-cert", value_name = "FILE", requires_all = ["worker", "key"])]
    cert: Option<String>,
    /// Key (PEM) of the certificate
    #[arg(long = "worker-tls-key", value_name = "FILE", requires = "cert")]
    key: Option<String>,
    /// The name in workers' certificates, where it is not their address
    #[arg(long = "worker-tls-server-name", value_name = "NAME", requires = "worker")]
    server_name: Option<String>,
}

// === impl Helpers ===

impl Helpers {
    /// Whether anybody is to help.
    pub(crate) fn is_empty(&self) -> bool {
        self.workers.is_empty()
    }

    /// Who may be there to help, where that is shown to them.
    pub(crate) fn options(&self, token: Option<Secret>) -> WorkersOptions {
        WorkersOptions {
            endpoints: self.workers.iter().map(|worker| worker.as_str().to_owned()).collect(),
            peers: PeerOptions { token, tls: self.tls.client() },
            bytes_each: usize::try_from(self.bytes_each.bytes()).unwrap_or(usize::MAX),
        }
    }
}

// === impl HelpersTls ===

impl HelpersTls {
    fn client(&self) -> Option<ClientTls> {
        let Self { on, ca, cert, key, server_name } = self;
        let any = *on || [ca, cert, key, server_name].into_iter().any(Option::is_some);
        any.then(|| ClientTls {
            ca_file: ca.clone().unwrap_or_default(),
            cert_file: cert.clone().unwrap_or_default(),
            key_file: key.clone().unwrap_or_default(),
            server_name_override: server_name.clone().unwrap_or_default(),
            ..ClientTls::default()
        })
    }
}

fn endpoint(text: &str) -> Result<Endpoint, String> {
    let endpoint = Endpoint::new(text);
    match endpoint.host_port() {
        Ok(_) => Ok(endpoint),
        Err(error) => Err(error.to_string()),
    }
}
