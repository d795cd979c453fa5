//! Why requests are refused before a pipeline sees them, counted.

use std::sync::OnceLock;

use prometheus::IntCounter;
use spanmill_pipeline::{Context, Telemetry};

use crate::net::serve::Unserved;

/// What a request, or a connection, came up against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// There are too many connections.
    Connections,
    /// There are too many requests.
    Requests,
    /// All requests together are too large.
    InFlightBytes,
    /// The pipeline takes nothing for now.
    Pipeline,
    /// Headers came too slowly.
    SlowHeader,
    /// A body came too slowly.
    SlowBody,
    /// A body ended early, or is none.
    BrokenBody,
    /// Headers are too large.
    HeaderSize,
    /// What came is no HTTP, or not allowed in it.
    Protocol,
    /// Requests were given up, one after the other.
    GivenUp,
    /// The request is too large.
    Size,
    /// It would become too large.
    DecompressionRatio,
    /// It cannot be understood.
    Malformed,
    /// It has too many attributes, or too large ones.
    Attributes,
    /// Its tenant sends too much.
    Rate,
    /// It took too long.
    Timeout,
    /// Too many credentials are being verified.
    Unverified,
}

/// Counts refusals of one protocol of a receiver.
pub(super) struct Refusals {
    telemetry: Telemetry,
    receiver: String,
    transport: String,
    /// Made when first used: most never are.
    counters: [OnceLock<IntCounter>; REASONS],
}

const REASONS: usize = Reason::Unverified as usize + 1;

// === impl Reason ===

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Requests => "requests",
            Self::InFlightBytes => "in_flight_bytes",
            Self::Pipeline => "pipeline",
            Self::SlowHeader => "slow_header",
            Self::SlowBody => "slow_body",
            Self::BrokenBody => "broken_body",
            Self::HeaderSize => "header_size",
            Self::Protocol => "protocol",
            Self::GivenUp => "given_up",
            Self::Size => "size",
            Self::DecompressionRatio => "decompression_ratio",
            Self::Malformed => "malformed",
            Self::Attributes => "attributes",
            Self::Rate => "rate",
            Self::Timeout => "timeout",
            Self::Unverified => "unverified",
        }
    }
}

impl From<Unserved> for Reason {
    fn from(unserved: Unserved) -> Self {
        match unserved {
            Unserved::Connections => Self::Connections,
            Unserved::SlowHead => Self::SlowHeader,
            Unserved::GivenUp => Self::GivenUp,
            Unserved::Protocol => Self::Protocol,
        }
    }
}

// === impl Refusals ===

impl Refusals {
    pub(super) fn new(context: &Context<'_>, transport: &str) -> Self {
        Self {
            telemetry: context.telemetry.clone(),
            receiver: context.id.to_string(),
            transport: transport.to_owned(),
            counters: [const { OnceLock::new() }; REASONS],
        }
    }

    pub(super) fn count(&self, reason: Reason) {
        let make = || {
            let help = "Number of requests and connections that were refused before a pipeline saw them.";
            let labels = [("receiver", &*self.receiver), ("transport", &*self.transport), ("reason", reason.as_str())];
            self.telemetry.counter("spanmill_receiver_limited_requests", help, &labels)
        };
        if let Some(counter) = self.counters.get(reason as usize) {
            counter.get_or_init(make).inc();
        }
    }
}
