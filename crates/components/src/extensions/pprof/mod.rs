//! `pprof`: there for the sake of configurations that have it: tells that there is nothing to profile the Go way.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde::Deserialize;
use spanmill_config::{ConfigError, Duration, Section};
use spanmill_pipeline::{Component, ComponentError, Context, ExtensionFactory, Host, Kind, Page, Pages, Stability};

/// Makes `pprof` extensions.
pub const FACTORY: ExtensionFactory =
    ExtensionFactory { kind: Kind { name: "pprof", aliases: &[], stability: Stability::Beta, signals: &[] }, create };

/// Options of the `pprof` extension.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// `host:port`.
    endpoint: String,
    /// Accepted: a server dials nobody.
    dialer: Dialer,
    /// Accepted, without effect.
    block_profile_fraction: i64,
    /// Accepted, without effect.
    mutex_profile_fraction: i64,
    /// Accepted; nothing is written.
    save_to_file: String,
}

/// Options of `dialer`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Dialer {
    #[serde(rename = "timeout")]
    _timeout: Duration,
}

struct Pprof {
    config: Config,
    pages: Mutex<Option<Pages>>,
}

const INDEX: &str = "\
This program has no runtime that could profile itself the way Go's does.
The profiles below /debug/pprof/ do not exist. CPU time and memory of the process are among its own metrics (otelcol_process_*);
for profiles use the system's tools, such as `perf record -g -p PID`.
";

fn create(context: Context<'_>) -> Result<Arc<dyn Component>, ConfigError> {
    let config = Config::read(context.section)?;
    Ok(Arc::new(Pprof { config, pages: Mutex::default() }))
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: "localhost:1777".to_owned(),
            dialer: Dialer::default(),
            block_profile_fraction: 0,
            mutex_profile_fraction: 0,
            save_to_file: String::new(),
        }
    }
}

impl Config {
    fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        if config.endpoint.is_empty() {
            return Err(section.error("endpoint", "\"endpoint\" is required when using the \"pprof\" extension"));
        }
        Ok(config)
    }
}

// === impl Pprof ===

#[async_trait]
impl Component for Pprof {
    async fn start(&self, host: &Host) -> Result<(), ComponentError> {
        let Config { endpoint, save_to_file, .. } = &self.config;
        if !save_to_file.is_empty() {
            tracing::warn!(file = save_to_file, "no profile is written: there is none");
        }
        let pages = Pages::serve(&host.listeners(), endpoint, answer)
            .await
            .map_err(|source| ComponentError::Io { context: format!("cannot listen on {endpoint}"), source })?;
        tracing::info!(endpoint = %pages.address(), "pprof, which serves no profiles");
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
}

/// The index is there; of the profiles, that they are not.
fn answer(path: &str) -> Option<Page> {
    match path {
        "/debug/pprof" | "/debug/pprof/" => Some(Page::text(200, INDEX)),
        "/debug/pprof/cmdline" => {
            let arguments: Vec<String> = std::env::args().collect();
            Some(Page::text(200, arguments.join("\0")))
        }
        other => other.starts_with("/debug/pprof/").then(|| Page::text(501, INDEX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: the index, the command line, a profile, and something else.
    /// Guarantees: the first two are there, a profile says why it is not, anything else is not found.
    #[test]
    fn pages() {
        let status = |path: &str| answer(path).map(|page| page.status);
        assert_eq!(status("/debug/pprof/"), Some(200));
        assert_eq!(status("/debug/pprof/cmdline"), Some(200));
        assert_eq!(status("/debug/pprof/heap"), Some(501));
        assert_eq!(status("/"), None);
    }

    /// Scenario: all options of the Collector, and wrong ones.
    /// Guarantees: its verdicts.
    #[test]
    fn options() {
        let read = |yaml: &str| Config::read(&Section::from_yaml("extensions::pprof", yaml).unwrap());
        let all = "{endpoint: ':1777', dialer: {timeout: 3s}, block_profile_fraction: 3, mutex_profile_fraction: -1, save_to_file: x}";
        assert!(read(all).is_ok() && read("").is_ok());
        for wrong in ["{endpoint: ''}", "{block_profile_fraction: x}", "{port: 1}"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
