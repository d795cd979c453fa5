//! Blocks that are switched on by being there.

use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Visitor};

use crate::de::{NULL_STAYS_OFF, NULL_TURNS_ON};

/// A block that is off until it is written: `batch:` and `batch: {}` turn it on with the defaults of `T`, `enabled: false` in
/// it turns it off whatever else it says. `T` must not have an `enabled` of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OptionalBlock<T> {
    /// Not written, or turned off.
    #[default]
    Off,
    /// Written.
    On(T),
}

/// As [`OptionalBlock`], except that an empty key (`tls:`) leaves it off; `tls: {}` turns it on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NullableBlock<T> {
    /// Not written, written empty, or turned off.
    #[default]
    Off,
    /// Written.
    On(T),
}

/// Reads either block: on (`visit_some`), off but to be checked (`visit_newtype_struct`), off (`visit_none`).
struct BlockVisitor<T>(PhantomData<T>);

// === impl OptionalBlock ===

impl<T> OptionalBlock<T> {
    /// The block, when it is on.
    pub fn as_ref(&self) -> Option<&T> {
        match self {
            Self::Off => None,
            Self::On(block) => Some(block),
        }
    }

    /// The block, when it is on.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::Off => None,
            Self::On(block) => Some(block),
        }
    }

    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        matches!(self, Self::On(_))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OptionalBlock<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let block = deserializer.deserialize_newtype_struct(NULL_TURNS_ON, BlockVisitor(PhantomData))?;
        Ok(block.map_or(Self::Off, Self::On))
    }
}

// === impl NullableBlock ===

impl<T> NullableBlock<T> {
    /// The block, when it is on.
    pub fn as_ref(&self) -> Option<&T> {
        match self {
            Self::Off => None,
            Self::On(block) => Some(block),
        }
    }

    /// The block, when it is on.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::Off => None,
            Self::On(block) => Some(block),
        }
    }

    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        matches!(self, Self::On(_))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for NullableBlock<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let block = deserializer.deserialize_newtype_struct(NULL_STAYS_OFF, BlockVisitor(PhantomData))?;
        Ok(block.map_or(Self::Off, Self::On))
    }
}

// === impl BlockVisitor ===

impl<'de, T: Deserialize<'de>> Visitor<'de> for BlockVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a map")
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        T::deserialize(deserializer).map(Some)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        T::deserialize(deserializer).map(|_| None)
    }
}
