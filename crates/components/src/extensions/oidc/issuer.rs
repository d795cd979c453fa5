//! Where keys come from: an issuer that is asked for them, or a file.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use reqwest::{Client, Url};
use serde::Deserialize;
use spanmill_tls::ClientTls;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::config::ProviderConfig;
use super::keys::Keys;

/// An issuer that is asked over HTTP.
pub(super) struct Issuer {
    url: String,
    client: Client,
    /// Where its keys are, as it says.
    keys_url: OnceLock<Url>,
    keys: RwLock<Held>,
    /// Taken by who asks.
    asking: Mutex<()>,
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
        let (url, keys_url, keys) = (config.issuer_url.clone(), OnceLock::new(), RwLock::default());
        Ok(Self { url, client, keys_url, keys, asking: Mutex::default() })
    }

    /// Asks the issuer who it is. Keys are asked for by the first token.
    pub(super) async fn discover(&self, ignore_issuer: bool) -> Result<(), String> {
        let url = format!("{}/.well-known/openid-configuration", self.url.trim_end_matches('/'));
        let document = self.get(parse(&url)?).await?;
        let found: Discovery = serde_json::from_slice(&document).map_err(|error| error.to_string())?;
        if found.issuer != self.url && !ignore_issuer {
            let (expected, got) = (&self.url, &found.issuer);
            return Err(format!(
                "issuer did not match the issuer returned by provider, expected {expected:?} got {got:?}"
            ));
        }
        // Started once only.
        let _ = self.keys_url.set(parse(&found.jwks_uri)?);
        Ok(())
    }

    /// The keys, asked for again where they are old.
    pub(super) async fn keys(&self) -> Arc<Keys> {
        let held = self.held();
        if held.is_older_than(AGE) { self.ask(&held).await } else { held.keys }
    }

    /// The keys after `known` did not have the one that was looked for: asked for again, unless that was done a short time ago.
    pub(super) async fn newer(&self, known: &Arc<Keys>) -> Arc<Keys> {
        let held = self.held();
        // Somebody else may have asked meanwhile.
        let is_known = Arc::ptr_eq(&held.keys, known);
        if is_known && held.is_older_than(BETWEEN) { self.ask(&held).await } else { held.keys }
    }

    fn held(&self) -> Held {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks for the keys, unless somebody has since `before`. What fails keeps what there was, and is not tried again at once.
    async fn ask(&self, before: &Held) -> Arc<Keys> {
        let _asking = self.asking.lock().await;
        let held = self.held();
        if held.asked != before.asked {
            return held.keys;
        }
        let asked = match self.keys_url.get() {
            Some(url) => self.get(url.clone()).await.and_then(|json| Keys::parse(&json)),
            None => Err("the issuer was not found yet".to_owned()),
        };
        let failed = asked.is_err();
        let keys = asked.map(Arc::new).unwrap_or_else(|error| {
            tracing::warn!(issuer = self.url, error, "keys are kept as they were");
            held.keys
        });
        let now = Held { keys: Arc::clone(&keys), asked: Some(Instant::now()), failed };
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = now;
        keys
    }

    async fn get(&self, url: Url) -> Result<Vec<u8>, String> {
        let response = self.client.get(url).send().await.and_then(reqwest::Response::error_for_status);
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
}

// === impl Held ===

impl Held {
    fn is_older_than(&self, age: Duration) -> bool {
        let age = if self.failed { AGAIN } else { age };
        self.asked.is_none_or(|asked| asked.elapsed() >= age)
    }
}

fn parse(url: &str) -> Result<Url, String> {
    Url::parse(url).map_err(|error| format!("{url:?} is no URL: {error}"))
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
