//! The natural logarithm to the last digit as Go computes it, which is that of FreeBSD's `e_log.c`; others are more exact.

const LN2_HIGH: f64 = f64::from_bits(0x3FE6_2E42_FEE0_0000);
const LN2_LOW: f64 = f64::from_bits(0x3DEA_39EF_3579_3C76);
/// Coefficients of the polynomial, those of odd and of even place.
const ODD: [f64; 4] = [
    f64::from_bits(0x3FE5_5555_5555_5593),
    f64::from_bits(0x3FD2_4924_9422_9359),
    f64::from_bits(0x3FC7_4664_96CB_03DE),
    f64::from_bits(0x3FC2_F112_DF3E_5244),
];
const EVEN: [f64; 3] = [
    f64::from_bits(0x3FD9_9999_9997_FA04),
    f64::from_bits(0x3FCC_71C5_1D8E_78AF),
    f64::from_bits(0x3FC3_9A09_D078_C69F),
];

const FRACTION: u64 = (1 << 52) - 1;
/// 2^54 makes a subnormal number a normal one.
const SCALE: f64 = 18_014_398_509_481_984.0;

/// Of a number greater than zero, infinity and NaN included.
pub(super) fn natural(value: f64) -> f64 {
    if !value.is_finite() {
        return value;
    }
    let (normal, shift) = if value.is_normal() { (value, 0) } else { (value * SCALE, 54) };
    let bits = normal.to_bits();
    let mut exponent = (bits >> 52) as i32 - 0x3FE - shift;
    let mut fraction = f64::from_bits(bits & FRACTION | 0.5_f64.to_bits());
    if fraction < std::f64::consts::FRAC_1_SQRT_2 {
        fraction *= 2.0;
        exponent -= 1;
    }
    let (f, k) = (fraction - 1.0, f64::from(exponent));
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let r = s2 * horner(&ODD, s4) + s4 * horner(&EVEN, s4);
    let half = 0.5 * f * f;
    k * LN2_HIGH - ((half - (s * (half + r) + k * LN2_LOW)) - f)
}

fn horner(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().copied().reduce(|sum, coefficient| sum * x + coefficient).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: numbers of which Go's last digit is another than that of the exact logarithm, and others.
    /// Guarantees: Go's, as Go 1.26 prints them; and within one digit of the exact one from the least to the greatest number.
    #[test]
    fn as_go_has_it() {
        let of_go = [
            (3.0, 1.0986122886681096),
            (14.0, 2.639057329615259),
            (48.0, 3.8712010109078907),
            (74.0, 4.304065093204169),
            (788.7233511355132, 6.6704156270856245),
            (0.001, -6.907755278982137),
            (1e+300, 690.7755278982137),
            (1.7e-300, -690.2448996471516),
            (1.23456789e+08, 18.63140176616802),
        ];
        for (value, logarithm) in of_go {
            assert_eq!(natural(value).to_bits(), f64::to_bits(logarithm), "{value}");
        }
        for exponent in -1074..1024 {
            let value = 1.3 * 2f64.powi(exponent);
            assert!((natural(value) - value.ln()).abs() <= value.ln().abs() * f64::EPSILON, "{value:e}");
        }
        assert_eq!(natural(1.0), 0.0);
        assert_eq!(natural(f64::INFINITY), f64::INFINITY);
        assert!(natural(f64::NAN).is_nan());
    }
}
