mod providers;
mod tokens;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use http::header::AUTHORIZATION;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use rcgen::KeyPair;
use serde_json::{Value, json};
use spanmill_config::{ComponentId, Section};
use spanmill_pipeline::{Host, Page, Pages, Site, Telemetry};
use tokio::sync::{mpsc, watch};

use super::*;

/// An issuer on loopback, whose keys can be exchanged.
struct Local {
    url: String,
    served: Arc<Mutex<Served>>,
    /// How often keys were asked for.
    asked: Arc<watch::Sender<usize>>,
    /// Whether it does not answer who asks for them.
    hangs: Arc<watch::Sender<bool>>,
    _pages: Pages,
}

#[derive(Default)]
struct Served {
    /// What it says it is called, where that is not its address.
    issuer: Option<String>,
    keys: String,
}

/// A key that signs.
struct Signer {
    name: Option<&'static str>,
    algorithm: Algorithm,
    key: EncodingKey,
}

// === impl Local ===

impl Local {
    async fn start(site: impl Into<Site>, scheme: &str) -> Self {
        let served = Arc::<Mutex<Served>>::default();
        let address = Arc::<Mutex<String>>::default();
        let (shown, own) = (Arc::clone(&served), Arc::clone(&address));
        let (asked, hangs) = (Arc::<watch::Sender<usize>>::default(), Arc::<watch::Sender<bool>>::default());
        let (counted, hanging) = (Arc::clone(&asked), Arc::clone(&hangs));
        let host = Host::new(HashMap::new(), tokio::sync::mpsc::unbounded_channel().0);
        let listeners = host.listeners();
        let pages = Pages::serve_slowly(&listeners, site, move |path, _| match path {
            "/.well-known/openid-configuration" => {
                let own = own.lock().unwrap();
                let issuer = shown.lock().unwrap().issuer.clone().unwrap_or_else(|| own.clone());
                let document = json!({"issuer": issuer, "jwks_uri": format!("{own}/keys")}).to_string();
                Box::pin(async { Some(Page::json(200, document)) })
            }
            "/keys" => {
                let (shown, mut hanging) = (Arc::clone(&shown), hanging.subscribe());
                counted.send_modify(|asked| *asked += 1);
                Box::pin(async move {
                    hanging.wait_for(|hangs| !hangs).await.ok()?;
                    Some(Page::json(200, shown.lock().unwrap().keys.clone()))
                })
            }
            _ => Box::pin(async { None }),
        });
        let pages = pages.await.unwrap();
        let url = format!("{scheme}://localhost:{}", pages.address().port());
        address.lock().unwrap().clone_from(&url);
        Self { url, served, asked, hangs, _pages: pages }
    }

    fn show(&self, signers: &[&Signer]) {
        self.served.lock().unwrap().keys = key_set(signers);
    }

    fn asked(&self) -> usize {
        *self.asked.borrow()
    }

    async fn until_asked(&self, times: usize) {
        self.asked.subscribe().wait_for(|asked| *asked >= times).await.unwrap();
    }

    /// What tokens say that are good here.
    fn claims(&self) -> Value {
        json!({"iss": self.url, "aud": "us", "sub": "ann", "exp": get_current_timestamp() + 60})
    }
}

fn key_set(signers: &[&Signer]) -> String {
    serde_json::to_string(&JwkSet { keys: signers.iter().map(|signer| signer.public()).collect() }).unwrap()
}

// === impl Signer ===

impl Signer {
    fn ec(name: &'static str) -> Self {
        let key = EncodingKey::from_ec_der(&KeyPair::generate().unwrap().serialize_der());
        Self { name: Some(name), algorithm: Algorithm::ES256, key }
    }

    fn ed(name: &'static str) -> Self {
        // RFC 8410, section 7: what stands before the 32 bytes of a key.
        let head = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
        let key = EncodingKey::from_ed_der(&[&head[..], &[7; 32]].concat());
        Self { name: Some(name), algorithm: Algorithm::EdDSA, key }
    }

    fn rsa(name: &'static str, algorithm: Algorithm) -> Self {
        Self { name: Some(name), algorithm, key: EncodingKey::from_rsa_der(include_bytes!("rsa.der")) }
    }

    fn public(&self) -> Jwk {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        jwk.common.key_id = self.name.map(str::to_owned);
        jwk
    }

    fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: self.name.map(str::to_owned), ..Header::new(self.algorithm) };
        encode(&header, claims, &self.key).unwrap()
    }
}

fn extension(yaml: &str) -> Result<Oidc, String> {
    let id = ComponentId::new("oidc", "").unwrap();
    let section = Section::from_yaml("extensions::oidc", yaml).unwrap();
    let context = Context { id: &id, section: &section, telemetry: &Telemetry::default() };
    Oidc::new(context).map_err(|error| error.to_string())
}

async fn started(yaml: &str) -> Result<Oidc, String> {
    let oidc = extension(yaml)?;
    let host = Host::new(HashMap::new(), mpsc::unbounded_channel().0);
    oidc.start(&host).await.map_err(|error| error.to_string())?;
    Ok(oidc)
}

/// Lets so many seconds pass.
async fn later(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

/// The verdict on a header.
async fn given(oidc: &Oidc, header: &str) -> Result<Identity, Refusal> {
    oidc.0.verify(&HeaderMap::from_iter([(AUTHORIZATION, header.parse().unwrap())])).await
}

/// The verdict on a token: why it is refused.
async fn reason(oidc: &Oidc, token: &str) -> Option<&'static str> {
    given(oidc, &format!("Bearer {token}")).await.err().map(|refusal| refusal.reason)
}
