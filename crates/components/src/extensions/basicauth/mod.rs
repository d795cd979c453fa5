//! `basicauth`: knows senders, and lets backends know us, by name and password.

mod config;
mod hashing;
mod htpasswd;

#[cfg(test)]
mod tests;

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use sha2::{Digest as _, Sha256};
use spanmill_config::ConfigError;
use spanmill_pipeline::auth::{AuthError, Authenticator, ClientAuth, CredentialsError, Identity, ServerAuth};
use spanmill_pipeline::{Component, ComponentError, Context, ExtensionFactory, Host, Kind, Stability};

use super::watched::Watched;
use crate::net::header::only;
use config::Config;
use hashing::{Hashing, TooMany};
use htpasswd::Htpasswd;

/// Makes `basicauth` extensions.
pub const FACTORY: ExtensionFactory = ExtensionFactory {
    kind: Kind { name: "basicauth", aliases: &[], stability: Stability::Beta, signals: &[] },
    create,
};

enum BasicAuth {
    Server(Arc<Users>),
    Client(Arc<Us>),
}

/// Who may send: of a file that may change, and inline.
struct Users {
    file: Option<Watched>,
    inline: String,
    /// As they were last read, and out of which text of the file.
    known: RwLock<(Arc<str>, Arc<Known>)>,
    /// Makes hashes of good passwords worth nothing elsewhere.
    salt: [u8; 16],
    hashing: Hashing,
}

/// Users as they were read once.
#[derive(Default)]
struct Known {
    users: Htpasswd,
    /// The last password of each user that was good, as a hash: others take a tenth of a second on purpose, and senders send often.
    /// Forgotten with the users.
    good: Mutex<HashMap<String, [u8; 32]>>,
}

/// Who we are.
struct Us {
    name: Text,
    password: Text,
}

enum Text {
    Fixed(Arc<str>),
    File(Watched),
}

fn create(context: Context<'_>) -> Result<Arc<dyn Component>, ConfigError> {
    Ok(Arc::new(BasicAuth::new(Config::read(context.section)?)))
}

// === impl BasicAuth ===

impl BasicAuth {
    fn new(config: Config) -> Self {
        if let Some(client) = config.client_auth.into_option() {
            let name = Text::new(client.username, &client.username_file);
            let password = Text::new(client.password.expose().to_owned(), &client.password_file);
            return Self::Client(Arc::new(Us { name, password }));
        }
        let server = config.htpasswd.into_option().unwrap_or_default();
        Self::Server(Arc::new(Users {
            file: (!server.file.is_empty()).then(|| Watched::new(server.file)),
            inline: server.inline.expose().to_owned(),
            known: RwLock::default(),
            salt: std::array::from_fn(|_| fastrand::u8(..)),
            hashing: Hashing::new(),
        }))
    }

    fn files(&self) -> impl Iterator<Item = &Watched> {
        let files = match self {
            Self::Server(users) => [users.file.as_ref(), None],
            Self::Client(us) => [us.name.file(), us.password.file()],
        };
        files.into_iter().flatten()
    }
}

#[async_trait]
impl Component for BasicAuth {
    async fn start(&self, _host: &Host) -> Result<(), ComponentError> {
        match self {
            Self::Server(users) => {
                if let Some(file) = &users.file {
                    let read = file.read_any().await;
                    read.map_err(|error| ComponentError::Other(format!("open htpasswd file: {error}")))?;
                    file.watch();
                }
                users.read();
            }
            Self::Client(_) => {
                for file in self.files() {
                    file.open().await?;
                }
            }
        }
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        self.files().for_each(Watched::stop);
        Ok(())
    }

    fn capability(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        Some(Arc::new(match self {
            Self::Server(users) => Authenticator { server: Some(Arc::clone(users) as _), client: None },
            Self::Client(us) => Authenticator { server: None, client: Some(Arc::clone(us) as _) },
        }))
    }
}

// === impl Known ===

impl Known {
    fn is_good(&self, name: &str, fingerprint: &[u8; 32]) -> bool {
        self.good.lock().unwrap_or_else(PoisonError::into_inner).get(name) == Some(fingerprint)
    }
}

// === impl Users ===

impl Users {
    fn fingerprint(&self, password: &str) -> [u8; 32] {
        Sha256::new().chain_update(self.salt).chain_update(password).finalize().into()
    }

    fn file_text(&self) -> Arc<str> {
        self.file.as_ref().map(Watched::text).unwrap_or_default()
    }

    /// The users, read again where the file has changed.
    fn known(&self) -> Arc<Known> {
        let (text, known) = self.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        if text == self.file_text() { known } else { self.read() }
    }

    fn read(&self) -> Arc<Known> {
        let text = self.file_text();
        // What is inline comes last, and so goes before.
        let (users, wrong) = Htpasswd::parse(&format!("{text}\n{}", self.inline));
        if wrong > 0 {
            tracing::warn!(lines = wrong, "lines of the htpasswd are none and are passed over");
        }
        let known = Arc::new(Known { users, good: Mutex::default() });
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = (text, Arc::clone(&known));
        known
    }

    async fn knows(&self, name: &str, password: &str) -> Result<bool, TooMany> {
        // Not even where its hash is there: it was made of a variable that was not set.
        if password.is_empty() {
            return Ok(false);
        }
        let known = self.known();
        let (fast, slow) = match known.users.get(name) {
            Some(expected) if expected.cost() > 0 => (None, Some(expected)),
            expected => (expected, None),
        };
        if fast.is_some_and(|expected| expected.is(password)) {
            return Ok(true);
        }
        // What is wrong takes as long whoever it is for: that would tell who is known.
        let Some(hash) = slow.or(known.users.slowest()) else { return Ok(false) };
        let fingerprint = self.fingerprint(password);
        if known.is_good(name, &fingerprint) {
            return Ok(true);
        }
        let turn = self.hashing.turn().await?;
        // Of several requests that a sender begins with, the first has found out.
        if known.is_good(name, &fingerprint) {
            return Ok(true);
        }
        let good = turn.is(hash, password).await && slow.is_some();
        if good {
            known.good.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), fingerprint);
        }
        Ok(good)
    }
}

#[async_trait]
impl ServerAuth for Users {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Identity, AuthError> {
        const SCHEME: &str = "Basic ";
        let header = only(headers, &AUTHORIZATION)?.map(HeaderValue::as_bytes).unwrap_or_default();
        if header.is_empty() {
            return Err("no basic auth provided".into());
        }
        let (scheme, encoded) = header.split_at_checked(SCHEME.len()).unwrap_or((header, &[]));
        if !scheme.eq_ignore_ascii_case(SCHEME.as_bytes()) {
            return Err("invalid authorization scheme prefix".into());
        }
        let decoded = STANDARD.decode(encoded).ok().and_then(|decoded| String::from_utf8(decoded).ok());
        let Some((name, password)) = decoded.as_deref().and_then(|decoded| decoded.split_once(':')) else {
            return Err("invalid authorization format".into());
        };
        let known = self.knows(name, password).await;
        if !known.map_err(|error| AuthError::Busy(error.to_string()))? {
            return Err("invalid credentials".into());
        }
        let raw = String::from_utf8_lossy(encoded).into_owned();
        let attributes = BTreeMap::from([("username".to_owned(), name.to_owned()), ("raw".to_owned(), raw)]);
        Ok(Identity { tenant: None, attributes: Some(Arc::new(attributes)) })
    }
}

// === impl Us ===

impl ClientAuth for Us {
    fn apply(&self, headers: &mut HeaderMap) -> Result<(), CredentialsError> {
        let (name, password) = (self.name.get()?, self.password.get()?);
        if name.contains(':') {
            let message = "invalid authorization format: a name has no colon";
            return Err(CredentialsError::NotYet(message.to_owned()));
        }
        let value = format!("Basic {}", STANDARD.encode(format!("{name}:{password}")));
        let value = HeaderValue::from_str(&value);
        let mut value = value.map_err(|error| CredentialsError::NotYet(error.to_string()))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
        Ok(())
    }
}

// === impl Text ===

impl Text {
    fn new(fixed: String, file: &str) -> Self {
        if file.is_empty() { Self::Fixed(fixed.into()) } else { Self::File(Watched::new(file)) }
    }

    fn get(&self) -> Result<Arc<str>, CredentialsError> {
        match self {
            Self::Fixed(text) => Ok(Arc::clone(text)),
            Self::File(file) => file.credentials(),
        }
    }

    fn file(&self) -> Option<&Watched> {
        match self {
            Self::Fixed(_) => None,
            Self::File(file) => Some(file),
        }
    }
}
