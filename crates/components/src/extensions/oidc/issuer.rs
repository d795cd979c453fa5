//! Where keys come from: an issuer that is asked for them, or a file.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, Url};
use serde::Deserialize;
use spanmill_tls::ClientTls;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::config::ProviderConfig;
use super::keys::Keys;

/// An issuer that is asked over HTTP, by a task of its own: tokens of keys that are known do not wait for it.
pub(super) struct Issuer {
    url: String,
    client: Client,
    held: Arc<watch::Sender<Held>>,
    /// Somebody waits for a key that is not known.
    wanted: Arc<Notify>,
    asking: Mutex<JoinSet<()>>,
}

/// Asks for keys.
struct Asker {
    url: String,
    client: Client,
    /// Where they are, as the issuer says.
    keys_url: Url,
    held: Arc<watch::Sender<Held>>,
    wanted: Arc<Notify>,
}

/// Keys as they were when they were last asked for.
#[derive(Clone, Default)]
struct Held {
    keys: Arc<Keys>,
    /// When that was.
    asked: Option<Instant>,
    /// Whether it was in vain.
    failed: bool,
}

/// What an issuer says of itself (OpenID Connect Discovery 1.0, section 3).
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

const PATIENCE: Duration = Duration::from_secs(5);
/// How long a token may wait for a key: for one answer, with something to spare.
const WAIT: Duration = Duration::from_secs(6);
/// Documents have some KiB.
const MOST: usize = 1 << 20;
/// A token with an unknown key costs its sender nothing: the issuer must not be asked as often as anybody likes.
const BETWEEN: Duration = Duration::from_secs(10);
/// The same, where there was no answer.
const AGAIN: Duration = Duration::from_secs(5);
/// After which keys are asked for again, so that one that was withdrawn is not good for ever.
const AGE: Duration = Duration::from_secs(60 * 60);

// === impl Issuer ===

impl Issuer {
    pub(super) fn new(config: &ProviderConfig) -> Result<Self, String> {
        let tls = ClientTls { ca_file: config.issuer_ca_path.clone(), ..ClientTls::default() };
        let tls = tls.config(&["h2", "http/1.1"]).map_err(|error| error.to_string())?;
        // It is asked so rarely that a kept connection would be closed by then.
        let client = Client::builder().timeout(PATIENCE).connect_timeout(PATIENCE).pool_max_idle_per_host(0);
        let client = client.redirect(reqwest::redirect::Policy::limited(3)).use_preconfigured_tls(tls).build();
        let client = client.map_err(|error| error.to_string())?;
        let (url, held) = (config.issuer_url.clone(), Arc::new(watch::Sender::default()));
        Ok(Self { url, client, held, wanted: Arc::default(), asking: Mutex::default() })
    }

    /// Asks the issuer who it is. Keys are asked for by the first token, and from then on when they are old.
    pub(super) async fn discover(&self, ignore_issuer: bool) -> Result<(), String> {
        let url = format!("{}/.well-known/openid-configuration", self.url.trim_end_matches('/'));
        let document = get(&self.client, parse(&url)?).await?;
        let found: Discovery = serde_json::from_slice(&document).map_err(|error| error.to_string())?;
        if found.issuer != self.url && !ignore_issuer {
            let (expected, got) = (&self.url, &found.issuer);
            return Err(format!(
                "issuer did not match the issuer returned by provider, expected {expected:?} got {got:?}"
            ));
        }
        let asker = Asker {
            url: self.url.clone(),
            client: self.client.clone(),
            keys_url: parse(&found.jwks_uri)?,
            held: Arc::clone(&self.held),
            wanted: Arc::clone(&self.wanted),
        };
        self.asking.lock().unwrap_or_else(PoisonError::into_inner).spawn(asker.run());
        Ok(())
    }

    /// Asks no more.
    pub(super) fn stop(&self) {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    /// The keys that are known.
    pub(super) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.held.borrow().keys)
    }

    /// The keys after `known` did not have the one that was looked for: asked for again, unless that was done a short time ago.
    pub(super) async fn newer(&self, known: &Arc<Keys>) -> Arc<Keys> {
        let mut held = self.held.subscribe();
        let is_worth_asking = {
            let held = held.borrow_and_update();
            // Others may have waited meanwhile.
            Arc::ptr_eq(&held.keys, known) && held.is_older_than(BETWEEN)
        };
        if is_worth_asking {
            self.wanted.notify_one();
            // Without an answer what is known is all there is.
            let _ = timeout(WAIT, held.changed()).await;
        }
        self.keys()
    }
}

// === impl Asker ===

impl Asker {
    /// Asks whenever keys are old, and when somebody wants one that is not there.
    async fn run(self) {
        loop {
            let due = self.held.borrow().due();
            let old = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = old => self.ask().await,
                // It may have been wanted before the last answer came.
                () = self.wanted.notified() => if self.held.borrow().is_older_than(BETWEEN) { self.ask().await },
            }
        }
    }

    /// Asks once. What fails keeps what there was, and is not tried again at once.
    async fn ask(&self) {
        let asked = get(&self.client, self.keys_url.clone()).await.and_then(|json| Keys::parse(&json));
        let failed = asked.is_err();
        let keys = asked.map(Arc::new).unwrap_or_else(|error| {
            tracing::warn!(issuer = self.url, error, "keys are kept as they were");
            Arc::clone(&self.held.borrow().keys)
        });
        self.held.send_replace(Held { keys, asked: Some(Instant::now()), failed });
    }
}

// === impl Held ===

impl Held {
    fn is_older_than(&self, age: Duration) -> bool {
        let age = if self.failed { AGAIN } else { age };
        self.asked.is_none_or(|asked| asked.elapsed() >= age)
    }

    /// When to ask again though nobody wants to know; not before the first time.
    fn due(&self) -> Option<Instant> {
        let age = if self.failed { AGAIN } else { AGE };
        self.asked.map(|asked| asked + age)
    }
}

async fn get(client: &Client, url: Url) -> Result<Vec<u8>, String> {
    let response = client.get(url).send().await.and_then(reqwest::Response::error_for_status);
    let mut response = response.map_err(|error| chain(&error))?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| chain(&error))? {
        if body.len() + chunk.len() > MOST {
            return Err(format!("an answer is larger than {MOST} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn parse(url: &str) -> Result<Url, String> {
    Url::parse(url).map_err(|error| format!("{url:?} is no URL: {error}"))
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
