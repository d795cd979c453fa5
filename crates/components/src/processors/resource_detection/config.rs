use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use spanmill_config::{ConfigError, Duration, Headers, NullableBlock, Section};
use spanmill_tls::ClientTls;

use crate::exporters::sending::RetryOnFailure;

/// Options of the `resource_detection` processor.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// What finds attributes, in order: of two that find the same the earlier counts.
    pub(super) detectors: Vec<String>,
    /// Whether what is found replaces what a resource has.
    #[serde(rename = "override")]
    pub(super) replaces: bool,
    /// How long detection may take at the start.
    pub(super) timeout: Duration,
    /// How often it is done again; 0: never.
    pub(super) refresh_interval: Duration,
    /// Whether a detector that reaches nobody fails.
    pub(super) fail_on_missing_metadata: bool,
    /// When a detector that failed is asked again.
    pub(super) retry: Retry,
    /// Options of the detector `system`.
    pub(super) system: System,
    /// Options of the detector `docker`.
    pub(super) docker: Docker,
    // Options of detectors that find nothing here.
    alibaba_ecs: IgnoredAny,
    ec2: IgnoredAny,
    ecs: IgnoredAny,
    eks: IgnoredAny,
    elasticbeanstalk: IgnoredAny,
    lambda: IgnoredAny,
    azure: IgnoredAny,
    aks: IgnoredAny,
    azureappservice: IgnoredAny,
    azurecontainerapps: IgnoredAny,
    consul: IgnoredAny,
    digitalocean: IgnoredAny,
    gcp: IgnoredAny,
    heroku: IgnoredAny,
    hetzner: IgnoredAny,
    ibmcloud_classic: IgnoredAny,
    ibmcloud_vpc: IgnoredAny,
    openshift: IgnoredAny,
    nova: IgnoredAny,
    oraclecloud: IgnoredAny,
    k8snode: IgnoredAny,
    k8s_api: IgnoredAny,
    kubeadm: IgnoredAny,
    dynatrace: IgnoredAny,
    akamai: IgnoredAny,
    scaleway: IgnoredAny,
    tencent_cvm: IgnoredAny,
    upcloud: IgnoredAny,
    vultr: IgnoredAny,
    // Options of the client with which those would ask; accepted, without effect.
    endpoint: String,
    proxy_url: String,
    tls: ClientTls,
    read_buffer_size: i64,
    write_buffer_size: i64,
    headers: Headers,
    compression: String,
    compression_params: IgnoredAny,
    auth: NullableBlock<IgnoredAny>,
    max_idle_conns: i64,
    max_idle_conns_per_host: i64,
    max_conns_per_host: i64,
    idle_conn_timeout: Duration,
    disable_keep_alives: bool,
    force_attempt_http2: bool,
    http2_read_idle_timeout: Duration,
    http2_ping_timeout: Duration,
    cookies: NullableBlock<IgnoredAny>,
    middlewares: Vec<IgnoredAny>,
}

/// Options of `retry`: those of exporters with other defaults.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Retry {
    pub(super) enabled: bool,
    pub(super) initial_interval: Duration,
    pub(super) randomization_factor: f64,
    pub(super) multiplier: f64,
    pub(super) max_interval: Duration,
    pub(super) max_elapsed_time: Duration,
}

/// Options of `system`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct System {
    /// Where the name of the host comes from: `dns`, `os`, `cname`, `lookup`; the first that has one counts. Empty: `dns`, then `os`.
    pub(super) hostname_sources: Vec<String>,
    /// Which attributes are wanted.
    pub(super) resource_attributes: Wanted,
}

/// Options of `docker`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Docker {
    /// Which attributes are wanted.
    pub(super) resource_attributes: Wanted,
    /// Deprecated: the processor's goes for all detectors.
    pub(super) fail_on_missing_metadata: bool,
}

/// Attributes by name, where they are not as by default.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Wanted(BTreeMap<String, Enabled>);

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Enabled {
    enabled: bool,
}

/// Detectors that there are in the Collector and find nothing here.
pub(super) const ELSEWHERE: [&str; 30] = [
    "akamai",
    "aks",
    "alibaba_ecs",
    "azure",
    "azureappservice",
    "azurecontainerapps",
    "consul",
    "digitalocean",
    "dynatrace",
    "ec2",
    "ecs",
    "eks",
    "elasticbeanstalk",
    "elastic_beanstalk",
    "gcp",
    "heroku",
    "hetzner",
    "ibmcloud_classic",
    "ibmcloud_vpc",
    "k8s_api",
    "k8snode",
    "kubeadm",
    "lambda",
    "nova",
    "openshift",
    "oraclecloud",
    "scaleway",
    "tencent_cvm",
    "upcloud",
    "vultr",
];

/// The attributes of `system`, and whether they are wanted by default.
pub(super) const SYSTEM: [(&str, bool); 17] = [
    ("host.arch", false),
    ("host.cpu.cache.l2.size", false),
    ("host.cpu.family", false),
    ("host.cpu.model.id", false),
    ("host.cpu.model.name", false),
    ("host.cpu.stepping", false),
    ("host.cpu.vendor.id", false),
    ("host.id", false),
    ("host.interface", false),
    ("host.ip", false),
    ("host.mac", false),
    ("host.name", true),
    ("os.build.id", false),
    ("os.description", false),
    ("os.name", false),
    ("os.type", true),
    ("os.version", false),
];

/// The same of `docker`.
pub(super) const DOCKER: [(&str, bool); 4] =
    [("container.image.name", false), ("container.name", false), ("host.name", true), ("os.type", true)];

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            detectors: vec!["env".to_owned()],
            replaces: true,
            timeout: Duration::from_secs(5),
            refresh_interval: Duration::ZERO,
            fail_on_missing_metadata: false,
            retry: Retry::default(),
            system: System::default(),
            docker: Docker::default(),
            alibaba_ecs: IgnoredAny,
            ec2: IgnoredAny,
            ecs: IgnoredAny,
            eks: IgnoredAny,
            elasticbeanstalk: IgnoredAny,
            lambda: IgnoredAny,
            azure: IgnoredAny,
            aks: IgnoredAny,
            azureappservice: IgnoredAny,
            azurecontainerapps: IgnoredAny,
            consul: IgnoredAny,
            digitalocean: IgnoredAny,
            gcp: IgnoredAny,
            heroku: IgnoredAny,
            hetzner: IgnoredAny,
            ibmcloud_classic: IgnoredAny,
            ibmcloud_vpc: IgnoredAny,
            openshift: IgnoredAny,
            nova: IgnoredAny,
            oraclecloud: IgnoredAny,
            k8snode: IgnoredAny,
            k8s_api: IgnoredAny,
            kubeadm: IgnoredAny,
            dynatrace: IgnoredAny,
            akamai: IgnoredAny,
            scaleway: IgnoredAny,
            tencent_cvm: IgnoredAny,
            upcloud: IgnoredAny,
            vultr: IgnoredAny,
            endpoint: String::new(),
            proxy_url: String::new(),
            tls: ClientTls::default(),
            read_buffer_size: 0,
            write_buffer_size: 0,
            headers: Headers::default(),
            compression: String::new(),
            compression_params: IgnoredAny,
            auth: NullableBlock::default(),
            max_idle_conns: 100,
            max_idle_conns_per_host: 0,
            max_conns_per_host: 0,
            idle_conn_timeout: Duration::from_secs(90),
            disable_keep_alives: false,
            force_attempt_http2: true,
            http2_read_idle_timeout: Duration::ZERO,
            http2_ping_timeout: Duration::ZERO,
            cookies: NullableBlock::default(),
            middlewares: Vec::new(),
        }
    }
}

impl Config {
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        for (at, name) in config.detectors.iter().enumerate() {
            if !matches!(name.as_str(), "env" | "system" | "docker") && !ELSEWHERE.contains(&name.as_str()) {
                return Err(section.error(&format!("detectors[{at}]"), format!("invalid detector key: {name}")));
            }
        }
        for (at, source) in config.system.hostname_sources.iter().enumerate() {
            if !matches!(source.as_str(), "dns" | "os" | "cname" | "lookup") {
                let message = format!("hostname_sources contains invalid value: {source:?}");
                return Err(section.error(&format!("system::hostname_sources[{at}]"), message));
            }
        }
        config.system.resource_attributes.check(section, "system", &SYSTEM)?;
        config.docker.resource_attributes.check(section, "docker", &DOCKER)?;
        if config.retry.enabled && config.timeout.is_zero() && config.retry.max_elapsed_time.is_zero() {
            let message = "retry.enabled requires either timeout > 0 or retry.max_elapsed_time > 0 to bound detection";
            return Err(section.error("retry", message));
        }
        config.retry.as_on_failure().check_under(section, "retry")?;
        Ok(config)
    }
}

// === impl Retry ===

impl Default for Retry {
    fn default() -> Self {
        Self {
            enabled: true,
            initial_interval: Duration::from_secs(1),
            randomization_factor: 0.5,
            multiplier: 2.0,
            max_interval: Duration::from_secs(30),
            max_elapsed_time: Duration::ZERO,
        }
    }
}

impl Retry {
    pub(super) fn as_on_failure(&self) -> RetryOnFailure {
        let Self { enabled, initial_interval, randomization_factor, multiplier, max_interval, max_elapsed_time } =
            *self;
        let max_elapsed_time = Some(max_elapsed_time);
        RetryOnFailure { enabled, initial_interval, randomization_factor, multiplier, max_interval, max_elapsed_time }
    }
}

// === impl Wanted ===

impl Wanted {
    fn check(&self, section: &Section, detector: &str, known: &[(&str, bool)]) -> Result<(), ConfigError> {
        match self.0.keys().find(|name| !known.iter().any(|(known, _)| known == name)) {
            Some(name) => {
                let path = format!("{detector}::resource_attributes");
                Err(section.error(&path, format!("unknown key {name:?}")))
            }
            None => Ok(()),
        }
    }

    /// Whether an attribute of a detector is wanted.
    pub(super) fn wants(&self, name: &str, known: &[(&str, bool)]) -> bool {
        let default = || known.iter().any(|(known, default)| *known == name && *default);
        self.0.get(name).map_or_else(default, |enabled| enabled.enabled)
    }
}
