//! `health_check`: tells over HTTP whether the pipelines run.

mod config;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;
use spanmill_config::{ConfigError, Duration};
use spanmill_pipeline::{
    Component, ComponentError, Context, ExtensionFactory, Host, Kind, Page, Pages, Phase, Stability,
};

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
        let (config, state, readiness) = (self.config.clone(), Arc::clone(&self.state), host.readiness().clone());
        let answer = move |path: &str| {
            let state = *state.lock().unwrap_or_else(PoisonError::into_inner);
            answers(&config.path, path).then(|| state.page(&config, &readiness.phase()))
        };
        let Config { endpoint, tls, auth, .. } = &self.config;
        let site = site(host, endpoint, tls.as_ref(), auth.as_ref())?;
        let pages = Pages::serve(&host.listeners(), site, answer)
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
    fn page(&self, config: &Config, phase: &Phase) -> Page {
        let up = self.up.filter(|_| !matches!(phase, Phase::Replaying(_)));
        let (status, text) = match up {
            Some(_) => (200, &config.response_body.healthy),
            None => (503, &config.response_body.unhealthy),
        };
        if !text.is_empty() {
            return Page::text(status, text.clone());
        }
        let body = match up {
            // The Collector's document. Nothing in it needs escaping.
            Some((since, began)) => {
                let uptime = Duration::from(began.elapsed());
                format!(r#"{{"status":"Server available","upSince":"{since}","uptime":"{uptime}"}}"#)
            }
            None => not_available(phase),
        };
        Page::json(status, body)
    }
}

/// The Collector's document, and why it is so.
fn not_available(phase: &Phase) -> String {
    let (phase, replaying) = match phase {
        Phase::Replaying(what) => ("replaying", Some(what)),
        Phase::Stopping => ("stopping", None),
        Phase::Starting | Phase::Ready => ("starting", None),
    };
    let mut body =
        json!({ "status": "Server not available", "upSince": "0001-01-01T00:00:00Z", "uptime": "", "phase": phase });
    if let (Some(what), Some(body)) = (replaying, body.as_object_mut()) {
        body.insert("replaying".to_owned(), what.clone().into());
    }
    body.to_string()
}
