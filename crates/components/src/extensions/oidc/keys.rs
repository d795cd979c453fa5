//! The public keys of an issuer (RFC 7517), and which algorithms each is good for.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde::Deserialize;

/// Keys for signatures. Others, and such of unknown kinds, are left out.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<Key>);

#[derive(Debug)]
struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

/// Keys are read one by one, so that one of an unknown kind does not spoil the others.
#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

/// An issuer has two or three. More make every token without a key's name more work.
const MOST: usize = 64;

// === impl Keys ===

impl Keys {
    /// Reads a key set; there is at least one key.
    pub(super) fn parse(json: &[u8]) -> Result<Self, String> {
        let document: Document =
            serde_json::from_slice(json).map_err(|error| format!("failed to parse JWKS: {error}"))?;
        let parsed = document.keys.into_iter().filter_map(|key| Key::new(&serde_json::from_value(key).ok()?));
        let keys: Vec<Key> = parsed.take(MOST).collect();
        if keys.is_empty() {
            return Err("contains no supported keys (supported types are RSA, ECDSA, and ED25519)".to_owned());
        }
        Ok(Self(keys))
    }

    /// Those that may have signed by that algorithm, under that name where one is given.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<&DecodingKey> {
        let named = self.0.iter().filter(|key| id.is_none() || key.id.as_deref() == id);
        named.filter(|key| key.algorithms.contains(&algorithm)).map(|key| &key.key).collect()
    }
}

// === impl Key ===

impl Key {
    fn new(jwk: &Jwk) -> Option<Self> {
        if jwk.common.public_key_use.as_ref().is_some_and(|meant| *meant != PublicKeyUse::Signature) {
            return None;
        }
        let possible = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => AlgorithmFamily::Rsa.algorithms(),
            AlgorithmParameters::EllipticCurve(key) => match key.curve {
                EllipticCurve::P256 => &[Algorithm::ES256],
                EllipticCurve::P384 => &[Algorithm::ES384],
                _ => return None,
            },
            AlgorithmParameters::OctetKeyPair(_) => &[Algorithm::EdDSA],
            // A shared secret in public would let anybody sign.
            _ => return None,
        };
        let meant = jwk.common.key_algorithm.and_then(|algorithm| Algorithm::try_from(algorithm).ok());
        let algorithms = match meant.filter(|meant| possible.contains(meant)) {
            Some(meant) => vec![meant],
            None => possible.to_vec(),
        };
        Some(Self { id: jwk.common.key_id.clone(), algorithms, key: DecodingKey::from_jwk(jwk).ok()? })
    }
}
