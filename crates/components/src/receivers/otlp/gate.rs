//! What stands before the pipelines: how much is received at a time, and what is not received at all.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use spanmill_pipeline::{Code, ConsumeError, Consumer, Context};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::limits::{Limits, size};
use super::rate::{Tenant, Tenants, TooFast};
use super::refusals::{Reason, Refusals};
use crate::net::body::{BodyError, Meter, Pace};
use crate::net::budget::{Budget, Held};
use crate::net::compression::{Cap, Compression, DecompressError};
use crate::net::serve::Unserved;

/// What both protocols of a receiver share.
#[derive(Clone)]
pub(super) struct Shared {
    budget: Arc<Budget>,
    in_flight: usize,
    requests: Arc<Semaphore>,
    places: Arc<Semaphore>,
    tenants: Option<Arc<Tenants>>,
}

/// The bounds of one protocol.
pub(super) struct Gate {
    shared: Shared,
    refusals: Refusals,
    limits: Limits,
    /// The largest request in bytes.
    largest: usize,
}

/// A request that is being received.
pub(super) struct Admitted<'a> {
    gate: &'a Gate,
    next: Option<&'a dyn Consumer>,
    room: Room,
}

/// What a request holds until it is handed over.
pub(super) struct Room {
    held: Held,
    _request: OwnedSemaphorePermit,
}

/// When clients are asked to try again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A request that has grown to this size is not read on while the pipeline takes nothing. Smaller ones are, so that their items are counted.
const LARGE: usize = 256 << 10;

// === impl Shared ===

impl Shared {
    /// `largest` is the largest request in bytes, of any protocol.
    pub(super) fn new(limits: &Limits, largest: usize) -> Self {
        let in_flight = limits.in_flight(largest);
        Self {
            budget: Arc::new(Budget::new(in_flight)),
            in_flight,
            requests: Arc::new(Semaphore::new(limits.max_concurrent_requests.min(Semaphore::MAX_PERMITS))),
            places: Arc::new(Semaphore::new(limits.connections())),
            tenants: limits.rate.as_ref().map(|rate| Arc::new(Tenants::new(rate, largest))),
        }
    }
}

// === impl Gate ===

impl Gate {
    pub(super) fn new(
        context: &Context<'_>,
        transport: &str,
        limits: &Limits,
        shared: &Shared,
        largest: usize,
    ) -> Self {
        Self { shared: shared.clone(), refusals: Refusals::new(context, transport), limits: limits.clone(), largest }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The largest request in bytes.
    pub(super) fn largest(&self) -> usize {
        self.largest
    }

    /// Bytes of all requests together.
    pub(super) fn in_flight(&self) -> usize {
        self.shared.in_flight
    }

    /// Places for connections.
    pub(super) fn places(&self) -> Arc<Semaphore> {
        Arc::clone(&self.shared.places)
    }

    pub(super) fn pace(&self) -> Pace {
        self.limits.pace()
    }

    pub(super) fn unserved(&self, what: Unserved) {
        self.refusals.count(what.into());
    }

    /// Counts a refusal on its way.
    pub(super) fn refuse(&self, reason: Reason, error: ConsumeError) -> ConsumeError {
        self.refusals.count(reason);
        error
    }

    /// Lets a request in, where need be once another has ended. Of its body nothing has been read yet.
    pub(super) async fn enter<'a>(&'a self, next: Option<&'a dyn Consumer>) -> Result<Admitted<'a>, ConsumeError> {
        let patience = self.limits.max_wait.to_std();
        let request = match Arc::clone(&self.shared.requests).try_acquire_owned() {
            Ok(request) => Some(request),
            Err(_) => {
                let waiting = Arc::clone(&self.shared.requests).acquire_owned();
                timeout(patience, waiting).await.ok().and_then(Result::ok)
            }
        };
        let request =
            request.ok_or_else(|| self.refuse(Reason::Requests, later("too many requests at the same time")))?;
        let room = Room { held: Held::nothing(&self.shared.budget, patience), _request: request };
        Ok(Admitted { gate: self, next, room })
    }

    /// The tenant that a request counts for, where there are limits for tenants.
    pub(super) fn tenant(&self, headers: &HeaderMap) -> Result<Option<Arc<Tenant>>, ConsumeError> {
        let tenant = self.shared.tenants.as_ref().map(|tenants| tenants.of(headers)).transpose();
        tenant.map_err(|header| self.malformed(format!("several {header} headers: for whom is it?")))
    }

    /// Counts a request of so many spans and bytes for its tenant.
    pub(super) fn charge(&self, tenant: Option<&Tenant>, spans: usize, bytes: usize) -> Result<(), ConsumeError> {
        let Some(Err(too_fast)) = tenant.map(|tenant| tenant.charge(spans, bytes)) else { return Ok(()) };
        let error = match too_fast {
            TooFast::Wait(delay) => ConsumeError::retryable("more than this tenant may send").with_retry_after(delay),
            TooFast::Never { what, most } => {
                ConsumeError::permanent(format!("more than the {most} {what} that a tenant may send at once"))
            }
        };
        Err(self.refuse(Reason::Rate, error.with_code(Code::ResourceExhausted)))
    }

    /// What a body that could not be read is answered.
    pub(super) fn body_error(&self, error: BodyError) -> ConsumeError {
        match error {
            BodyError::TooLarge(_) => self.refuse(Reason::Size, too_large(error.to_string())),
            BodyError::Slow => {
                let error = ConsumeError::retryable(error.to_string()).with_code(Code::DeadlineExceeded);
                self.refuse(Reason::SlowBody, error.with_retry_after(RETRY_AFTER))
            }
            // It was counted when it was refused.
            BodyError::Refused(error) => error,
            BodyError::Broken(_) => {
                let error = ConsumeError::permanent(error.to_string()).with_code(Code::Cancelled);
                self.refuse(Reason::BrokenBody, error)
            }
        }
    }

    /// What a request is answered that cannot be understood.
    pub(super) fn malformed(&self, message: String) -> ConsumeError {
        self.refuse(Reason::Malformed, ConsumeError::permanent(message).with_code(Code::InvalidArgument))
    }

    /// Refuses headers that are too large. HTTP/2 has counted them already.
    pub(super) fn check_headers(&self, headers: &HeaderMap) -> Result<(), ConsumeError> {
        let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if bytes <= size(self.limits.max_header_bytes) {
            return Ok(());
        }
        Err(self.refuse(Reason::HeaderSize, too_large(format!("headers of {bytes} bytes are too large"))))
    }
}

/// Refused because of others, for a moment.
pub(super) fn later(message: impl Into<Arc<str>>) -> ConsumeError {
    ConsumeError::retryable(message).with_retry_after(RETRY_AFTER)
}

/// Refused for good: it will be no smaller the next time.
pub(super) fn too_large(message: String) -> ConsumeError {
    ConsumeError::permanent(message).with_code(Code::ResourceExhausted)
}

// === impl Admitted ===

impl Admitted<'_> {
    /// The decompressed request. Until the end both forms are there.
    pub(super) fn decompress(&mut self, compression: Compression, body: Bytes) -> Result<Bytes, ConsumeError> {
        if compression == Compression::None {
            return Ok(body);
        }
        let cap = Cap { bytes: self.gate.largest, ratio: self.gate.limits.max_decompression_ratio };
        let whole = compression.decompress(&body, cap, &mut |more| self.hold_now(body.len() + more));
        let whole = whole.map_err(|error| match error {
            DecompressError::TooLarge(_) => self.gate.refuse(Reason::Size, too_large(error.to_string())),
            DecompressError::Ratio(_) => self.gate.refuse(Reason::DecompressionRatio, too_large(error.to_string())),
            DecompressError::Refused(error) => error,
            DecompressError::Invalid { .. } => self.gate.malformed(error.to_string()),
        })?;
        drop(body);
        self.room.held.lower(whole.len());
        Ok(whole)
    }

    /// Holds so many bytes from now on, if there is room at once: it is asked in the middle of work that cannot wait.
    pub(super) fn hold_now(&mut self, bytes: usize) -> Result<(), ConsumeError> {
        self.is_wanted(bytes)?;
        self.room.held.try_raise(bytes).map_err(|_| self.full())
    }

    /// Holds only so many bytes from now on.
    pub(super) fn lower(&mut self, bytes: usize) {
        self.room.held.lower(bytes);
    }

    /// What is held until the request is handed over.
    pub(super) fn into_room(self) -> Room {
        self.room
    }

    fn is_wanted(&self, bytes: usize) -> Result<(), ConsumeError> {
        match self.next.filter(|_| bytes > LARGE) {
            Some(next) => next.ready().map_err(|error| self.gate.refuse(Reason::Pipeline, error)),
            None => Ok(()),
        }
    }

    fn full(&self) -> ConsumeError {
        self.gate.refuse(Reason::InFlightBytes, later("too many bytes are being received at the same time"))
    }
}

impl Meter for Admitted<'_> {
    async fn hold(&mut self, bytes: usize) -> Result<(), ConsumeError> {
        self.is_wanted(bytes)?;
        self.room.held.raise(bytes).await.map_err(|_| self.full())
    }
}
