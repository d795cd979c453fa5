//! A fast hash of short texts, seeded anew in each process, so that nobody can prepare collisions; and how hashes and ids are shown.

use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0u8));

/// Hash of a text; never zero.
pub(crate) fn hash_text(text: &[u8]) -> u64 {
    let mut state = *SEED ^ text.len() as u64;
    let mut chunks = text.chunks_exact(8);
    for chunk in &mut chunks {
        let word = chunk.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        state = mix(state ^ word);
    }
    let tail = chunks.remainder().iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
    mix(state ^ tail).max(1)
}

/// Folds the product of two words: every bit of the input reaches every bit of the result.
fn mix(word: u64) -> u64 {
    let product = u128::from(word ^ 0xa076_1d64_78bd_642f) * 0xe703_7ed1_a0b4_28db;
    (product as u64) ^ (product >> 64) as u64
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        _ = write!(text, "{byte:02x}");
    }
    text
}
