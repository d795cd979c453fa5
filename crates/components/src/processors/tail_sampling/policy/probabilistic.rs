use super::super::grouping::TraceId;

/// Samples a share of all traces, by a hash of the trace id.
#[derive(Debug)]
pub(in super::super) struct ProbabilisticPolicy {
    /// Hash of the salt, to be gone on with.
    salted: u64,
    /// The largest hash that is sampled.
    largest: u64,
}

const DEFAULT_SALT: &str = "default-hash-seed";

// === impl ProbabilisticPolicy ===

impl ProbabilisticPolicy {
    pub(super) fn new(salt: &str, percentage: f64) -> Self {
        let salt = if salt.is_empty() { DEFAULT_SALT } else { salt };
        Self { salted: fnv1a(0xcbf2_9ce4_8422_2325, salt.as_bytes()), largest: share_of_all(percentage / 100.0) }
    }

    pub(super) fn samples(&self, id: &TraceId) -> bool {
        fnv1a(self.salted, id) <= self.largest
    }
}

fn fnv1a(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// That share of the largest 64-bit number, to the last bit as the Collector has it: multiplied exactly, rounded to 64 significant bits,
/// and cut.
fn share_of_all(ratio: f64) -> u64 {
    if ratio.is_nan() || ratio <= 0.0 {
        return 0;
    }
    if ratio >= 1.0 {
        return u64::MAX;
    }
    let (mantissa, exponent) = parts(ratio);
    let product = u128::from(u64::MAX) * u128::from(mantissa);
    let surplus = (128 - product.leading_zeros()).saturating_sub(64);
    let rounded = if surplus == 0 {
        product
    } else {
        let (kept, cut, half) = (product >> surplus, product & ((1 << surplus) - 1), 1 << (surplus - 1));
        // Half to even.
        kept + u128::from(cut > half || (cut == half && kept & 1 == 1))
    };
    // The exponent is negative enough, as the ratio is less than one.
    let shift = u32::try_from(-(exponent + i64::from(surplus))).unwrap_or(0);
    u64::try_from(rounded.checked_shr(shift).unwrap_or(0)).unwrap_or(u64::MAX)
}

/// A positive number as an integer times a power of two.
fn parts(number: f64) -> (u64, i64) {
    let (exponent, fraction) = ((number.to_bits() >> 52 & 0x7ff) as i64, number.to_bits() & ((1 << 52) - 1));
    if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: shares of all sizes.
    /// Guarantees: the limits that Go's `big.Float` gives.
    #[test]
    fn shares() {
        for (ratio, expected) in [
            (0.0, 0),
            (-1.0, 0),
            (1e-30, 0),
            (0.1, 1_844_674_407_370_955_263),
            (0.3, 5_534_023_222_112_865_279),
            (0.5, 9_223_372_036_854_775_807),
            (1.0 / 3.0, 6_148_914_691_236_516_863),
            (1e-10, 1_844_674_407),
            (0.123_456_789, 2_277_375_790_844_960_511),
            (0.999_999, 18_446_725_626_965_477_375),
            (1.0, u64::MAX),
            (5.0, u64::MAX),
        ] {
            assert_eq!(share_of_all(ratio), expected, "{ratio}");
        }
    }
}
