//! What stands in the place of what was masked.

use hmac::{Hmac, Mac};
use md5::Md5;
use regex::bytes::Regex;
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::{Sha256, Sha512};
use sha3::Sha3_256;
use spanmill_config::Secret;

use super::config::HashFunction;

/// Masks texts: with stars, or with a hash that tells the same texts from others.
#[derive(Debug)]
pub(super) struct Masker {
    function: HashFunction,
    key: Secret,
}

const STARS: &[u8] = b"****";

// === impl Masker ===

impl Masker {
    pub(super) fn new(function: HashFunction, key: Secret) -> Self {
        Self { function, key }
    }

    /// The text with every match of the pattern masked; none where there is no match.
    pub(super) fn replace(&self, pattern: &Regex, text: &[u8]) -> Option<Vec<u8>> {
        // Nothing is found inside of a character.
        let inside = |at: usize| text.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
        let mut matches =
            pattern.find_iter(text).filter(|found| !(found.is_empty() && inside(found.start()))).peekable();
        matches.peek()?;
        let (mut out, mut copied) = (Vec::with_capacity(text.len()), 0);
        for found in matches {
            out.extend_from_slice(text.get(copied..found.start()).unwrap_or_default());
            self.put(found.as_bytes(), &mut out);
            copied = found.end();
        }
        out.extend_from_slice(text.get(copied..).unwrap_or_default());
        Some(out)
    }

    /// The whole text masked, line by line as the Collector does it: line ends stay.
    pub(super) fn whole(&self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
            if at > 0 {
                out.push(b'\n');
            }
            self.put(line, &mut out);
        }
        out
    }

    fn put(&self, text: &[u8], out: &mut Vec<u8>) {
        match self.function {
            HashFunction::None => out.extend_from_slice(STARS),
            HashFunction::Md5 => put_hex(&Md5::digest(text), out),
            HashFunction::Sha1 => put_hex(&Sha1::digest(text), out),
            HashFunction::Sha3 => put_hex(&Sha3_256::digest(text), out),
            HashFunction::HmacSha256 => self.put_hmac::<Hmac<Sha256>>(text, out),
            HashFunction::HmacSha512 => self.put_hmac::<Hmac<Sha512>>(text, out),
        }
    }

    fn put_hmac<M: Mac + hmac::digest::KeyInit>(&self, text: &[u8], out: &mut Vec<u8>) {
        match <M as Mac>::new_from_slice(self.key.expose().as_bytes()) {
            Ok(mut mac) => {
                mac.update(text);
                put_hex(&mac.finalize().into_bytes(), out);
            }
            // HMAC takes keys of any length; should it not, nothing must be shown.
            Err(_) => out.extend_from_slice(STARS),
        }
    }
}

fn put_hex(bytes: &[u8], out: &mut Vec<u8>) {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
    out.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(function: HashFunction, text: &str) -> String {
        let masker = Masker::new(function, Secret::new("0123456789".repeat(7)));
        String::from_utf8(masker.whole(text.as_bytes())).unwrap()
    }

    /// Scenario: a text is masked by every function.
    /// Guarantees: the results are those of other tools.
    #[test]
    fn functions() {
        for (function, expected) in [
            (HashFunction::None, "****"),
            (HashFunction::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (HashFunction::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (HashFunction::Sha3, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
        ] {
            assert_eq!(masked(function, "abc"), expected);
        }
        assert_eq!(masked(HashFunction::HmacSha256, "abc").len(), 64);
        assert_eq!(masked(HashFunction::HmacSha512, "abc").len(), 128);
        assert_eq!(masked(HashFunction::None, ""), "****");
        assert_eq!(masked(HashFunction::None, "a\n\nb"), "****\n****\n****");
    }
}
