//! `memory_limiter`: refuses requests for a while, before the process runs out of memory.

mod config;
mod limiter;
mod memory;
mod metrics;
mod state;

#[cfg(test)]
mod tests;

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
use state::State;

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

/// What is taken for granted of a large request each time that it asks whether to come on.
const PIECE: u64 = 256 << 10;

struct MemoryLimiter<M> {
    /// Until it starts.
    limiter: Mutex<Option<Limiter<M>>>,
    check_interval: Duration,
    memory: M,
    state: Arc<State>,
    checking: Mutex<JoinSet<()>>,
    metrics: Metrics,
    next: Arc<dyn Consumer>,
}

fn create(context: Context<'_>, signal: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    Ok(Arc::new(MemoryLimiter::new(context, signal, next, Process)?))
}

// === impl MemoryLimiter ===

impl<M: Memory + Clone + Sync + 'static> MemoryLimiter<M> {
    fn new(context: Context<'_>, signal: Signal, next: Arc<dyn Consumer>, memory: M) -> Result<Self, ConfigError> {
        let config = Config::read(context.section)?;
        let limits = config.limits(context.section)?;
        let limiter = Limiter::new(limits, config.intervals(), memory.clone(), Instant::now());
        Ok(Self {
            limiter: Mutex::new(Some(limiter)),
            check_interval: config.check_interval.to_std(),
            state: Arc::new(State::new(limits.soft, memory.used())),
            memory,
            checking: Mutex::default(),
            metrics: Metrics::new(&context, signal),
            next,
        })
    }

    /// Whether so many bytes more are too much.
    fn refuses(&self, bytes: u64) -> Result<(), ConsumeError> {
        if self.state.refuses(bytes, || self.memory.used()) {
            return Err(ConsumeError::retryable("data refused due to high memory usage"));
        }
        Ok(())
    }
}

#[async_trait]
impl<M: Memory + Clone + Sync + 'static> Component for MemoryLimiter<M> {
    async fn start(&self, _host: &Host) -> Result<(), ComponentError> {
        let limiter = self.limiter.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(limiter) = limiter {
            let checking = check(limiter, self.check_interval, Arc::clone(&self.state));
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
impl<M: Memory + Clone + Sync + 'static> Consumer for MemoryLimiter<M> {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let items = batch.item_count() as u64;
        if let Err(error) = self.refuses(batch.encoded_len() as u64) {
            self.metrics.refused.inc_by(items);
            return Err(error);
        }
        // Counted whatever the next component says: as the Collector does.
        self.metrics.accepted.inc_by(items);
        self.next.consume(batch).await
    }

    fn ready(&self) -> Result<(), ConsumeError> {
        self.refuses(PIECE)
    }
}

async fn check<M: Memory + 'static>(mut limiter: Limiter<M>, every: Duration, state: Arc<State>) {
    let mut ticks = interval_at(tokio::time::Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = state.hurry() => {}
        }
        // Giving memory back takes its time, which other tasks should not wait for.
        let checked = spawn_blocking(move || {
            let refuse = limiter.check(Instant::now());
            (limiter, refuse)
        });
        let Ok((back, refuse)) = checked.await else { return };
        limiter = back;
        state.decide(refuse, limiter.last_used());
    }
}
