//! Instants and durations as they are written.

/// Nanoseconds since 1970 of an RFC 3339 instant; one without an offset is taken as UTC.
pub(crate) fn instant(text: &str) -> Option<i128> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let mut rest = text.get(19..)?;
    let mut nanos = 0i128;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.len() - fraction.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let kept = fraction.get(..digits.min(9))?;
        nanos = kept.parse::<i128>().ok()? * 10i128.pow(9 - kept.len() as u32);
        rest = fraction.get(digits..)?;
    }
    let offset = match rest {
        "" | "Z" | "z" => 0,
        _ => {
            let sign = if rest.starts_with('-') { -1 } else { 1 };
            let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
            let (hours, minutes) = (digits.get(0..2)?.parse::<i64>().ok()?, digits.get(2..4)?.parse::<i64>().ok()?);
            sign * (hours * 3_600 + minutes * 60)
        }
    };
    // Days since 1970 by the proleptic Gregorian calendar, counted from March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    Some(i128::from(seconds) * 1_000_000_000 + nanos)
}

/// Nanoseconds since 1970 of a number whose size tells whether it counts seconds, or thousandths of them, or of those.
pub(crate) fn epoch(number: f64) -> Option<i128> {
    const UNITS: [(f64, f64); 4] = [(1e17, 1.0), (1e14, 1e3), (1e11, 1e6), (1e8, 1e9)];
    let (_, nanos) = UNITS.into_iter().find(|(least, _)| number >= *least && number < least * 1e3)?;
    Some((number * nanos) as i128)
}

/// Seconds of a duration with its unit, as Go and Rust print it: `1.6s`, `350ms`, `1m2.5s`.
pub(crate) fn duration(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 8] = [
        ("ms", 1e-3),
        ("us", 1e-6),
        ("\u{b5}s", 1e-6),
        ("\u{3bc}s", 1e-6),
        ("ns", 1e-9),
        ("s", 1.0),
        ("m", 60.0),
        ("h", 3_600.0),
    ];
    let (mut rest, mut seconds) = (text.trim(), 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit) = rest.split_at_checked(digits)?;
        let (name, size) = UNITS.iter().find(|(name, _)| unit.trim_start().starts_with(name))?;
        seconds += number.parse::<f64>().ok()? * size;
        rest = unit.trim_start().strip_prefix(name)?;
    }
    (!text.trim().is_empty()).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* durations as programs print them, and texts that are none.
    /// *Guarantees:* seconds where every number has a unit, nothing otherwise.
    #[test]
    fn durations_with_units() {
        for (text, seconds) in
            [("1.6s", 1.6), ("350ms", 0.35), ("1m2.5s", 62.5), ("420 ms", 0.42), ("12\u{b5}s", 0.000_012)]
        {
            assert!(duration(text).is_some_and(|found| (found - seconds).abs() < 1e-9), "{text}");
        }
        for text in ["", "fast", "1.6", "s", "1.6s later", "-1s", "1..2s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    /// *Scenario:* one instant counted in seconds, milliseconds, microseconds and nanoseconds, and numbers that are no instant of our days.
    /// *Guarantees:* the size tells the unit.
    #[test]
    fn instants_as_numbers() {
        for number in [1_795_838_890.5, 1_795_838_890_500.0, 1_795_838_890_500_000.0, 1_795_838_890_500_000_000.0] {
            assert_eq!(epoch(number), Some(1_795_838_890_500_000_000), "{number}");
        }
        for number in [0.0, 1.6, 1_600.0, -1e18, f64::NAN, f64::INFINITY, 1e21] {
            assert_eq!(epoch(number), None, "{number}");
        }
    }
}
