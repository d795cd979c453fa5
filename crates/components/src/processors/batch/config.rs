use serde::Deserialize;
use spanmill_config::{ConfigError, Duration, Section};

use crate::partition::check_keys;

/// Options of the `batch` processor.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// A batch is sent when it holds so many spans, metric points or log records. 0 sends at once.
    pub(super) send_batch_size: u32,
    /// A batch is sent so long after its first request came in. 0 sends at once.
    pub(super) timeout: Duration,
    /// Larger batches are split into ones of so many items at most. 0 means no limit.
    pub(super) send_batch_max_size: u32,
    /// A batch is sent when it holds so many encoded bytes. 0 means that bytes do not matter. Spanmill's own option.
    pub(super) send_batch_bytes: u64,
    /// Larger batches are split into ones of so many encoded bytes at most. 0 means no limit. Spanmill's own option.
    pub(super) send_batch_max_bytes: u64,
    /// Requests whose clients sent different values of these are never joined.
    pub(super) metadata_keys: Vec<String>,
    /// So many combinations of values at most; requests with further ones are refused. 0: any number.
    pub(super) metadata_cardinality_limit: u32,
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            send_batch_size: 8192,
            timeout: Duration::from_millis(200),
            send_batch_max_size: 0,
            send_batch_bytes: 0,
            send_batch_max_bytes: 0,
            metadata_keys: Vec::new(),
            metadata_cardinality_limit: 1000,
        }
    }
}

impl Config {
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        if config.send_batch_max_size > 0 && config.send_batch_max_size < config.send_batch_size {
            return Err(
                section.error("send_batch_max_size", "send_batch_max_size must be greater or equal to send_batch_size")
            );
        }
        if config.send_batch_max_bytes > 0 && config.send_batch_max_bytes < config.send_batch_bytes {
            return Err(section
                .error("send_batch_max_bytes", "send_batch_max_bytes must be greater or equal to send_batch_bytes"));
        }
        if config.timeout.is_negative() {
            return Err(section.error("timeout", "timeout must be greater or equal to 0"));
        }
        check_keys(section, "metadata_keys", &config.metadata_keys)?;
        Ok(config)
    }
}
