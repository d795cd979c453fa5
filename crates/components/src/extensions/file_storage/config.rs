use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, de};
use spanmill_config::{ConfigError, Duration, Section};
use spanmill_wal::Fsync;

/// Options of the `file_storage` extension.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// The folder of all queues; each has one of its own in it.
    pub(super) directory: PathBuf,
    /// Whether the folder is made where it is not there.
    pub(super) create_directory: bool,
    /// The rights of a folder that is made, as an octal number.
    pub(super) directory_permissions: String,
    /// When requests are forced to the disk.
    pub(super) fsync: Sync,
    /// How much of the disk a queue may take, in bytes; 0: as much as there is.
    pub(super) max_size: i64,
    /// How much of the disk requests may take that a backend refused for good, of each exporter, in bytes.
    pub(super) max_dead_letter_size: u64,
    /// Accepted: nobody waits for the lock of a folder, it is there or it is not.
    pub(super) timeout: Duration,
    /// Accepted: what is damaged is set aside, and the rest is used.
    pub(super) recreate: bool,
    /// Accepted: segments that are done with are removed at once, there is nothing to make smaller.
    pub(super) compaction: Compaction,
}

/// Options of `compaction`: checked as the Collector does, and without effect.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Compaction {
    on_start: bool,
    on_rebound: bool,
    directory: PathBuf,
    rebound_needed_threshold_mib: i64,
    rebound_trigger_threshold_mib: i64,
    max_transaction_size: i64,
    check_interval: Duration,
    cleanup_on_start: bool,
}

/// The policy as it is written: `true`, `false`, `always`, `never`, `interval`, or an interval such as `50ms`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sync(pub(super) Fsync);

/// Where the Collector keeps queues.
const DIRECTORY: &str = "/var/lib/otelcol/file_storage";

const MIB: i64 = 1 << 20;

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            directory: DIRECTORY.into(),
            create_directory: false,
            directory_permissions: "0750".to_owned(),
            fsync: Sync(Fsync::Always),
            max_size: 0,
            max_dead_letter_size: 1 << 30,
            timeout: Duration::from_secs(1),
            recreate: false,
            compaction: Compaction::default(),
        }
    }
}

impl Config {
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        let fail = |option: &str, message: &str| Err(section.error(option, message));
        let Compaction { on_start, on_rebound, directory, max_transaction_size, check_interval, .. } =
            &config.compaction;
        config.check_folder(section, "directory", &config.directory)?;
        if *on_start || *on_rebound {
            config.check_folder(section, "compaction::directory", directory)?;
        }
        if *max_transaction_size < 0 {
            let message = "max transaction size for compaction cannot be less than 0";
            return fail("compaction::max_transaction_size", message);
        }
        if config.max_size < 0 {
            return fail("max_size", "max size cannot be less than 0");
        }
        let thresholds = [
            ("needed", config.compaction.rebound_needed_threshold_mib),
            ("trigger", config.compaction.rebound_trigger_threshold_mib),
        ];
        for (name, threshold) in thresholds.into_iter().filter(|_| config.max_size > 0 && *on_rebound) {
            if threshold.saturating_mul(MIB) > config.max_size {
                let message = format!("compaction rebound {name} threshold cannot be greater than max size");
                return fail(&format!("compaction::rebound_{name}_threshold_mib"), &message);
            }
        }
        if *on_rebound && (check_interval.is_zero() || check_interval.is_negative()) {
            let message = "compaction check interval must be positive when rebound compaction is set";
            return fail("compaction::check_interval", message);
        }
        if config.create_directory {
            config.mode(section)?;
        }
        Ok(config)
    }

    /// The rights of a folder that is made.
    pub(super) fn mode(&self, section: &Section) -> Result<u32, ConfigError> {
        let fail = |message: &str| section.error("directory_permissions", message);
        let mode = u32::from_str_radix(&self.directory_permissions, 8)
            .map_err(|_| fail("directory_permissions value must be a valid octal representation"))?;
        if mode & 0o777 == mode {
            Ok(mode)
        } else {
            Err(fail("directory_permissions contain invalid bits for file access"))
        }
    }

    /// As the Collector checks it, before anything runs.
    fn check_folder(&self, section: &Section, option: &str, folder: &Path) -> Result<(), ConfigError> {
        let message = match std::fs::metadata(folder) {
            Ok(found) if found.is_dir() => return Ok(()),
            Ok(_) => format!("{} is not a directory", folder.display()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && self.create_directory => return Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => format!(
                "directory must exist: {}. You can enable the create_directory option to automatically create it",
                folder.display()
            ),
            Err(error) => format!("problem accessing configured directory: {}, err: {error}", folder.display()),
        };
        Err(section.error(option, message))
    }
}

// === impl Compaction ===

impl Default for Compaction {
    fn default() -> Self {
        Self {
            on_start: false,
            on_rebound: false,
            directory: DIRECTORY.into(),
            rebound_needed_threshold_mib: 100,
            rebound_trigger_threshold_mib: 10,
            max_transaction_size: 65536,
            check_interval: Duration::from_secs(5),
            cleanup_on_start: false,
        }
    }
}

// === impl Sync ===

impl<'de> Deserialize<'de> for Sync {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SyncVisitor)
    }
}

struct SyncVisitor;

impl Visitor<'_> for SyncVisitor {
    type Value = Sync;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false, always, never, interval, or an interval like 200ms")
    }

    fn visit_bool<E: Error>(self, fsync: bool) -> Result<Sync, E> {
        Ok(Sync(if fsync { Fsync::Always } else { Fsync::Never }))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Sync, E> {
        Ok(Sync(match text {
            "true" | "always" => Fsync::Always,
            "false" | "never" => Fsync::Never,
            "interval" => Fsync::Interval(Fsync::DEFAULT_INTERVAL),
            _ => {
                let unexpected = || E::invalid_value(de::Unexpected::Str(text), &self);
                let interval = text.parse::<Duration>().map_err(|_| unexpected())?;
                Fsync::Interval(interval.positive().ok_or_else(unexpected)?)
            }
        }))
    }
}
