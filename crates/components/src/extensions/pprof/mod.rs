//! `pprof`: profiles of this process, under Go's paths.

mod cpu;
mod profile;

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use spanmill_config::{ConfigError, Duration, Section};
use spanmill_pipeline::{Component, ComponentError, Context, ExtensionFactory, Host, Kind, Page, Pages, Stability};

use self::cpu::Profiling;
use super::arguments;

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
    /// Where the profile of the time from start to end goes.
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
    /// What goes to `save_to_file`.
    whole: Mutex<Option<Profiling>>,
}

const INDEX: &str = "\
profile  which functions take CPU time: /debug/pprof/profile?seconds=30, for `go tool pprof` and its like
cmdline  the command line
This program has no runtime that keeps other profiles, such as Go's. Memory and CPU time of the process are among its own metrics (otelcol_process_*).
";

/// How long a profile is taken where nothing is said, and at most.
const SECONDS: u64 = 30;
const MOST_SECONDS: u64 = 300;

fn create(context: Context<'_>) -> Result<Arc<dyn Component>, ConfigError> {
    let config = Config::read(context.section)?;
    Ok(Arc::new(Pprof { config, pages: Mutex::default(), whole: Mutex::default() }))
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
    /// There is one profile at a time.
    fn is_exclusive(&self) -> bool {
        !self.config.save_to_file.is_empty()
    }

    async fn start(&self, host: &Host) -> Result<(), ComponentError> {
        let Config { endpoint, save_to_file, .. } = &self.config;
        if !save_to_file.is_empty() {
            let profiling = Profiling::start().map_err(|error| unable(save_to_file, error))?;
            *self.whole.lock().unwrap_or_else(PoisonError::into_inner) = Some(profiling);
        }
        let answer = |path: &str, query: &str| Box::pin(answer(path.to_owned(), query.to_owned())) as BoxFuture<'_, _>;
        let pages = Pages::serve_slowly(&host.listeners(), endpoint, answer)
            .await
            .map_err(|source| ComponentError::Io { context: format!("cannot listen on {endpoint}"), source })?;
        tracing::info!(endpoint = %pages.address(), "pprof");
        *self.pages.lock().unwrap_or_else(PoisonError::into_inner) = Some(pages);
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(pages) = pages {
            pages.stop().await;
        }
        let whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(profiling) = whole {
            let file = &self.config.save_to_file;
            let profile = finished(profiling).await.map_err(|error| unable(file, error))?;
            std::fs::write(file, profile).map_err(|error| unable(file, error))?;
        }
        Ok(())
    }
}

fn unable(file: &str, error: impl Display) -> ComponentError {
    ComponentError::Other(format!("cannot save a profile to {file}: {error}"))
}

/// Names are looked up where nobody waits to be served.
async fn finished(profiling: Profiling) -> Result<Vec<u8>, String> {
    tokio::task::spawn_blocking(|| profiling.finish()).await.map_err(|error| error.to_string())?
}

async fn answer(path: String, query: String) -> Option<Page> {
    match path.as_str() {
        "/debug/pprof" | "/debug/pprof/" => Some(Page::text(200, INDEX)),
        "/debug/pprof/cmdline" => Some(Page::text(200, arguments::shown().join("\0"))),
        "/debug/pprof/profile" => Some(profile(&query).await),
        other => other.starts_with("/debug/pprof/").then(|| Page::text(501, INDEX)),
    }
}

async fn profile(query: &str) -> Page {
    let given = query.split('&').find_map(|pair| pair.strip_prefix("seconds="));
    // As with Go, what is no number is the default.
    let seconds = given.and_then(|text| text.parse().ok()).filter(|seconds| *seconds > 0).unwrap_or(SECONDS);
    if seconds > MOST_SECONDS {
        return Page::text(400, format!("a profile takes {MOST_SECONDS} seconds at most\n"));
    }
    let profiling = match Profiling::start() {
        Ok(profiling) => profiling,
        Err(error) => return Page::text(500, format!("Could not enable CPU profiling: {error}\n")),
    };
    tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
    match finished(profiling).await {
        Ok(body) => Page { status: 200, content_type: "application/octet-stream", body: body.into() },
        Err(error) => Page::text(500, format!("no profile: {error}\n")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::sync::atomic::{AtomicBool, Ordering};

    use flate2::read::GzDecoder;
    use prost::Message;

    use super::profile::Profile;
    use super::*;

    /// Scenario: the index, the command line, a kind of profile that there is not, and something else.
    /// Guarantees: the first two are there, the profile says why it is not, anything else is not found.
    #[tokio::test]
    async fn pages() {
        for (path, status) in [
            ("/debug/pprof/", Some(200)),
            ("/debug/pprof/cmdline", Some(200)),
            ("/debug/pprof/heap", Some(501)),
            ("/", None),
        ] {
            assert_eq!(answer(path.to_owned(), String::new()).await.map(|page| page.status), status, "{path}");
        }
        assert_eq!(profile("seconds=301").await.status, 400);
    }

    /// Scenario: a profile of a second in which a thread is busy with a function; meanwhile another one is asked for.
    /// Guarantees: it names the function, and is what `pprof` reads; the other one is told that there is one at work.
    #[tokio::test]
    async fn a_busy_function_is_seen() {
        let busy = Arc::new(AtomicBool::new(true));
        let worker = std::thread::spawn({
            let busy = Arc::clone(&busy);
            move || busy_with_nothing(&busy)
        });
        let taking = tokio::spawn(async { profile("seconds=1").await });
        // The other waits until the first is at work.
        let refused = loop {
            match Profiling::start() {
                Err(error) => break error,
                Ok(own) => drop(own),
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(refused, "cpu profiling already in use");
        let page = taking.await.unwrap();
        busy.store(false, Ordering::Relaxed);
        assert!(worker.join().unwrap() > 0);
        assert_eq!(page.status, 200, "{:?}", page.body);
        let mut bytes = Vec::new();
        GzDecoder::new(&page.body[..]).read_to_end(&mut bytes).unwrap();
        let profile = Profile::decode(&bytes[..]).unwrap();
        assert!(!profile.sample.is_empty());
        assert!(
            profile.string_table.iter().any(|name| name.contains("busy_with_nothing")),
            "{:?}",
            profile.string_table
        );
    }

    #[inline(never)]
    fn busy_with_nothing(busy: &AtomicBool) -> u64 {
        let mut turns = 0_u64;
        while busy.load(Ordering::Relaxed) {
            turns = std::hint::black_box(turns + 1);
        }
        turns
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
