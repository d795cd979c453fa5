use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use spanmill_config::{ByteSize, ConfigError, Duration, Endpoint, NullableBlock, Secret, Section};
use spanmill_pipeline::auth::HttpAuthConfig;
use spanmill_query::Limits;
use spanmill_store::Options;
use spanmill_tls::{ClientTls, ServerTls};
use spanmill_wal::Fsync;

use crate::users::GuardedConfig;

/// Options of the `spanstore` exporter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where spans are kept: a folder, or the address of an object store such as `s3://bucket/folder`, `gs://…` or `az://…`. Required.
    pub path: String,
    /// Options of the object store, as the crate `object_store` names them, such as `aws_region` or `aws_endpoint`. Those of the
    /// environment, `AWS_…`, `GOOGLE_…` and `AZURE_…`, hold where nothing is said here.
    pub object_store: BTreeMap<String, Secret>,
    /// The log that spans are in until they are in files.
    pub wal: WalConfig,
    /// What is in memory until it is written to files.
    pub hot: HotConfig,
    /// Which times of spans are believed.
    pub accept: AcceptConfig,
    /// How long spans are kept.
    pub retention: RetentionConfig,
    /// How whole hours are put together.
    pub compaction: CompactionConfig,
    /// Attributes larger than this go to the table `content`, as prompts and completions always do. Default: `4KiB`.
    pub max_attribute: ByteSize,
    /// Level of zstd in files, 1 to 22. Default: `3`.
    pub compression_level: i32,
    /// Who says whose spans are whose, where no authenticator does. Default: `clients` where `sql` or `jaeger` have `auth`, or a user of
    /// `flight_sql` or `postgres` a tenant; `attributes` otherwise.
    pub tenants: Option<TenantsConfig>,
    /// Limits of queries.
    pub query: QueryConfig,
    /// Where questions are answered over HTTP: SQL, named questions, and Tempo's traces by id. Default: nowhere.
    pub sql: Option<ListenConfig>,
    /// Where Jaeger reads the store over gRPC. Default: nowhere.
    pub jaeger: Option<ListenConfig>,
    /// Where Arrow Flight SQL is answered over gRPC. Default: nowhere.
    pub flight_sql: Option<GuardedConfig>,
    /// Where PostgreSQL's wire protocol is answered. Default: nowhere.
    pub postgres: Option<GuardedConfig>,
}

/// A port that is listened on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenConfig {
    /// Host and port, such as `localhost:4320`. Without `auth` whoever reaches it may read everything in the store; with
    /// `tls::client_ca_file`, whoever has a certificate.
    pub endpoint: Endpoint,
    /// TLS; without it everything is sent in the clear.
    #[serde(default)]
    pub tls: NullableBlock<ServerTls>,
    /// The extension that knows who asks. Whoever acts for a tenant sees the rows of that tenant alone.
    pub auth: Option<HttpAuthConfig>,
}

/// Who says whose spans are whose, where no authenticator has said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TenantsConfig {
    /// Spans or their resources, by `tenant.id`: whoever sends may write any name.
    Attributes,
    /// Nobody: such spans are no tenant's.
    Clients,
}

/// The log that spans are in until they are in files.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WalConfig {
    /// Without it what is in memory is lost when the process is killed. Default: `true`.
    pub enabled: bool,
    /// Its folder, which only one process may use. Default: `wal` in the folder of the store; required with an object store.
    pub directory: String,
    /// When what is written is forced to the disk: `always`, before a client is answered; `interval`, five times a second; or `never`, by
    /// the kernel as it likes. All of them survive the end of the process, only `always` a loss of power. Default: `always`.
    pub fsync: FsyncConfig,
    /// Clients are refused while the log is larger, since files cannot be written. Default: `4GiB`.
    pub max_bytes: ByteSize,
}

/// When the log is forced to the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FsyncConfig {
    /// Before a client is answered.
    #[default]
    Always,
    /// Five times a second.
    Interval,
    /// When the kernel likes.
    Never,
}

/// What is in memory until it is written to files.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HotConfig {
    /// Files are written once it takes so much. Twice as much is possible while they are. Default: `128MiB`.
    pub max_bytes: ByteSize,
    /// Files are written once it is so old. Default: `10m`.
    pub max_age: Duration,
}

/// Which times of spans are believed. Others are kept as they are, in the hour of their arrival.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AcceptConfig {
    /// Starts so long ago. Default: `168h`.
    pub past: Duration,
    /// Starts so long from now. Default: `10m`.
    pub future: Duration,
}

/// How long spans are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// Hours that ended longer ago are removed; `0s` is never. Default: `0s`.
    pub max_age: Duration,
    /// The oldest hours are removed where all files together are larger; `0` is never. Default: `0`.
    pub max_bytes: ByteSize,
}

/// How whole hours are put together into one file a table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CompactionConfig {
    /// How long after their end. Default: `1h`.
    pub after: Duration,
    /// How long files stay that nothing refers to any more; longer than any query. Default: `5m`.
    pub grace: Duration,
    /// How often to look. Default: `1m`.
    pub interval: Duration,
}

/// Limits of queries.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueryConfig {
    /// Time of a query from the beginning of planning to the last row. Default: `30s`.
    pub timeout: Duration,
    /// Rows of an answer. Default: `10000`.
    pub max_rows: u64,
    /// Memory of all queries together, of which each takes half at most. Default: `512MiB`.
    pub memory: ByteSize,
    /// How many threads a query uses; `0` is one a processor. Default: `0`.
    pub threads: usize,
    /// Processes `spanmill query-worker` that help to answer. They read the store's files, so it has to be where they reach it: in an
    /// object store, mostly. Default: none.
    pub workers: Option<WorkersConfig>,
}

/// Processes that help to answer queries.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkersConfig {
    /// Host and port of each, such as `worker-1:4330`. A name that has several addresses stands for as many workers. Required.
    pub endpoints: Vec<Endpoint>,
    /// What workers were told to want with `--token`. Default: nothing.
    pub token: Option<Secret>,
    /// TLS to workers, which then have `--tls-cert`. As workers are found by address, their certificates carry their addresses, or the name
    /// that `server_name_override` says. Default: none.
    pub tls: NullableBlock<ClientTls>,
    /// A thread of a worker is given so many bytes of files to read, or more: what reads less than that is answered alone. Default: `16MiB`.
    pub bytes_each: ByteSize,
}

// === impl Config ===

impl Config {
    /// Reads and checks the options.
    pub(crate) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        if config.path.is_empty() {
            return Err(section.error("path", "path must be non-empty"));
        }
        if config.wal.enabled && config.wal.directory.is_empty() && config.is_remote() {
            let message = "with an object store, wal needs a directory on this machine; or `enabled: false`";
            return Err(section.error("wal::directory", message));
        }
        if config.hot.max_bytes.bytes() < 1 << 20 {
            return Err(section.error("hot::max_bytes", "must be at least 1MiB"));
        }
        if !(1..=22).contains(&config.compression_level) {
            return Err(section.error("compression_level", "must be from 1 to 22"));
        }
        for (name, listen) in [("sql", &config.sql), ("jaeger", &config.jaeger)] {
            let Some(listen) = listen else { continue };
            listen.endpoint.host_port().map_err(|error| section.error(&format!("{name}::endpoint"), error))?;
            if let Some(tls) = listen.tls.as_ref() {
                tls.check(section, &format!("{name}::tls"))?;
            }
        }
        for (name, guarded, feature, built) in [
            ("flight_sql", &config.flight_sql, "flight-sql", cfg!(feature = "flight-sql")),
            ("postgres", &config.postgres, "postgres", cfg!(feature = "postgres")),
        ] {
            let Some(guarded) = guarded else { continue };
            guarded.check(section, name)?;
            if !built {
                return Err(
                    section.error(name, format!("this build does not answer there: the feature `{feature}` is off"))
                );
            }
        }
        if let Some(workers) = &config.query.workers {
            workers.check(section)?;
        }
        for (name, duration) in [
            ("hot::max_age", config.hot.max_age),
            ("query::timeout", config.query.timeout),
            ("compaction::interval", config.compaction.interval),
            ("compaction::grace", config.compaction.grace),
        ] {
            if duration.positive().is_none() {
                return Err(section.error(name, "must be larger than zero"));
            }
        }
        for (name, duration) in [
            ("accept::past", config.accept.past),
            ("accept::future", config.accept.future),
            ("retention::max_age", config.retention.max_age),
            ("compaction::after", config.compaction.after),
        ] {
            if duration.is_negative() {
                return Err(section.error(name, "must not be negative"));
            }
        }
        Ok(config)
    }

    /// The options of the store.
    pub(crate) fn store_options(&self) -> Options {
        let mut options = Options::new(&self.path);
        options.object_store =
            self.object_store.iter().map(|(key, value)| (key.clone(), value.expose().to_owned())).collect();
        options.hot_max_bytes = size(self.hot.max_bytes);
        options.hot_max_age = self.hot.max_age.to_std();
        options.max_past = self.accept.past.to_std();
        options.max_future = self.accept.future.to_std();
        options.max_attribute = size(self.max_attribute);
        options.compression_level = self.compression_level;
        options.compact_after = self.compaction.after.to_std();
        options.grace = self.compaction.grace.to_std();
        options.max_age = self.retention.max_age.positive();
        options.max_bytes = Some(self.retention.max_bytes.bytes()).filter(|bytes| *bytes > 0);
        options.query_memory = size(self.query.memory);
        if self.query.threads > 0 {
            options.query_threads = self.query.threads;
        }
        options
    }

    /// Who says whose spans are whose.
    pub(crate) fn tenants(&self) -> TenantsConfig {
        let guarded = [&self.sql, &self.jaeger].into_iter().flatten().any(|listen| listen.auth.is_some());
        let guarded =
            guarded || [&self.flight_sql, &self.postgres].into_iter().flatten().any(GuardedConfig::knows_tenants);
        self.tenants.unwrap_or(if guarded { TenantsConfig::Clients } else { TenantsConfig::Attributes })
    }

    /// The limits of queries.
    pub(crate) fn limits(&self) -> Limits {
        Limits { rows: self.query.max_rows, time: self.query.timeout.to_std(), ..Limits::default() }
    }

    /// The folder of the log, if there is to be one.
    pub(crate) fn wal_directory(&self) -> Option<PathBuf> {
        match (self.wal.enabled, self.wal.directory.as_str()) {
            (false, _) => None,
            (true, "") => Some(Path::new(self.path.strip_prefix("file://").unwrap_or(&self.path)).join("wal")),
            (true, directory) => Some(PathBuf::from(directory)),
        }
    }

    /// The options of the log.
    pub(crate) fn wal_options(&self) -> spanmill_wal::Options {
        let fsync = match self.wal.fsync {
            FsyncConfig::Always => Fsync::Always,
            FsyncConfig::Interval => Fsync::Interval(std::time::Duration::from_millis(200)),
            FsyncConfig::Never => Fsync::Never,
        };
        spanmill_wal::Options { fsync, max_bytes: self.wal.max_bytes.bytes(), ..spanmill_wal::Options::default() }
    }

    fn is_remote(&self) -> bool {
        self.path.contains("://") && !self.path.starts_with("file://")
    }
}

// === impl WorkersConfig ===

impl WorkersConfig {
    fn check(&self, section: &Section) -> Result<(), ConfigError> {
        let name = "query::workers::endpoints";
        if !cfg!(feature = "workers") {
            return Err(section.error("query::workers", "this build asks no workers: the feature `workers` is off"));
        }
        if self.endpoints.is_empty() {
            return Err(section.error(name, "must name a worker"));
        }
        if let Some(tls) = self.tls.as_ref() {
            tls.check(section, "query::workers::tls")?;
        }
        if self.token.as_ref().is_some_and(Secret::is_empty) {
            return Err(section.error("query::workers::token", "must be non-empty"));
        }
        self.endpoints
            .iter()
            .try_for_each(|endpoint| endpoint.host_port().map(drop))
            .map_err(|error| section.error(name, error))
    }

    /// Who may be there to help, and how they are asked.
    #[cfg(feature = "workers")]
    pub(crate) fn options(&self) -> spanmill_workers::WorkersOptions {
        spanmill_workers::WorkersOptions {
            endpoints: self.endpoints.iter().map(|endpoint| endpoint.as_str().to_owned()).collect(),
            peers: spanmill_workers::PeerOptions { token: self.token.clone(), tls: self.tls.as_ref().cloned() },
            bytes_each: size(self.bytes_each),
        }
    }
}

fn size(bytes: ByteSize) -> usize {
    usize::try_from(bytes.bytes()).unwrap_or(usize::MAX)
}

impl Default for Config {
    fn default() -> Self {
        Self {
            path: String::new(),
            object_store: BTreeMap::new(),
            wal: WalConfig::default(),
            hot: HotConfig::default(),
            accept: AcceptConfig::default(),
            retention: RetentionConfig::default(),
            compaction: CompactionConfig::default(),
            max_attribute: ByteSize::from_bytes(4 << 10),
            compression_level: 3,
            tenants: None,
            query: QueryConfig::default(),
            sql: None,
            jaeger: None,
            flight_sql: None,
            postgres: None,
        }
    }
}

impl Default for WalConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            directory: String::new(),
            fsync: FsyncConfig::default(),
            max_bytes: ByteSize::from_mib(4096),
        }
    }
}

impl Default for HotConfig {
    fn default() -> Self {
        Self { max_bytes: ByteSize::from_mib(128), max_age: Duration::from_secs(600) }
    }
}

impl Default for AcceptConfig {
    fn default() -> Self {
        Self { past: Duration::from_secs(7 * 86_400), future: Duration::from_secs(600) }
    }
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self { max_age: Duration::ZERO, max_bytes: ByteSize::from_bytes(0) }
    }
}

impl Default for CompactionConfig {
    fn default() -> Self {
        Self { after: Duration::from_secs(3_600), grace: Duration::from_secs(300), interval: Duration::from_secs(60) }
    }
}

impl Default for WorkersConfig {
    fn default() -> Self {
        Self { endpoints: Vec::new(), token: None, tls: NullableBlock::default(), bytes_each: ByteSize::from_mib(16) }
    }
}

impl Default for QueryConfig {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            max_rows: 10_000,
            memory: ByteSize::from_mib(512),
            threads: 0,
            workers: None,
        }
    }
}
