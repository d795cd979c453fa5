//! Sizes in bytes.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};

/// Units by their names, largest first.
const UNITS: &[(&str, u64)] = &[
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("kB", 1_000),
    ("B", 1),
];

/// A number of bytes, written as `64MiB`, `1.5 GB` or a whole number. (Options of the Collector that count MiB are whole numbers and
/// not of this type.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize {
    bytes: u64,
}

/// Why a text is no size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid size {0:?}: expected a number with a unit, like 512KiB, 64MiB or 1GB")]
pub struct ByteSizeError(String);

// === impl ByteSize ===

impl ByteSize {
    /// A size of `bytes` bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self { bytes }
    }

    /// A size of `mebibytes` times 1,048,576 bytes.
    pub const fn from_mib(mebibytes: u32) -> Self {
        Self { bytes: (mebibytes as u64) << 20 }
    }

    /// The number of bytes.
    pub const fn bytes(self) -> u64 {
        self.bytes
    }
}

impl FromStr for ByteSize {
    type Err = ByteSizeError;

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
    #[expect(clippy::cast_precision_loss, reason = "fractions of units need not be exact")]
    fn from_str(text: &str) -> Result<Self, ByteSizeError> {
        let invalid = || ByteSizeError(text.to_owned());
        let found = UNITS.iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?.trim_end(), *scale)));
        let (number, scale) = found.unwrap_or((text, 1));
        if !number.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(invalid());
        }
        let bytes = match number.parse::<u64>() {
            Ok(whole) => whole.checked_mul(scale).ok_or_else(invalid)?,
            Err(_) => {
                let bytes = number.parse::<f64>().map_err(|_| invalid())? * scale as f64;
                if !(0.0..u64::MAX as f64).contains(&bytes) {
                    return Err(invalid());
                }
                bytes as u64
            }
        };
        Ok(Self { bytes })
    }
}

impl fmt::Display for ByteSize {
    /// In the largest binary unit that divides it: `64MiB`, `1000B`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut binary = UNITS.iter().filter(|(unit, _)| unit.ends_with("iB"));
        match binary.find(|(_, scale)| self.bytes > 0 && self.bytes.is_multiple_of(*scale)) {
            Some((unit, scale)) => write!(f, "{}{unit}", self.bytes / scale),
            None => write!(f, "{}B", self.bytes),
        }
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ByteSizeVisitor)
    }
}

struct ByteSizeVisitor;

impl Visitor<'_> for ByteSizeVisitor {
    type Value = ByteSize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size like 64MiB or a number of bytes")
    }

    fn visit_unit<E: Error>(self) -> Result<ByteSize, E> {
        Ok(ByteSize::default())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ByteSize, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, bytes: u64) -> Result<ByteSize, E> {
        Ok(ByteSize { bytes })
    }

    fn visit_i64<E: Error>(self, bytes: i64) -> Result<ByteSize, E> {
        let bytes =
            u64::try_from(bytes).map_err(|_| E::custom(format_args!("invalid size {bytes}: less than zero")))?;
        Ok(ByteSize { bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::ByteSize;

    /// Scenario: sizes in every unit, with fractions and spaces.
    /// Guarantees: the number of bytes; shown again in the largest binary unit.
    #[test]
    fn sizes() {
        for (text, bytes, shown) in [
            ("0", 0, "0B"),
            ("1000", 1000, "1000B"),
            ("512KiB", 524_288, "512KiB"),
            ("64MiB", 67_108_864, "64MiB"),
            ("1.5 GiB", 1_610_612_736, "1536MiB"),
            ("1GB", 1_000_000_000, "1000000000B"),
            ("2TiB", 2_199_023_255_552, "2TiB"),
        ] {
            let size: ByteSize = text.parse().unwrap();
            assert_eq!((size.bytes(), size.to_string().as_str()), (bytes, shown), "{text}");
        }
        for text in ["", "MiB", "-1MiB", "64 mib", "1e400MiB", "18446744073709551615KiB", "infB", "5m"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }
}
