//! Options of `limits`: what a receiver takes upon itself, and what it does not.

use rustix::process::{Resource, getrlimit};
use serde::Deserialize;
use spanmill_config::{ByteSize, ConfigError, Duration, OptionalBlock, Section};

use crate::memory::total_memory;
use crate::net::body::Pace;

/// Options of `limits`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    /// Bytes of all requests that are being received or handed over; 0: a quarter of memory, at most 512 MiB.
    pub(super) max_in_flight_bytes: ByteSize,
    /// Requests that are being received or handed over.
    pub(super) max_concurrent_requests: usize,
    /// Connections; 0: three quarters of the files that the process may open.
    pub(super) max_connections: usize,
    /// How long a request waits for others to end before it is refused.
    pub(super) max_wait: Duration,
    /// How long nothing may come of a body, and how far it may fall behind.
    pub(super) max_body_silence: Duration,
    /// Bytes a second that must come of a body; 0: any number.
    pub(super) min_body_rate: ByteSize,
    /// Names and values of the headers of a request, together.
    pub(super) max_header_bytes: ByteSize,
    /// How many headers a request may have over HTTP/1.
    pub(super) max_headers: usize,
    /// How many times its size a body of more than 16 MiB may become when it is decompressed; 0: any number.
    pub(super) max_decompression_ratio: usize,
    /// How deep values of attributes may be nested.
    pub(super) max_depth: u32,
    /// Spans of one request.
    pub(super) max_spans: usize,
    /// How many more requests than were answered a client may give up on one connection; 0: any number.
    pub(super) max_given_up: usize,
    /// What spans may hold.
    pub(super) attributes: OptionalBlock<Attributes>,
    /// How much each tenant may send.
    pub(super) rate: OptionalBlock<Rate>,
}

/// Options of `limits::attributes`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Attributes {
    /// Attributes of a span, a scope or a resource; 0: any number.
    pub(super) max_count: usize,
    /// Size of the value of an attribute; 0: any.
    pub(super) max_value_bytes: ByteSize,
    /// What happens to more.
    pub(super) policy: Policy,
}

/// What happens to what is too much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Policy {
    /// The request is refused.
    #[default]
    Refuse,
    /// It is cut, and marked.
    Truncate,
}

/// Options of `limits::rate`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rate {
    /// The header that names the tenant; empty: all are one.
    pub(super) header: String,
    /// Spans a second; 0: any number.
    pub(super) spans_per_second: u32,
    /// Spans at once; 0: ten seconds' worth, at least 65,536.
    pub(super) spans_burst: u32,
    /// Bytes of decompressed requests a second; 0: any number.
    pub(super) bytes_per_second: ByteSize,
    /// Bytes at once; 0: ten seconds' worth, at least the largest request.
    pub(super) bytes_burst: ByteSize,
    /// How many tenants are told apart. Further ones share what one has.
    pub(super) max_tenants: usize,
}

const MIB: usize = 1 << 20;

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_in_flight_bytes: ByteSize::default(),
            max_concurrent_requests: 10_000,
            max_connections: 0,
            max_wait: Duration::from_millis(500),
            max_body_silence: Duration::from_secs(30),
            min_body_rate: ByteSize::from_bytes(1024),
            max_header_bytes: ByteSize::from_bytes(64 << 10),
            max_headers: 100,
            max_decompression_ratio: 250,
            max_depth: spanmill_otlp::Limits::default().max_depth,
            max_spans: spanmill_otlp::Limits::default().max_spans,
            max_given_up: 1000,
            attributes: OptionalBlock::Off,
            rate: OptionalBlock::Off,
        }
    }
}

impl Limits {
    /// `largest` is the largest request in bytes.
    pub(super) fn check(&self, section: &Section, largest: usize) -> Result<(), ConfigError> {
        let in_flight = size(self.max_in_flight_bytes);
        let header = self.rate.as_ref().map_or("", |rate| rate.header.as_str());
        let burst = self.rate.as_ref().map_or(0, |rate| rate.bytes_burst.bytes().max(rate.bytes_per_second.bytes()));
        let checks = [
            (
                in_flight > 0 && in_flight < largest,
                "max_in_flight_bytes",
                "must be at least the size of the largest request",
            ),
            (self.max_concurrent_requests == 0, "max_concurrent_requests", "must be greater than zero"),
            (self.max_body_silence.positive().is_none(), "max_body_silence", "must be greater than zero"),
            (self.max_wait.is_negative(), "max_wait", "must not be negative"),
            (
                !(1024..=16 << 20).contains(&self.max_header_bytes.bytes()),
                "max_header_bytes",
                "must be between 1KiB and 16MiB",
            ),
            (!(1..=10_000).contains(&self.max_headers), "max_headers", "must be between 1 and 10000"),
            (!(1..=1024).contains(&self.max_depth), "max_depth", "must be between 1 and 1024"),
            (self.max_spans == 0, "max_spans", "must be greater than zero"),
            (
                http::HeaderName::from_bytes(header.as_bytes()).is_err() && !header.is_empty(),
                "rate::header",
                "is not the name of a header",
            ),
            (burst > u64::from(u32::MAX), "rate::bytes_burst", "must be less than 4GiB"),
            (
                self.rate.as_ref().is_some_and(|rate| rate.max_tenants == 0),
                "rate::max_tenants",
                "must be greater than zero",
            ),
        ];
        match checks.into_iter().find(|(wrong, ..)| *wrong) {
            Some((_, option, message)) => Err(section.error(&format!("limits::{option}"), message)),
            None => Ok(()),
        }
    }

    /// Bytes in flight. As long as nobody says otherwise, two of the largest requests have room: one as it came and decompressed.
    pub(super) fn in_flight(&self, largest: usize) -> usize {
        match size(self.max_in_flight_bytes) {
            0 => {
                let share = total_memory().map_or(usize::MAX, |bytes| usize::try_from(bytes / 4).unwrap_or(usize::MAX));
                share.min(512 * MIB).max(largest.saturating_mul(2))
            }
            bytes => bytes,
        }
    }

    /// Connections at a time.
    pub(super) fn connections(&self) -> usize {
        match self.max_connections {
            0 => {
                let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
                usize::try_from(files / 4 * 3).unwrap_or(usize::MAX).min(tokio::sync::Semaphore::MAX_PERMITS)
            }
            count => count.min(tokio::sync::Semaphore::MAX_PERMITS),
        }
    }

    pub(super) fn pace(&self) -> Pace {
        Pace { silence: self.max_body_silence.to_std(), rate: self.min_body_rate.bytes() }
    }

    pub(super) fn header_bytes(&self) -> u32 {
        u32::try_from(self.max_header_bytes.bytes()).unwrap_or(u32::MAX)
    }
}

// === impl Rate ===

impl Default for Rate {
    fn default() -> Self {
        Self {
            header: String::new(),
            spans_per_second: 0,
            spans_burst: 0,
            bytes_per_second: ByteSize::default(),
            bytes_burst: ByteSize::default(),
            max_tenants: 10_000,
        }
    }
}

/// As a length in memory.
pub(super) fn size(bytes: ByteSize) -> usize {
    usize::try_from(bytes.bytes()).unwrap_or(usize::MAX)
}
