//! `resource_detection`: puts into resources what can be found out about where this runs.

mod config;
mod detected;
mod docker;
mod env;
mod system;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use backon::{BackoffBuilder, ExponentialBuilder};
use spanmill_config::ConfigError;
use spanmill_pipeline::{
    Batch, Component, ComponentError, ConsumeError, Consumer, Context, Host, Kind, Node, ProcessorFactory, Signal,
    Stability,
};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};

use crate::records::refusal;
use config::{Config, ELSEWHERE};
use detected::Detected;

/// Makes `resource_detection` processors, once called `resourcedetection`.
pub const FACTORY: ProcessorFactory = ProcessorFactory {
    kind: Kind {
        name: "resource_detection",
        aliases: &["resourcedetection"],
        stability: Stability::Beta,
        signals: &[Signal::Traces, Signal::Metrics, Signal::Logs],
    },
    create,
};

struct ResourceDetection {
    config: Arc<Config>,
    found: Arc<RwLock<Arc<Detected>>>,
    refreshing: Mutex<JoinSet<()>>,
    next: Arc<dyn Consumer>,
}

fn create(context: Context<'_>, _: Signal, next: Arc<dyn Consumer>) -> Result<Arc<dyn Node>, ConfigError> {
    let config = Config::read(context.section)?;
    let elsewhere: Vec<&String> = config.detectors.iter().filter(|name| ELSEWHERE.contains(&name.as_str())).collect();
    if !elsewhere.is_empty() {
        tracing::warn!(processor = %context.id, detectors = ?elsewhere, "these detectors are not supported and find nothing");
    }
    let (config, found) = (Arc::new(config), Arc::default());
    Ok(Arc::new(ResourceDetection { config, found, refreshing: Mutex::default(), next }))
}

// === impl ResourceDetection ===

#[async_trait]
impl Component for ResourceDetection {
    async fn start(&self, _host: &Host) -> Result<(), ComponentError> {
        let found = self.config.detect().await.map_err(ComponentError::Other)?;
        tracing::info!(resource = ?found.texts(), "detected resource information");
        *self.found.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(found);
        if let Some(interval) = self.config.refresh_interval.positive() {
            let refreshing = refresh(Arc::clone(&self.config), Arc::clone(&self.found), interval);
            self.refreshing.lock().unwrap_or_else(PoisonError::into_inner).spawn(refreshing);
        }
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        self.refreshing.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
        Ok(())
    }
}

#[async_trait]
impl Consumer for ResourceDetection {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let found = Arc::clone(&self.found.read().unwrap_or_else(PoisonError::into_inner));
        if found.is_empty() {
            return self.next.consume(batch).await;
        }
        let replaces = self.config.replaces;
        let batch = match batch {
            Batch::Traces(mut traces) => {
                found.put_into_traces(&mut traces, replaces);
                traces.into()
            }
            Batch::Opaque(opaque) => found.put_into_opaque(&opaque, replaces).map_err(refusal)?.into(),
        };
        self.next.consume(batch).await
    }
}

async fn refresh(config: Arc<Config>, found: Arc<RwLock<Arc<Detected>>>, interval: Duration) {
    loop {
        sleep(interval).await;
        match config.detect().await {
            Ok(now) => *found.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(now),
            Err(error) => tracing::warn!(error, "resource refresh failed, keeping what was found before"),
        }
    }
}

// === impl Config ===

impl Config {
    /// Asks all detectors. Of two that find the same attribute the earlier counts.
    async fn detect(&self) -> Result<Detected, String> {
        let limit = self.retry.max_elapsed_time.positive().or(self.timeout.positive());
        let asked = futures_util::future::try_join_all(self.detectors.iter().map(|name| self.ask_again(name)));
        let all = match limit {
            None => asked.await,
            Some(limit) => timeout(limit, asked).await.map_err(|_| format!("no resource detected within {limit:?}"))?,
        };
        let mut found = Detected::default();
        all?.into_iter().for_each(|one| found.add(one));
        Ok(found)
    }

    async fn ask_again(&self, detector: &str) -> Result<Detected, String> {
        let mut waits = ExponentialBuilder::default()
            .with_min_delay(self.retry.initial_interval.to_std())
            .with_max_delay(self.retry.max_interval.to_std())
            .with_factor(self.retry.multiplier.max(1.0) as f32)
            .without_max_times()
            .build();
        loop {
            let error = match self.ask(detector).await {
                Ok(found) => return Ok(found),
                Err(error) => error,
            };
            tracing::warn!(detector, error, "failed to detect resource");
            match waits.next().filter(|_| self.retry.enabled) {
                Some(wait) => sleep(wait).await,
                None => return Err(error),
            }
        }
    }

    async fn ask(&self, detector: &str) -> Result<Detected, String> {
        match detector {
            "env" => env::detect(),
            "system" => {
                let system = self.system.clone();
                spawn_blocking(move || system::detect(&system)).await.map_err(|error| error.to_string())?
            }
            "docker" => {
                let fails = self.fail_on_missing_metadata || self.docker.fail_on_missing_metadata;
                docker::detect(&self.docker, fails).await
            }
            _ => Ok(Detected::default()),
        }
    }
}
