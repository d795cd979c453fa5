//! Hashes of content, plain or with a key.

use hmac::{Hmac, Mac};
use sha2::{Digest as _, Sha256};

use super::options::HashKey;
use crate::hash::hex;

/// Makes hashes.
#[derive(Debug, Default)]
pub(super) struct Digest {
    key: Option<HashKey>,
}

const PLAIN: &str = "sha256:";
const KEYED: &str = "hmac-sha256:";

/// The hexadecimal SHA-256 of content: its name where it is put aside.
pub(super) fn name(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

/// Whether a text is a hash already.
pub(super) fn is_hash(text: &str) -> bool {
    text.strip_prefix(PLAIN).or_else(|| text.strip_prefix(KEYED)).is_some_and(is_name)
}

/// Whether a text is a hexadecimal SHA-256.
pub(super) fn is_name(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

// === impl Digest ===

impl Digest {
    pub(super) fn new(key: Option<HashKey>) -> Self {
        Self { key }
    }

    /// What takes the place of content.
    pub(super) fn hash(&self, content: &[u8]) -> String {
        // HMAC takes keys of any length.
        let keyed = self.key.as_ref().and_then(|HashKey(key)| Hmac::<Sha256>::new_from_slice(key).ok());
        match keyed {
            Some(mut keyed) => {
                keyed.update(content);
                format!("{KEYED}{}", hex(&keyed.finalize().into_bytes()))
            }
            None => format!("{PLAIN}{}", name(content)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: the hashes of the standards' own examples.
    /// Guarantees: they are what the standards say, and are known for hashes.
    #[test]
    fn hashes_are_those_of_the_standards() {
        let plain = Digest::default().hash(b"abc");
        assert_eq!(plain, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        // RFC 4231, test case 2.
        let keyed = Digest::new(Some(HashKey(b"Jefe".to_vec()))).hash(b"what do ya want for nothing?");
        assert_eq!(keyed, "hmac-sha256:5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert!(is_hash(&plain) && is_hash(&keyed) && !is_hash("sha256:abc"));
    }
}
