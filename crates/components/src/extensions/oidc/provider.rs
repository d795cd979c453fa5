//! Verifies tokens of one issuer.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header, get_current_timestamp};
use serde_json::{Map, Value};
use spanmill_pipeline::auth::Identity;

use super::config::ProviderConfig;
use super::good::Good;
use super::issuer::Issuer;
use super::keys::Keys;
use crate::extensions::watched::Watched;

/// An issuer and what is wanted of its tokens.
pub(super) struct Provider {
    pub(super) config: ProviderConfig,
    source: Source,
    good: Good,
}

enum Source {
    Issuer(Box<Issuer>),
    File(KeysFile),
}

/// Keys in a file, read again when its text changes.
struct KeysFile {
    file: Watched,
    parsed: RwLock<(Arc<str>, Arc<Keys>)>,
}

/// Why a token is refused: in short, and as its sender is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) reason: &'static str,
    pub(super) message: String,
}

/// What signatures may be made by: nothing that who can verify could make himself.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// How far ahead an issuer's clock may be, as with Go's verifier.
const AHEAD: u64 = 5 * 60;

// === impl Provider ===

impl Provider {
    pub(super) fn new(config: ProviderConfig) -> Result<Self, String> {
        let source = match config.public_keys_file.as_str() {
            "" => Source::Issuer(Box::new(Issuer::new(&config)?)),
            file => Source::File(KeysFile { file: Watched::new(file), parsed: RwLock::default() }),
        };
        Ok(Self { config, source, good: Good::default() })
    }

    pub(super) async fn start(&self) -> Result<(), String> {
        let (issuer, file) = (&self.config.issuer_url, &self.config.public_keys_file);
        match &self.source {
            Source::Issuer(source) => {
                let found = source.discover(self.config.ignore_issuer).await;
                found.map_err(|error| format!("failed to create OIDC provider for {issuer:?}: {error}"))
            }
            Source::File(keys) => {
                let read = keys.file.read().await.and_then(|()| keys.read().map(drop));
                keys.file.watch();
                read.map_err(|error| format!("failed to load JWKS file {file:?}: {error}"))
            }
        }
    }

    pub(super) fn stop(&self) {
        match &self.source {
            Source::Issuer(issuer) => issuer.stop(),
            Source::File(keys) => keys.file.stop(),
        }
    }

    /// Who the token is for.
    pub(super) async fn verify(&self, token: &str) -> Result<Identity, Refusal> {
        let mut keys = self.keys();
        if let Some(identity) = self.good.get(token, &keys) {
            return Ok(identity);
        }
        let malformed = |error| Refusal::new("malformed", format!("failed to parse the token: {error}"));
        let header = decode_header(token).map_err(malformed)?;
        if is_critical(token) {
            // RFC 7515, section 4.1.11: what must be understood, and is not.
            return Err(Refusal::new("malformed", "failed to verify token: its header has crit".to_owned()));
        }
        if !ALGORITHMS.contains(&header.alg) {
            let message = format!("failed to verify token: unexpected signature algorithm {:?}", header.alg);
            return Err(Refusal::new("algorithm", message));
        }
        let claims = match self.check(token, header.kid.as_deref(), header.alg, &keys) {
            // A key that is not known may be new.
            Err(refusal) if refusal.reason == "key" => {
                keys = self.newer(&keys).await;
                self.check(token, header.kid.as_deref(), header.alg, &keys)?
            }
            checked => checked?,
        };
        let identity = self.identity(&claims)?;
        if let Some(end) = claims.get("exp").and_then(Value::as_u64) {
            self.good.put(token, keys, end, identity.clone());
        }
        Ok(identity)
    }

    fn keys(&self) -> Arc<Keys> {
        match &self.source {
            Source::Issuer(issuer) => issuer.keys(),
            Source::File(file) => file.keys(),
        }
    }

    async fn newer(&self, known: &Arc<Keys>) -> Arc<Keys> {
        match &self.source {
            Source::Issuer(issuer) => issuer.newer(known).await,
            Source::File(_) => Arc::clone(known),
        }
    }

    fn check(
        &self,
        token: &str,
        id: Option<&str>,
        algorithm: Algorithm,
        keys: &Keys,
    ) -> Result<Map<String, Value>, Refusal> {
        let mut validation = Validation::new(algorithm);
        validation.leeway = 0;
        validation.set_required_spec_claims(&["exp"]);
        if self.config.ignore_audience {
            validation.validate_aud = false;
        } else {
            validation.set_audience(&[&self.config.audience]);
            validation.required_spec_claims.insert("aud".to_owned());
        }
        if !self.config.ignore_issuer {
            validation.set_issuer(&[&self.config.issuer_url]);
            validation.required_spec_claims.insert("iss".to_owned());
        }
        let mut refusal = Refusal::new("key", "failed to verify token: no key of the issuer has signed it".to_owned());
        for key in keys.find(id, algorithm) {
            match decode::<Map<String, Value>>(token, key, &validation) {
                Ok(token) => return early(token.claims),
                Err(error) => refusal = Refusal::of(&error),
            }
            // Of several keys without a name, another one may have signed.
            if refusal.reason != "signature" {
                break;
            }
        }
        Err(refusal)
    }

    fn identity(&self, claims: &Map<String, Value>) -> Result<Identity, Refusal> {
        let wrong = |message: &str| Refusal::new("claims", message.to_owned());
        let text = |claim: &str| claims.get(claim).map(|value| value.as_str());
        let subject = match self.config.username_claim.as_str() {
            "" => text("sub").flatten().unwrap_or_default(),
            claim => text(claim)
                .ok_or_else(|| wrong("username claim from the OIDC configuration not found on the token returned by the OIDC provider"))?
                .ok_or_else(|| wrong("the username returned by the OIDC provider isn't a regular string"))?,
        };
        let groups = match self.config.groups_claim.as_str() {
            "" => String::new(),
            claim => claims.get(claim).map(|value| joined(value).unwrap_or_default()).ok_or_else(|| {
                wrong("groups claim from the OIDC configuration not found on the token returned by the OIDC provider")
            })?,
        };
        let tenant = match self.config.tenant_claim.as_str() {
            "" => None,
            claim => {
                let found = text(claim).flatten().filter(|tenant| !tenant.is_empty());
                let found =
                    found.ok_or_else(|| wrong("tenant claim from the OIDC configuration not found on the token"))?;
                Some(found.into())
            }
        };
        let mut attributes: BTreeMap<String, String> =
            claims.iter().filter_map(|(name, value)| Some((name.clone(), joined(value)?))).collect();
        attributes.insert("subject".to_owned(), subject.to_owned());
        attributes.insert("membership".to_owned(), groups);
        Ok(Identity { tenant, attributes: Some(Arc::new(attributes)) })
    }
}

/// Whether the header of a token, which can be read, says that some of it must be understood.
fn is_critical(token: &str) -> bool {
    let header = token.split('.').next().and_then(|header| URL_SAFE_NO_PAD.decode(header).ok());
    let header = header.and_then(|header| serde_json::from_slice::<Map<String, Value>>(&header).ok());
    header.is_none_or(|header| header.contains_key("crit"))
}

/// Refuses what is not good yet.
fn early(claims: Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    let from = claims.get("nbf").map(|from| from.as_f64());
    match from {
        Some(from) if from.is_none_or(|from| from > (get_current_timestamp() + AHEAD) as f64) => {
            Err(Refusal::new("early", "failed to verify token: it is not valid yet".to_owned()))
        }
        _ => Ok(claims),
    }
}

/// A text, or a list with its values joined, as attributes have them.
fn joined(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(values) => {
            let texts = values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            Some(texts.collect::<Vec<_>>().join(";"))
        }
        _ => None,
    }
}

// === impl KeysFile ===

impl KeysFile {
    /// The keys of the text as it is now.
    fn read(&self) -> Result<Arc<Keys>, String> {
        let text = self.file.text();
        let parsed = self.parsed.read().unwrap_or_else(PoisonError::into_inner).clone();
        if parsed.0 == text {
            return Ok(parsed.1);
        }
        // An emptied file withdraws all keys.
        let keys = if text.is_empty() { Ok(Keys::default()) } else { Keys::parse(text.as_bytes()) };
        let keys = keys.map(Arc::new);
        // Rubbish is remembered with the keys before it, so that it is said once.
        let kept = keys.as_ref().unwrap_or(&parsed.1);
        *self.parsed.write().unwrap_or_else(PoisonError::into_inner) = (text, Arc::clone(kept));
        keys
    }

    fn keys(&self) -> Arc<Keys> {
        self.read().unwrap_or_else(|error| {
            tracing::warn!(error, "keys are kept as they were");
            self.parsed.read().unwrap_or_else(PoisonError::into_inner).1.clone()
        })
    }
}

// === impl Refusal ===

impl Refusal {
    pub(super) fn new(reason: &'static str, message: String) -> Self {
        Self { reason, message }
    }

    fn of(error: &jsonwebtoken::errors::Error) -> Self {
        let reason = match error.kind() {
            ErrorKind::InvalidSignature => "signature",
            ErrorKind::ExpiredSignature => "expired",
            ErrorKind::InvalidAudience => "audience",
            ErrorKind::InvalidIssuer => "issuer",
            ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) => "claims",
            _ => "malformed",
        };
        Self::new(reason, format!("failed to verify token: {error}"))
    }
}
