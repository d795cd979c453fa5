//! `health_check`: tells over HTTP whether the pipelines run.

mod config;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use jiff::Timestamp;
use spanmill_config::{ConfigError, Duration};
use spanmill_pipeline::{Component, ComponentError, Context, ExtensionFactory, Host, Kind, Page, Pages, Stability};

use crate::net::site::site;
use config::Config;

/// Makes `health_check` extensions.
pub const FACTORY: ExtensionFactory = ExtensionFactory {
    kind: Kind { name: "health_check", aliases: &[], stability: Stability::Beta, signals: &[] },
    create,
};

struct HealthCheck {
    config: Config,
    state: Arc<Mutex<State>>,
    pages: Mutex<Option<Pages>>,
}

/// Since when the pipelines run, if they do.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    up: Option<(Timestamp, Instant)>,
}

fn create(context: Context<'_>) -> Result<Arc<dyn Component>, ConfigError> {
    Ok(Arc::new(HealthCheck::new(Config::read(context.section)?)))
}

// === impl HealthCheck ===

impl HealthCheck {
    fn new(config: Config) -> Self {
        Self { config, state: Arc::default(), pages: Mutex::default() }
    }
}

#[async_trait]
impl Component for HealthCheck {
    async fn start(&self, host: &Host) -> Result<(), ComponentError> {
        let (config, state) = (self.config.clone(), Arc::clone(&self.state));
        let answer = move |path: &str| {
            let state = *state.lock().unwrap_or_else(PoisonError::into_inner);
            answers(&config.path, path).then(|| state.page(&config))
        };
        let Config { endpoint, tls, auth, .. } = &self.config;
        let site = site(host, endpoint, tls.as_ref(), auth.as_ref())?;
        let pages = Pages::serve(site, answer)
            .await
            .map_err(|source| ComponentError::Io { context: format!("cannot listen on {endpoint}"), source })?;
        tracing::info!(endpoint = %pages.address(), "health check");
        *self.pages.lock().unwrap_or_else(PoisonError::into_inner) = Some(pages);
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(pages) = pages {
            pages.stop().await;
        }
        Ok(())
    }

    fn pipelines_ready(&self, ready: bool) {
        let up = ready.then(|| (Timestamp::now(), Instant::now()));
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State { up };
    }
}

/// As Go routes: a path that ends in a slash stands for all below it.
fn answers(configured: &str, asked: &str) -> bool {
    asked == configured || (configured.ends_with('/') && asked.starts_with(configured))
}

// === impl State ===

impl State {
    fn page(&self, config: &Config) -> Page {
        let (status, text) = match self.up {
            Some(_) => (200, &config.response_body.healthy),
            None => (503, &config.response_body.unhealthy),
        };
        if text.is_empty() { Page::json(status, self.json()) } else { Page::text(status, text.clone()) }
    }

    /// The Collector's document. Nothing in it needs escaping.
    fn json(&self) -> String {
        match self.up {
            Some((since, began)) => {
                let uptime = Duration::from(began.elapsed());
                format!(r#"{{"status":"Server available","upSince":"{since}","uptime":"{uptime}"}}"#)
            }
            None => r#"{"status":"Server not available","upSince":"0001-01-01T00:00:00Z","uptime":""}"#.to_owned(),
        }
    }
}
