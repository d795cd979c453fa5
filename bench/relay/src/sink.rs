//! The end of the way: counts spans and keeps the last request for inspection.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use spanmill_bench_kit::BenchError;
use spanmill_otlp::Traces;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::{Response, Status};

use crate::raw::serve;

/// A running sink; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Sink {
    pub(crate) port: u16,
    seen: Arc<Seen>,
    serving: JoinHandle<Result<(), BenchError>>,
}

#[derive(Debug, Default)]
struct Seen {
    spans: AtomicU64,
    last: Mutex<Bytes>,
}

// === impl Sink ===

impl Sink {
    pub(crate) async fn start() -> Result<Self, BenchError> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(BenchError::io("binding the sink's port"))?;
        let port = listener.local_addr().map_err(BenchError::io("asking for the sink's port"))?.port();
        let seen = Arc::new(Seen::default());
        let counting = Arc::clone(&seen);
        let serving = tokio::spawn(serve(listener, move |bytes: Bytes| {
            let counted = counting.take(bytes);
            async move { counted.map(|()| Response::new(Bytes::new())) }
        }));
        Ok(Self { port, seen, serving })
    }

    /// Spans that have arrived.
    pub(crate) fn spans(&self) -> u64 {
        self.seen.spans.load(Ordering::Acquire)
    }

    /// The last request that has arrived.
    pub(crate) fn last(&self) -> Bytes {
        self.seen.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until so many spans have arrived in all, or until nothing more has come for some seconds. Says how many there are.
    pub(crate) async fn wait_for(&self, spans: u64) -> u64 {
        const STILL: Duration = Duration::from_secs(10);
        let (mut before, mut since) = (self.spans(), Instant::now());
        loop {
            let now = self.spans();
            if now >= spans || since.elapsed() > STILL {
                return now;
            }
            if now != before {
                (before, since) = (now, Instant::now());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

// === impl Seen ===

impl Seen {
    fn take(&self, bytes: Bytes) -> Result<(), Status> {
        let traces = Traces::parse(bytes.clone()).map_err(|error| Status::invalid_argument(error.to_string()))?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
        let spans = u64::try_from(traces.span_count()).unwrap_or(u64::MAX);
        self.spans.fetch_add(spans, Ordering::AcqRel);
        Ok(())
    }
}
