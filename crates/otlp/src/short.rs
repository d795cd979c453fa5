//! Short texts, such as keys and words: compared and hashed right where they are, since they are not worth a call.

/// Whether two texts are the same. Those of eight bytes and more are compared by two words that may overlap, and what is between them.
#[inline]
pub fn is_same(known: &[u8], text: &[u8]) -> bool {
    if known.len() != text.len() {
        return false;
    }
    // Those of one vocabulary mostly differ at their ends.
    if known.len() >= 16 {
        return known.last_chunk::<16>() == text.last_chunk()
            && known.first_chunk::<16>() == text.first_chunk()
            && (known.len() <= 32 || known == text);
    }
    if known.len() >= 8 {
        return known.last_chunk::<8>() == text.last_chunk() && known.first_chunk::<8>() == text.first_chunk();
    }
    known.iter().zip(text).all(|(known, text)| known == text)
}

/// Mixes the length with the first and last eight bytes: those of one vocabulary differ there.
#[inline]
pub fn hash(text: &[u8]) -> u32 {
    let (first, last) = match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => (text.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)), 0),
    };
    let middle = text.get(text.len() / 2).copied().unwrap_or(0);
    let mixed = (first ^ last.rotate_left(23) ^ (text.len() as u64) << 56 ^ u64::from(middle) << 40)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: texts of every length up to 71, each with one byte changed in every place.
    /// Guarantees: only the unchanged one is the same.
    #[test]
    fn every_byte_counts() {
        for len in 0..72usize {
            let text: Vec<u8> = (0..len as u8).collect();
            assert!(is_same(&text, &text.clone()));
            assert!(!is_same(&text, &[&text[..], b"x"].concat()));
            for place in 0..len {
                let mut other = text.clone();
                other[place] ^= 1;
                assert!(!is_same(&text, &other), "{len} {place}");
            }
        }
    }
}
