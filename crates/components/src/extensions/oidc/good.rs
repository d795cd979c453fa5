//! Tokens that were good a moment ago: a signature takes longer to verify than most requests to be served, and senders send often.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use jsonwebtoken::get_current_timestamp;
use lru::LruCache;
use sha2::{Digest as _, Sha256};
use spanmill_pipeline::auth::Identity;

use super::keys::Keys;

/// Good tokens, by their hash.
pub(super) struct Good(Mutex<LruCache<[u8; 32], Entry>>);

struct Entry {
    identity: Identity,
    /// The second from which on it is not known to be good any more.
    until: u64,
    /// The keys by which it is: with others it has to be verified again.
    keys: Arc<Keys>,
}

const MOST: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);
/// For how many seconds a token is believed without another look.
const AGE: u64 = 60;

// === impl Good ===

impl Default for Good {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(MOST)))
    }
}

impl Good {
    /// Whom the token is for, where it was good by these keys.
    pub(super) fn get(&self, token: &str, keys: &Arc<Keys>) -> Option<Identity> {
        let mut good = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = good.get(&hash(token))?;
        let holds = Arc::ptr_eq(&entry.keys, keys) && get_current_timestamp() < entry.until;
        holds.then(|| entry.identity.clone())
    }

    /// Remembers a token that is good by these keys, until the second `end` at the latest.
    pub(super) fn put(&self, token: &str, keys: Arc<Keys>, end: u64, identity: Identity) {
        let until = end.min(get_current_timestamp() + AGE);
        let mut good = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        good.put(hash(token), Entry { identity, until, keys });
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}
