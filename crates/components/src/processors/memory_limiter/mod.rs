//! `memory_limiter`: refuses requests for a while, before the process runs out of memory.

mod config;
mod limiter;
mod memory;
mod metrics;
mod total;

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use spanmill_config::ConfigError;
use spanmill_pipeline::{
    Batch, Component, ComponentError, ConsumeError, Consumer, Context, Host, Kind, Node, ProcessorFactory, Signal,
    Stability,
};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval_at};

use config::Config;
use limiter::Limiter;
use memory::{Memory, Process};
use metrics::Metrics;

/// Makes `memory_limiter` processors.
pub const FACTORY: ProcessorFactory = ProcessorFactory {
    kind: Kind {
        name: "memory_limiter",
        aliases: &[],
        stability: Stability::Beta,
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
    },
    create,
};

struct MemoryLimiter<M> {
    /// Until it starts.
    limiter: Mutex<Option<Limiter<M>>>,
    check_interval: Duration,
    refusing: Arc<AtomicBool>,
    checking: Mutex<JoinSet<()>>,
    metrics: Metrics,
    next: Arc<dyn Consumer>,
}

fn create(context: Context<'_>, signal: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    Ok(Arc::new(MemoryLimiter::new(context, signal, next, Process)?))
}

// === impl MemoryLimiter ===

impl<M: Memory + 'static> MemoryLimiter<M> {
    fn new(context: Context<'_>, signal: Signal, next: Arc<dyn Consumer>, memory: M) -> Result<Self, ConfigError> {
        let config = Config::read(context.section)?;
        let limiter = Limiter::new(config.limits(context.section)?, config.intervals(), memory, Instant::now());
        Ok(Self {
            limiter: Mutex::new(Some(limiter)),
            check_interval: config.check_interval.to_std(),
            refusing: Arc::default(),
            checking: Mutex::default(),
            metrics: Metrics::new(&context, signal),
            next,
        })
    }
}

#[async_trait]
impl<M: Memory + 'static> Component for MemoryLimiter<M> {
    async fn start(&self, _host: &Host) -> Result<(), ComponentError> {
        let limiter = self.limiter.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(limiter) = limiter {
            let checking = check(limiter, self.check_interval, Arc::clone(&self.refusing));
            self.checking.lock().unwrap_or_else(PoisonError::into_inner).spawn(checking);
        }
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        self.checking.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
        Ok(())
    }
}

#[async_trait]
impl<M: Memory + 'static> Consumer for MemoryLimiter<M> {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let items = batch.item_count() as u64;
        if self.refusing.load(Ordering::Relaxed) {
            self.metrics.refused.inc_by(items);
            return Err(ConsumeError::retryable("data refused due to high memory usage"));
        }
        // Counted whatever the next component says: as the Collector does.
        self.metrics.accepted.inc_by(items);
        self.next.consume(batch).await
    }
}

async fn check<M: Memory + 'static>(mut limiter: Limiter<M>, every: Duration, refusing: Arc<AtomicBool>) {
    let mut ticks = interval_at(tokio::time::Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Giving memory back takes its time, which other tasks should not wait for.
        let checked = spawn_blocking(move || {
            let refuse = limiter.check(Instant::now());
            (limiter, refuse)
        });
        let Ok((back, refuse)) = checked.await else { return };
        limiter = back;
        refusing.store(refuse, Ordering::Relaxed);
    }
}
