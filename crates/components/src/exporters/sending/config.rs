use serde::de::Error;
use serde::{Deserialize, Deserializer};
use spanmill_config::{ComponentId, ConfigError, Duration, OptionalBlock, Section};

use crate::partition::check_keys;

/// Options of `sending_queue`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SendingQueue {
    /// Without a queue a client waits for the backend's answer and gets it.
    #[serde(deserialize_with = "switch")]
    pub(crate) enabled: bool,
    /// Requests that are sent at a time.
    pub(crate) num_consumers: usize,
    /// How much fits the queue, counted by `sizer`.
    pub(crate) queue_size: usize,
    /// What is counted: `requests`, `items` (spans, points, records) or `bytes`. Where nothing is said, `requests`.
    pub(crate) sizer: Option<Sizer>,
    /// Whether a client waits where the queue is full; otherwise it is told to come back later.
    pub(crate) block_on_overflow: bool,
    /// Whether a client waits for the backend's answer and gets it.
    pub(crate) wait_for_result: bool,
    /// The extension that keeps the queue on disk.
    pub(crate) storage: Option<ComponentId>,
    /// Joins requests before they are sent, and splits them.
    pub(crate) batch: OptionalBlock<BatchBlock>,
}

/// Options of `sending_queue::batch`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BatchBlock {
    /// A batch is sent so long after its first request, however small it is.
    pub(crate) flush_timeout: Duration,
    /// A batch is sent as soon as it is so large.
    pub(crate) min_size: usize,
    /// A larger one is split; 0: no limit.
    pub(crate) max_size: usize,
    /// What is counted: `items` or `bytes`. Where nothing is said, what the queue was told to count, and else `items`.
    pub(crate) sizer: Option<Sizer>,
    /// What keeps requests apart.
    pub(crate) partition: PartitionBlock,
}

/// Options of `sending_queue::batch::partition`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PartitionBlock {
    /// Requests whose clients sent different values of these are never joined.
    pub(crate) metadata_keys: Vec<String>,
}

/// What a size counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sizer {
    Requests,
    Items,
    Bytes,
}

/// Options of `retry_on_failure`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RetryOnFailure {
    /// Whether to try again at all.
    pub(crate) enabled: bool,
    /// The first wait.
    pub(crate) initial_interval: Duration,
    /// How much waits vary at random, as a share of them.
    pub(crate) randomization_factor: f64,
    /// How much longer each wait is than the one before.
    pub(crate) multiplier: f64,
    /// The longest wait.
    pub(crate) max_interval: Duration,
    /// After this time a request is given up; 0: never. Five minutes where nothing is said, and never for a queue on disk.
    pub(crate) max_elapsed_time: Option<Duration>,
}

/// When a request in memory is given up, where nothing is said.
const MAX_ELAPSED_TIME: Duration = Duration::from_secs(300);

/// A switch that must say something.
fn switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Option::deserialize(deserializer)?.ok_or_else(|| D::Error::custom("expected a boolean, found nothing"))
}

// === impl SendingQueue ===

impl Default for SendingQueue {
    fn default() -> Self {
        Self {
            enabled: true,
            num_consumers: 10,
            queue_size: 1000,
            sizer: None,
            block_on_overflow: false,
            wait_for_result: false,
            storage: None,
            batch: OptionalBlock::default(),
        }
    }
}

impl SendingQueue {
    /// What the size of the queue counts.
    pub(super) fn sizer(&self) -> Sizer {
        self.sizer.unwrap_or(Sizer::Requests)
    }

    /// What the sizes of its batches count.
    pub(super) fn sizer_of(&self, batch: &BatchBlock) -> Sizer {
        batch.sizer.or(self.sizer).unwrap_or(Sizer::Items)
    }

    /// Checks what belongs together, with the Collector's words.
    pub(crate) fn check(&self, section: &Section) -> Result<(), ConfigError> {
        self.check_under(section, "sending_queue::")
    }

    /// The same where the options stand under another path.
    pub(crate) fn check_under(&self, section: &Section, path: &str) -> Result<(), ConfigError> {
        if !self.enabled {
            return Ok(());
        }
        let at = |option: &str| format!("{path}{option}");
        if self.num_consumers == 0 {
            return Err(section.error(&at("num_consumers"), "`num_consumers` must be positive"));
        }
        if self.queue_size == 0 {
            return Err(section.error(&at("queue_size"), "`queue_size` must be positive"));
        }
        if self.storage.is_some() && self.wait_for_result {
            let message = "`wait_for_result` is not supported with a persistent queue configured with `storage`";
            return Err(section.error(&at("wait_for_result"), message));
        }
        let Some(batch) = self.batch.as_ref() else { return Ok(()) };
        let sizer = self.sizer_of(batch);
        if sizer == Sizer::Requests {
            return Err(section.error(&at("batch::sizer"), "`batch` supports only `items` or `bytes` sizer"));
        }
        if batch.flush_timeout.is_zero() || batch.flush_timeout.is_negative() {
            return Err(section.error(&at("batch::flush_timeout"), "`flush_timeout` must be positive"));
        }
        if batch.max_size > 0 && batch.max_size < batch.min_size {
            let message =
                format!("`max_size` ({}) must be greater or equal to `min_size` ({})", batch.max_size, batch.min_size);
            return Err(section.error(&at("batch::max_size"), message));
        }
        if self.sizer() == sizer && batch.min_size > self.queue_size {
            return Err(section.error(&at("batch::min_size"), "`min_size` must be less than or equal to `queue_size`"));
        }
        let keys = &batch.partition.metadata_keys;
        check_keys(section, &at("batch::partition::metadata_keys"), keys)?;
        if self.storage.is_some() && !keys.is_empty() {
            tracing::warn!(
                at = section.path(),
                "`partition` has no effect: a queue on disk does not keep who sent what"
            );
        }
        Ok(())
    }
}

// === impl BatchBlock ===

impl Default for BatchBlock {
    fn default() -> Self {
        Self {
            flush_timeout: Duration::from_millis(200),
            min_size: 8192,
            max_size: 0,
            sizer: None,
            partition: PartitionBlock::default(),
        }
    }
}

// === impl Sizer ===

impl Sizer {
    pub(crate) fn size(self, batch: &spanmill_pipeline::Batch) -> usize {
        match self {
            Self::Requests => 1,
            Self::Items => batch.item_count(),
            Self::Bytes => batch.encoded_len(),
        }
    }
}

// === impl RetryOnFailure ===

impl Default for RetryOnFailure {
    fn default() -> Self {
        Self {
            enabled: true,
            initial_interval: Duration::from_secs(5),
            randomization_factor: 0.5,
            multiplier: 1.5,
            max_interval: Duration::from_secs(30),
            max_elapsed_time: None,
        }
    }
}

impl RetryOnFailure {
    /// When a request is given up, if ever. What is on disk can wait, and is not given up unless someone said so.
    pub(super) fn limit(&self, is_durable: bool) -> Option<std::time::Duration> {
        match self.max_elapsed_time {
            Some(time) => time.positive(),
            None if is_durable => None,
            None => MAX_ELAPSED_TIME.positive(),
        }
    }

    /// Checks the values, with the Collector's words.
    pub(crate) fn check(&self, section: &Section) -> Result<(), ConfigError> {
        self.check_under(section, "retry_on_failure")
    }

    /// The same where the options stand under another path.
    pub(crate) fn check_under(&self, section: &Section, path: &str) -> Result<(), ConfigError> {
        let fail = |option: &str, message: &str| {
            Err(section.error(&format!("{path}::{option}"), format!("'{option}' {message}")))
        };
        // Whether it is on or not, as in the Collector.
        if self.initial_interval.is_negative() {
            return fail("initial_interval", "must be non-negative");
        }
        if !(0.0..=1.0).contains(&self.randomization_factor) {
            return fail("randomization_factor", "must be within [0, 1]");
        }
        if self.multiplier.is_nan() || self.multiplier < 0.0 {
            return fail("multiplier", "must be non-negative");
        }
        if self.max_interval.is_negative() {
            return fail("max_interval", "must be non-negative");
        }
        let max_elapsed_time = self.max_elapsed_time.unwrap_or(MAX_ELAPSED_TIME);
        if max_elapsed_time.is_negative() {
            return fail("max_elapsed_time", "must be non-negative");
        }
        if !max_elapsed_time.is_zero() {
            if max_elapsed_time < self.initial_interval {
                return fail("max_elapsed_time", "must not be less than 'initial_interval'");
            }
            if max_elapsed_time < self.max_interval {
                return fail("max_elapsed_time", "must not be less than 'max_interval'");
            }
        }
        Ok(())
    }
}
