use std::path::PathBuf;

use serde::Deserialize;
use spanmill_config::{ConfigError, Duration, OptionalBlock, Section};

/// Options of the `file` exporter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The file to write. Required.
    pub path: PathBuf,
    /// Whether to go on writing where the file ends; otherwise it is emptied at start. Cannot be combined with
    /// `rotation`. Default: `false`.
    pub append: bool,
    /// Sets the file aside when it has grown large. Default: off.
    pub rotation: OptionalBlock<Rotation>,
    /// What is written: `json` or `proto`. Default: `json`.
    pub format: Format,
    /// Compression of each message: `zstd`, or empty for none. Default: none.
    pub compression: Compression,
    /// How strongly to compress.
    pub compression_params: CompressionParams,
    /// How long a message may wait in memory before it is written; `0` stands for the default. Default: `1s`.
    pub flush_interval: Duration,
    /// One file for each value of a resource attribute. Only `enabled: false` is supported.
    pub group_by: GroupBy,
    /// Whether to create the folder of the file, and those above it. Default: `false`.
    pub create_directory: bool,
    /// Permissions of folders that are created, octal, less the process's mask; needs `create_directory`.
    /// Default: `0755`.
    pub directory_permissions: String,
}

/// When a file is set aside, and how long it is kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rotation {
    /// Largest size of a file in MiB; `0` stands for the default. Default: `100`.
    pub max_megabytes: u32,
    /// How many days of 24 hours files are kept; `0` is for ever. Default: `0`.
    pub max_days: u32,
    /// How many files are kept; `0` is all. Default: `100`.
    pub max_backups: u32,
    /// Whether the names of files that were set aside show local time; otherwise UTC. Default: `false`.
    pub localtime: bool,
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// OTLP/JSON, one request a line.
    #[default]
    Json,
    /// OTLP protobuf, each request after its length.
    Proto,
}

/// How messages are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Compression {
    /// Not at all.
    #[default]
    #[serde(rename = "")]
    None,
    /// By zstd.
    #[serde(rename = "zstd")]
    Zstd,
}

/// How strongly to compress.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CompressionParams {
    /// The level of zstd, 1 to 22; `0` stands for its default. Default: `0`.
    pub level: i32,
}

/// One file for each value of a resource attribute.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GroupBy {
    /// Whether to do so. Only `false` is supported.
    pub enabled: bool,
    /// The attribute. Default: `fileexporter.path_segment`.
    pub resource_attribute: String,
    /// How many files may be open. Default: `100`.
    pub max_open_files: u32,
}

// === impl Config ===

impl Config {
    /// Reads and checks the options.
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        if config.path.as_os_str().is_empty() {
            return Err(section.error("path", "path must be non-empty"));
        }
        if config.append && config.rotation.is_on() {
            return Err(section.error("append", "append and rotation enabled at the same time is not supported"));
        }
        if config.flush_interval.is_negative() {
            return Err(section.error("flush_interval", "flush_interval must be larger than zero"));
        }
        if config.compression == Compression::None && config.compression_params.level != 0 {
            return Err(section.error("compression_params::level", "level is of no use without compression"));
        }
        if config.group_by.enabled {
            return Err(section.error("group_by::enabled", "group_by is not supported"));
        }
        if !config.create_directory && !config.directory_permissions.is_empty() {
            let message = "directory_permissions requires create_directory to be true";
            return Err(section.error("directory_permissions", message));
        }
        if config.directory_mode().is_none() {
            let message = "directory_permissions value must be a valid octal representation of file access bits";
            return Err(section.error("directory_permissions", message));
        }
        Ok(config)
    }

    /// Permissions of folders that are created; none where the option is no octal number up to 0777.
    pub(super) fn directory_mode(&self) -> Option<u32> {
        if self.directory_permissions.is_empty() {
            return Some(0o755);
        }
        u32::from_str_radix(&self.directory_permissions, 8).ok().filter(|mode| *mode <= 0o777)
    }

    /// How long a message may wait in memory.
    pub(super) fn flush_interval(&self) -> std::time::Duration {
        // Shorter than a millisecond is no different from a busy loop.
        let shortest = std::time::Duration::from_millis(1);
        self.flush_interval.positive().unwrap_or(std::time::Duration::from_secs(1)).max(shortest)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            path: PathBuf::new(),
            append: false,
            rotation: OptionalBlock::Off,
            format: Format::default(),
            compression: Compression::default(),
            compression_params: CompressionParams::default(),
            flush_interval: Duration::from_secs(1),
            group_by: GroupBy::default(),
            create_directory: false,
            directory_permissions: String::new(),
        }
    }
}

// === impl Rotation ===

impl Rotation {
    /// Largest size of a file in bytes.
    pub(super) fn max_bytes(&self) -> u64 {
        let megabytes = if self.max_megabytes == 0 { 100 } else { self.max_megabytes };
        u64::from(megabytes) << 20
    }
}

impl Default for Rotation {
    fn default() -> Self {
        Self { max_megabytes: 100, max_days: 0, max_backups: 100, localtime: false }
    }
}

// === impl GroupBy ===

impl Default for GroupBy {
    fn default() -> Self {
        Self { enabled: false, resource_attribute: "fileexporter.path_segment".into(), max_open_files: 100 }
    }
}
