//! The consistent ring: which backend an identifier belongs to. Positions are the Collector's, so that several of both kinds agree.

use crc32fast::Hasher;

/// Backends by position.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ring {
    /// In order of their positions: a position, and the number of the backend.
    points: Vec<(u32, usize)>,
}

const POSITIONS: u32 = 131_071;
/// Points of each backend.
const WEIGHT: u32 = 200;
/// How many positions further a point may go when its own is taken.
const PROBES: u32 = 10;

// === impl Ring ===

impl Ring {
    pub(super) fn new(backends: &[String]) -> Self {
        let mut wanted: Vec<(u32, u32, &str, usize)> = Vec::with_capacity(backends.len() * WEIGHT as usize);
        for (number, backend) in backends.iter().enumerate() {
            for point in 0..WEIGHT {
                let mut hasher = Hasher::new();
                hasher.update(backend.as_bytes());
                hasher.update(&point.to_le_bytes());
                let hash = hasher.finalize();
                wanted.push((hash % POSITIONS, hash, backend, number));
            }
        }
        wanted.sort_unstable();
        let mut taken = vec![false; POSITIONS as usize];
        let mut points = Vec::with_capacity(wanted.len());
        for (position, _, _, number) in wanted {
            let free = (0..PROBES)
                .map(|probe| (position + probe) % POSITIONS)
                .find(|at| taken.get(*at as usize) == Some(&false));
            let Some(at) = free else { continue };
            if let Some(slot) = taken.get_mut(at as usize) {
                *slot = true;
            }
            points.push((at, number));
        }
        points.sort_unstable();
        Self { points }
    }

    /// The number of the backend; none where there are no backends.
    pub(super) fn backend(&self, identifier: &[u8]) -> Option<usize> {
        let position = crc32fast::hash(identifier) % POSITIONS;
        let next = self.points.partition_point(|(at, _)| *at < position);
        self.points.get(next).or_else(|| self.points.first()).map(|(_, number)| *number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// Scenario: identifiers of 16 bytes and a text, with one, two and four backends.
    /// Guarantees: points and backends are those of the Collector v0.161.0, which made these numbers.
    #[test]
    fn as_in_go() {
        let cases: [(&[&str], usize, u32, &str, usize); 4] = [
            (
                &["backend-1:4317", "backend-2:4317", "backend-3:4317", "backend-4:4317"],
                800,
                20_733,
                "311010012332121031132233",
                2,
            ),
            (&["a", "b"], 400, 710_494, "000110001010110110111001", 0),
            (&["10.0.0.1:4317"], 200, 368_975, "000000000000000000000000", 0),
            (&["[::1]:4317", "host"], 400, 217_715, "001010011010001000100111", 1),
        ];
        for (backends, points, sum, expected, service) in cases {
            let ring = Ring::new(&names(backends));
            let folded = ring.points.iter().fold(0, |sum: u32, (at, _)| (sum * 31 + at) % 1_000_003);
            assert_eq!((ring.points.len(), folded), (points, sum));
            let chosen = (0..24_u32).map(|i| {
                let id: [u8; 16] = std::array::from_fn(|j| (i * 37 + j as u32 * 11) as u8);
                ring.backend(&id).unwrap().to_string()
            });
            assert_eq!(chosen.collect::<String>(), expected);
            assert_eq!(ring.backend(b"service.name=web|"), Some(service));
        }
        assert_eq!(Ring::new(&[]).backend(b"x"), None);
    }

    /// Scenario: one of four backends goes.
    /// Guarantees: identifiers of the others stay where they were.
    #[test]
    fn few_move() {
        let all = names(&["a", "b", "c", "d"]);
        let (before, after) = (Ring::new(&all), Ring::new(&all[..3]));
        let identifiers = (0..10_000_u32).map(u32::to_be_bytes);
        let moved = identifiers.filter(|id| before.backend(id) != Some(3) && before.backend(id) != after.backend(id));
        assert!(moved.count() < 50);
    }
}
