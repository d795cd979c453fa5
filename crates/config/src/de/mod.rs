//! Reads typed configuration out of the tree, strictly: a value of another type is an error, never converted.
//!
//! What differs from a common deserialiser, as in the Collector:
//! * A string takes the original text of a value that was put in for `${...}`.
//! * Nothing (`key:`) is the zero of numbers, booleans and strings; lists, maps and sections keep the field's default, see
//!   [`deserialize`].
//! * A list of strings may be given as one text with commas.
//! * A number without fraction may be given as a float, and the other way round.

mod access;
mod error;
mod node;

#[cfg(test)]
mod tests;

use serde::de::DeserializeOwned;

pub(crate) use error::DeError;
pub(crate) use node::{NULL_STAYS_OFF, NULL_TURNS_ON, SECRET};

use crate::Node;
use node::{NodeDeserializer, Nulls};

/// The most fields given as nothing that one section may have.
const MAX_NULLS: usize = 10_000;

/// Reads a `T`. A list, map or section that is given as nothing keeps the value that its parent's default gives it: as that default is
/// only known to the struct itself, the field is taken out and the whole is read again.
pub(crate) fn deserialize<T: DeserializeOwned>(node: &Node) -> Result<T, DeError> {
    let mut error = match T::deserialize(NodeDeserializer::new(node, Nulls::AreZero)) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let mut reduced = node.clone();
    for _ in 0..MAX_NULLS {
        if !error.keeps_default() || !reduced.remove(&error.steps()) {
            break;
        }
        match T::deserialize(NodeDeserializer::new(&reduced, Nulls::AreZero)) {
            Ok(value) => return Ok(value),
            Err(next) => error = next,
        }
    }
    Err(error)
}
