use tokio::time::Instant;

/// A bucket of tokens that fills at a rate: what Go's `golang.org/x/time/rate` calls a limiter.
#[derive(Debug)]
pub(in super::super) struct Bucket {
    per_second: f64,
    capacity: i64,
    tokens: f64,
    /// When it was last taken from; before that it is full.
    last: Option<Instant>,
}

// === impl Bucket ===

impl Bucket {
    /// A full bucket.
    pub(super) fn new(per_second: i64, capacity: i64) -> Self {
        Self { per_second: per_second as f64, capacity, tokens: capacity as f64, last: None }
    }

    /// Takes so many tokens, all or none.
    pub(super) fn take(&mut self, wanted: u64) -> bool {
        let now = Instant::now();
        let elapsed = self.last.map_or(0.0, |last| now.duration_since(last).as_secs_f64());
        let full = self.capacity as f64;
        let tokens = (self.tokens + elapsed * self.per_second.max(0.0)).min(full) - wanted as f64;
        let fits = i64::try_from(wanted).is_ok_and(|wanted| wanted <= self.capacity);
        // What is less than a nanosecond away counts as there.
        let there = tokens >= 0.0 || (self.per_second > 0.0 && -tokens / self.per_second * 1e9 < 1.0);
        if fits && there {
            (self.tokens, self.last) = (tokens, Some(now));
        }
        fits && there
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    /// Scenario: a bucket is emptied, waits, and is asked for more than it can ever hold.
    /// Guarantees: a burst passes up to the capacity, then the rate holds; refusals take nothing.
    #[tokio::test(start_paused = true)]
    async fn bursts_and_rate() {
        let mut bucket = Bucket::new(10, 20);
        assert!(!bucket.take(21));
        assert!(bucket.take(20));
        assert!(!bucket.take(1));
        advance(Duration::from_millis(100)).await;
        assert!(!bucket.take(2));
        assert!(bucket.take(1));
        advance(Duration::from_secs(60)).await;
        assert!(bucket.take(15));
        assert!(bucket.take(5));
        assert!(!bucket.take(1));
        assert!(!Bucket::new(0, 0).take(1));
        assert!(!Bucket::new(-5, -10).take(1));
        assert!(Bucket::new(0, 3).take(3));
    }
}
