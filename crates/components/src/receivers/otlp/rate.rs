//! How much each tenant may send.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use http::{HeaderMap, HeaderName};
use lru::LruCache;

use super::limits::Rate;
use crate::net::header::{Several, only};

/// The tenants that were seen, and what each may send.
pub(super) struct Tenants {
    header: Option<HeaderName>,
    spans: Option<Quota>,
    bytes: Option<Quota>,
    known: Mutex<LruCache<Box<[u8]>, Known>>,
    most: usize,
    /// After so long without a request a tenant has its whole burst again, and may be forgotten.
    refilled: Duration,
    /// What those share that there was no room for.
    others: Arc<Tenant>,
}

struct Known {
    tenant: Arc<Tenant>,
    seen: Instant,
}

/// What one tenant may send.
pub(super) struct Tenant {
    spans: Option<DefaultDirectRateLimiter>,
    bytes: Option<DefaultDirectRateLimiter>,
}

/// A tenant has sent too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TooFast {
    /// It may try again after this time.
    Wait(Duration),
    /// One request is more than can ever be sent at once.
    Never { what: &'static str, most: u32 },
}

/// Names of tenants are told apart by that many bytes.
const LONGEST_NAME: usize = 256;

/// The largest batch that is common has 8,192 spans.
const LEAST_SPANS_BURST: u32 = 65_536;

// === impl Tenants ===

impl Tenants {
    /// `largest` is the largest request in bytes.
    pub(super) fn new(rate: &Rate, largest: usize) -> Self {
        let most_bytes = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX);
        let bytes_per_second = most_bytes(rate.bytes_per_second.bytes());
        let (spans, spans_refilled) = quota(rate.spans_per_second, rate.spans_burst, LEAST_SPANS_BURST);
        let (bytes, bytes_refilled) =
            quota(bytes_per_second, most_bytes(rate.bytes_burst.bytes()), most_bytes(largest as u64));
        Self {
            // Checked when the configuration was read.
            header: HeaderName::from_bytes(rate.header.as_bytes()).ok(),
            spans,
            bytes,
            known: Mutex::new(LruCache::unbounded()),
            most: rate.max_tenants,
            refilled: spans_refilled.max(bytes_refilled),
            others: Arc::new(Tenant::new(spans, bytes)),
        }
    }

    /// Who sends a request, by its headers; fails with the name of the header where there are several: a limit could be had with
    /// each.
    pub(super) fn of(&self, headers: &HeaderMap) -> Result<Arc<Tenant>, &HeaderName> {
        let name = match &self.header {
            None => None,
            Some(header) => only(headers, header).map_err(|Several(header)| header)?,
        };
        let name = name.map_or(&[][..], |value| value.as_bytes());
        let name = name.get(..LONGEST_NAME).unwrap_or(name);
        let seen = Instant::now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get_mut(name) {
            found.seen = seen;
            return Ok(Arc::clone(&found.tenant));
        }
        if known.len() >= self.most {
            if known.peek_lru().is_some_and(|(_, last)| seen - last.seen < self.refilled) {
                return Ok(Arc::clone(&self.others));
            }
            known.pop_lru();
        }
        let tenant = Arc::new(Tenant::new(self.spans, self.bytes));
        known.put(name.into(), Known { tenant: Arc::clone(&tenant), seen });
        Ok(tenant)
    }
}

/// So much a second, and how long it takes until a whole burst is there again.
fn quota(rate: u32, burst: u32, least: u32) -> (Option<Quota>, Duration) {
    let Some(rate) = NonZeroU32::new(rate) else { return (None, Duration::ZERO) };
    let burst = NonZeroU32::new(burst)
        .or_else(|| NonZeroU32::new(rate.get().saturating_mul(10).max(least)))
        .unwrap_or(NonZeroU32::MAX);
    let refilled = Duration::from_secs_f64(f64::from(burst.get()) / f64::from(rate.get()));
    (Some(Quota::per_second(rate).allow_burst(burst)), refilled)
}

// === impl Tenant ===

impl Tenant {
    fn new(spans: Option<Quota>, bytes: Option<Quota>) -> Self {
        Self { spans: spans.map(RateLimiter::direct), bytes: bytes.map(RateLimiter::direct) }
    }

    /// Counts a request of so many spans and bytes, if it may be sent now.
    pub(super) fn charge(&self, spans: usize, bytes: usize) -> Result<(), TooFast> {
        charge(self.spans.as_ref(), spans, "spans")?;
        charge(self.bytes.as_ref(), bytes, "bytes")
    }
}

fn charge(limiter: Option<&DefaultDirectRateLimiter>, count: usize, what: &'static str) -> Result<(), TooFast> {
    let Some((limiter, count)) = limiter.zip(NonZeroU32::new(u32::try_from(count).unwrap_or(u32::MAX))) else {
        return Ok(());
    };
    match limiter.check_n(count) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(early)) => Err(TooFast::Wait(early.wait_time_from(DefaultClock::default().now()))),
        Err(beyond) => Err(TooFast::Never { what, most: beyond.0 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(tenant: &str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static("x-tenant"), tenant.parse().unwrap())])
    }

    fn rate() -> Rate {
        Rate { header: "X-Tenant".into(), spans_per_second: 10, spans_burst: 100, max_tenants: 2, ..Rate::default() }
    }

    /// Scenario: a tenant sends its whole burst, a little more, and more than fits in a burst; another one sends as well.
    /// Guarantees: each has a burst of its own; too much is told when to come again, what can never pass that it cannot.
    #[test]
    fn each_has_its_own() {
        let tenants = Tenants::new(&rate(), 1000);
        let (one, two) = (tenants.of(&headers("one")).unwrap(), tenants.of(&headers("two")).unwrap());
        assert_eq!(one.charge(100, 1), Ok(()));
        let Err(TooFast::Wait(delay)) = tenants.of(&headers("one")).unwrap().charge(10, 1) else { panic!("too fast") };
        assert!((Duration::from_millis(500)..=Duration::from_secs(1)).contains(&delay), "{delay:?}");
        assert_eq!(one.charge(101, 1), Err(TooFast::Never { what: "spans", most: 100 }));
        assert_eq!(two.charge(100, usize::MAX), Ok(()));
    }

    /// Scenario: more tenants than there is room for; the first ones have sent a moment ago.
    /// Guarantees: nobody is forgotten before its burst is there again; the others share one.
    #[test]
    fn names_do_not_pile_up() {
        let tenants = Tenants::new(&rate(), 1000);
        let [one, _two, three, four] = ["one", "two", "three", "four"].map(|name| tenants.of(&headers(name)).unwrap());
        assert!(Arc::ptr_eq(&three, &four) && !Arc::ptr_eq(&one, &three));
        assert!(Arc::ptr_eq(&one, &tenants.of(&headers("one")).unwrap()));
    }

    /// Scenario: no bursts are set.
    /// Guarantees: a batch of a common size and the largest request pass whatever the rate is.
    #[test]
    fn bursts_have_a_least_size() {
        let rate = Rate { spans_per_second: 1, bytes_per_second: "1B".parse().unwrap(), ..Rate::default() };
        assert_eq!(Tenants::new(&rate, 1 << 26).of(&HeaderMap::new()).unwrap().charge(8192, 1 << 26), Ok(()));
    }

    /// Scenario: a request with two headers of a tenant.
    /// Guarantees: it counts for neither, and the header is named.
    #[test]
    fn several_headers() {
        let mut both = headers("one");
        both.append("x-tenant", http::HeaderValue::from_static("two"));
        let tenants = Tenants::new(&rate(), 1000);
        assert_eq!(tenants.of(&both).err().map(HeaderName::as_str), Some("x-tenant"));
    }
}
