//! Levels by name or number, in any case, as the Collector reads them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// How much is counted about the process: `none`, `basic`, `normal` or `detailed`, in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MetricsLevel {
    /// Nothing.
    None,
    /// What is needed to see whether telemetry gets through.
    Basic,
    /// What costs little besides.
    #[default]
    Normal,
    /// Everything.
    Detailed,
}

/// The severity from which on messages are written: `debug`, `info`, `warn`, `error`, `dpanic`, `panic` or `fatal`, in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// What is worth knowing.
    #[default]
    Info,
    /// What is suspicious.
    Warn,
    /// What went wrong.
    Error,
    /// What must not happen.
    DPanic,
    /// What ends an operation.
    Panic,
    /// What ends the process.
    Fatal,
}

/// Reads a level from its name or its number.
struct LevelVisitor<T> {
    by_name: fn(&str) -> Option<T>,
    by_number: fn(i64) -> Option<T>,
    expected: &'static str,
}

// === impl MetricsLevel ===

impl MetricsLevel {
    fn by_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "none" => Some(Self::None),
            "basic" => Some(Self::Basic),
            "normal" => Some(Self::Normal),
            "detailed" => Some(Self::Detailed),
            _ => None,
        }
    }

    fn by_number(number: i64) -> Option<Self> {
        // Go takes any number, and compares.
        Some(match number {
            ..0 => Self::None,
            0 => Self::Basic,
            1 => Self::Normal,
            2.. => Self::Detailed,
        })
    }
}

impl<'de> Deserialize<'de> for MetricsLevel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "none, basic, normal or detailed";
        let visitor = LevelVisitor { by_name: Self::by_name, by_number: Self::by_number, expected };
        deserializer.deserialize_any(visitor)
    }
}

// === impl LogLevel ===

impl LogLevel {
    fn by_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "debug" => Some(Self::Debug),
            "info" | "" => Some(Self::Info),
            "warn" | "warning" => Some(Self::Warn),
            "error" => Some(Self::Error),
            "dpanic" => Some(Self::DPanic),
            "panic" => Some(Self::Panic),
            "fatal" => Some(Self::Fatal),
            _ => None,
        }
    }

    fn by_number(number: i64) -> Option<Self> {
        match number {
            -1 => Some(Self::Debug),
            0 => Some(Self::Info),
            1 => Some(Self::Warn),
            2 => Some(Self::Error),
            3 => Some(Self::DPanic),
            4 => Some(Self::Panic),
            5 => Some(Self::Fatal),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for LogLevel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "debug, info, warn, error, dpanic, panic or fatal";
        let visitor = LevelVisitor { by_name: Self::by_name, by_number: Self::by_number, expected };
        deserializer.deserialize_any(visitor)
    }
}

// === impl LevelVisitor ===

impl<'de, T> Visitor<'de> for LevelVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    /// Nothing is zero, as for every number.
    fn visit_unit<E: Error>(self) -> Result<T, E> {
        self.visit_i64(0)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
        (self.by_name)(name)
            .ok_or_else(|| E::custom(format_args!("unknown level {name:?}, expected {}", self.expected)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        (self.by_number)(number)
            .ok_or_else(|| E::custom(format_args!("unknown level {number}, expected {}", self.expected)))
    }
}
