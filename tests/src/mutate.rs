//! Requests gone wrong: bytes changed at random, the same way for the same seed.

use fastrand::Rng;

/// Changes a copy of `seed` in one to four places: bits flipped, bytes replaced, ranges cut out, repeated or moved, the end cut off.
pub fn mutated(seed: &[u8], random: &mut Rng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..random.usize(1..=4) {
        if bytes.is_empty() {
            break;
        }
        let at = random.usize(..bytes.len());
        let range = at..bytes.len().min(at + random.usize(1..=32));
        match random.u8(..8) {
            0 | 1 => bytes[at] ^= 1 << random.u8(..8),
            2 => bytes[at] = random.u8(..),
            // Lengths and varints like to be 0x7f and 0xff.
            3 => bytes[at] = *random.choice([0x00, 0x7f, 0x80, 0xff].iter()).unwrap_or(&0xff),
            4 => drop(bytes.drain(range)),
            5 => {
                let copy = bytes[range].to_vec();
                bytes.splice(at..at, copy);
            }
            6 => {
                let moved: Vec<u8> = bytes.drain(range).collect();
                let to = random.usize(..=bytes.len());
                bytes.splice(to..to, moved);
            }
            _ => bytes.truncate(at),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: the same request is mutated a thousand times from the same random seed, twice.
    /// Guarantees: both series are equal, and nearly every mutation changes something.
    #[test]
    fn mutations_can_be_repeated() {
        let request = b"an encoded request of some length";
        let series = || {
            let mut random = Rng::with_seed(7);
            (0..1_000).map(|_| mutated(request, &mut random)).collect::<Vec<_>>()
        };
        let first = series();
        assert_eq!(first, series());
        assert!(first.iter().filter(|bytes| bytes.as_slice() != request).count() > 950);
    }
}
